/** What one caller's request should come to: its status, or null while either may be. */
export type Expected = number | null;

/** Somebody who asks again and again. `ask` gives the status of the answer. */
export interface Caller {
  readonly ask: () => Promise<number>;
  /** For requests that are sent from now on. */
  expect(status: Expected): void;
  /** Sends no more. */
  leave(): void;
  /** When an answer with this status last came to a request, and when that request was sent; 0: never. */
  lastSentMs(status: number): number;
}

export interface Load {
  /** Lets a caller in, by a name for the report. */
  enter(name: string, expected: Expected, ask: () => Promise<number>): Caller;
  /** Stops, and waits for every answer. */
  end(): Promise<void>;
  /** Answers that were as expected, by caller; requests where either was right are not among them. */
  right(): Readonly<Record<string, number>>;
  /** Answers that were not, one line for each kind. */
  wrong(): readonly string[];
  /** Requests sent so far. */
  sent(): number;
}

const TICK_MS = 10;
/** Beyond this many under way the load waits: it must measure the product, not flood the machine. */
const MAXIMUM_UNDER_WAY = 64;

/** A steady load of a request every 10 ms, by each caller in turn. What goes wrong is counted, and nothing is repeated. */
export function startLoad(): Load {
  const callers: { name: string; expected: Expected; ask: () => Promise<number>; last: Map<number, number> }[] = [];
  const right = new Map<string, number>();
  const wrong = new Map<string, number>();
  const underWay = new Set<Promise<void>>();
  let turn = 0;
  let sent = 0;

  const add = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const send = async () => {
    const caller = callers[turn++ % callers.length];
    if (caller === undefined) return;
    sent++;
    const { name, expected, last } = caller;
    const sentMs = Date.now();
    const status = await caller.ask().catch((error: unknown) => String(error));
    if (typeof status === 'number') last.set(status, Math.max(last.get(status) ?? 0, sentMs));
    if (status === expected) add(right, name);
    else if (expected !== null || typeof status !== 'number') add(wrong, `${name}: ${status} instead of ${expected}`);
  };
  const timer = setInterval(() => {
    if (underWay.size >= MAXIMUM_UNDER_WAY) return;
    const one = send().finally(() => underWay.delete(one));
    underWay.add(one);
  }, TICK_MS);

  return {
    enter(name, expected, ask) {
      const caller = { name, expected, ask, last: new Map<number, number>() };
      callers.push(caller);
      return {
        ask,
        expect(status) {
          caller.expected = status;
        },
        leave: () => void callers.splice(callers.indexOf(caller), 1),
        lastSentMs: (status) => caller.last.get(status) ?? 0,
      };
    },
    async end() {
      clearInterval(timer);
      await Promise.all(underWay);
    },
    right: () => Object.fromEntries(right),
    wrong: () => [...wrong].map(([what, count]) => `${what} (${count} times)`),
    sent: () => sent,
  };
}
