/** Simulated time: what happens when, and what time it is. */
export interface Agenda {
  /** Whole milliseconds, as a real clock tells. */
  now(): number;
  at(timeMs: number, run: () => void): void;
  after(delayMs: number, run: () => void): void;
  /** A promise was settled: what awaits it goes on before time does. */
  settled(): void;
  runUntil(endMs: number): Promise<void>;
}

interface Entry {
  readonly timeMs: number;
  readonly turn: number;
  readonly run: () => void;
}

/** Awaits between a store's answer and the decision that rests on it, with room to spare. */
const AWAITS = 12;

export function createAgenda(startsAtMs = 1_700_000_000_000): Agenda {
  const heap: Entry[] = [];
  let timeMs = startsAtMs;
  let turn = 0;
  let unsettled = false;

  const isBefore = (one: Entry, other: Entry) =>
    one.timeMs < other.timeMs || (one.timeMs === other.timeMs && one.turn < other.turn);
  const swap = (i: number, j: number) => {
    const [one, other] = [heap[i], heap[j]];
    if (one && other) [heap[i], heap[j]] = [other, one];
  };
  const ordered = (i: number, j: number) => {
    const [one, other] = [heap[i], heap[j]];
    return one === undefined || other === undefined || !isBefore(other, one);
  };
  const push = (entry: Entry) => {
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (ordered(parent, at)) return;
      swap(parent, at);
      at = parent;
    }
  };
  const pop = (): Entry | undefined => {
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const child = ordered(left, right) ? left : right;
      if (ordered(at, child)) return first;
      swap(at, child);
      at = child;
    }
  };

  const agenda: Agenda = {
    now: () => Math.floor(timeMs),
    at: (when, run) => push({ timeMs: when, turn: turn++, run }),
    after: (delayMs, run) => agenda.at(timeMs + delayMs, run),
    settled() {
      unsettled = true;
    },
    async runUntil(endMs) {
      for (;;) {
        const next = heap[0];
        if (next === undefined || next.timeMs > endMs) return;
        pop();
        timeMs = next.timeMs;
        next.run();
        if (!unsettled) continue;
        unsettled = false;
        for (let i = 0; i < AWAITS; i++) await null;
      }
    },
  };
  return agenda;
}
