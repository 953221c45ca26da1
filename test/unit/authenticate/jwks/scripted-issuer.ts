import type { Sleep } from '../../../../lib/authenticate/jwks/key-set-fetch.ts';
import type { Fetch, RequestContext } from '../../../../lib/decision/ports.ts';

/** Time that moves only when told to, or when nothing else is left to happen. */
export function createScriptedTime(startMs = 1_800_000_000_000) {
  let nowMs = startMs;
  let timers: { atMs: number; ring: () => void }[] = [];

  const sleep: Sleep = (milliseconds, signal) =>
    new Promise((resolve) => {
      const timer = { atMs: nowMs + Math.max(0, milliseconds), ring: resolve };
      timers.push(timer);
      signal?.addEventListener('abort', () => {
        timers = timers.filter((other) => other !== timer);
        resolve();
      });
    });

  /** Lets everything happen that waits for no timer. */
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };

  const ringUntil = async (untilMs: number, stop: () => boolean) => {
    await settle();
    while (!stop()) {
      const next = timers.toSorted((one, other) => one.atMs - other.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      timers = timers.filter((other) => other !== next);
      nowMs = Math.max(nowMs, next.atMs);
      next.ring();
      await settle();
    }
  };

  return {
    clock: () => nowMs,
    sleep,
    settle,
    /** Moves on by `milliseconds`; timers on the way ring in order. */
    async pass(milliseconds: number) {
      const untilMs = nowMs + milliseconds;
      await ringUntil(untilMs, () => false);
      nowMs = untilMs;
      await settle();
    },
    /** Sets the clock, as an operator or a time server may: timers do not notice. */
    setBack(milliseconds: number) {
      nowMs -= milliseconds;
    },
    /** Moves on until `work` is done, and gives its result. */
    async finish<T>(work: T | Promise<T>): Promise<T> {
      let done = false;
      const result = Promise.resolve(work).finally(() => {
        done = true;
      });
      result.catch(() => undefined);
      await ringUntil(Number.POSITIVE_INFINITY, () => done);
      if (!done) throw new Error('waits for something that will never happen');
      return result;
    },
    pendingTimers: () => timers.length,
  };
}

/** What an issuer does with one request for its key set. */
export type Behaviour = (signal: AbortSignal) => Response | Promise<Response>;

export function answers(body: BodyInit | null, init: ResponseInit = {}): Behaviour {
  return () => new Response(body, init);
}

export const refusesConnections: Behaviour = () => Promise.reject(new TypeError('fetch failed'));

/** Keeps the connection open, says nothing and ignores the signal. */
export const hangs: Behaviour = () => new Promise(() => undefined);

/** Sends the header section and then nothing more. */
export const stallsInTheBody: Behaviour = () =>
  new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode('{"keys":[')) }));

/** A body of `totalBytes`; `sent.bytes` counts how much of it was drawn. */
export function sendsMuch(totalBytes: number, sent: { bytes: number }): Behaviour {
  return () =>
    new Response(
      new ReadableStream({
        pull(body) {
          if (sent.bytes >= totalBytes) return body.close();
          sent.bytes += 65_536;
          body.enqueue(new Uint8Array(65_536).fill(0x20));
        },
      }),
    );
}

/** A `fetch` that counts, and behaves as the script says at the time. */
export interface ScriptedIssuer {
  behaviour: Behaviour;
  fetches: number;
  readonly requests: { readonly url: string; readonly init: RequestInit }[];
  readonly fetch: Fetch;
}

export function createScriptedIssuer(behaviour: Behaviour): ScriptedIssuer {
  const issuer: ScriptedIssuer = {
    behaviour,
    fetches: 0,
    requests: [],
    fetch: async (url, init = {}) => {
      issuer.fetches += 1;
      issuer.requests.push({ url, init });
      return issuer.behaviour(init.signal ?? new AbortController().signal);
    },
  };
  return issuer;
}

/** A context whose deferred work can be awaited. */
export function createContext(): RequestContext & { deferred: Promise<unknown>[] } {
  const deferred: Promise<unknown>[] = [];
  return { deferred, defer: (promise) => void deferred.push(promise) };
}
