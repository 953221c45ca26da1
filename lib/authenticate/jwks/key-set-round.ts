import type { Clock, RequestContext } from '../../decision/ports.ts';
import { type KeyRules, type KeySet, type KeySetProblem, parseKeySet, type UnusableKey } from './json-web-key-set.ts';
import { readCopy, type SharedCopy, writeCopy } from './key-set-copy.ts';
import type { Sleep } from './key-set-fetch.ts';
import type { KeySource, SourceProblem } from './key-source.ts';

export interface RoundSettings extends KeyRules {
  readonly ttlSeconds: number;
  readonly maxStaleSeconds: number;
  /** Deadline of one attempt, body included. */
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
  /** Pause after the first failed attempt; it doubles after each further one, up to `maxBackoffSeconds`. */
  readonly backoffSeconds: number;
  readonly maxBackoffSeconds: number;
}

export interface RoundParts {
  /** Where the text of the key set comes from. */
  readonly source: KeySource;
  /** For ages, rests and deadlines: nobody sets it. */
  readonly clock: Clock;
  /** For copies that other instances read; absent: the clock. */
  readonly wallClock?: Clock;
  readonly sleep: Sleep;
  /** Uniform in [0, 1), for jitter only. */
  readonly random: () => number;
  readonly shared?: SharedCopy;
}

/** A key set and when it was asked for. */
export interface HeldKeySet {
  readonly set: KeySet;
  readonly fetchedAtMs: number;
}

export interface RoundFailure {
  readonly problem: SourceProblem | KeySetProblem;
  readonly status: number | null;
  readonly attempts: number;
  /** The host that discovery was refused, for the operator to allow or not. */
  readonly host?: string;
  /** Why each key of a set is of no use, where none is. */
  readonly unusable: readonly UnusableKey[];
}

/** What a round needs of the state it works for. */
export interface Holder {
  held(): HeldKeySet | null;
  /** Takes a good set. Answers whether the round may end there. */
  adopt(taken: HeldKeySet): boolean;
}

/** A copy that is not there by then costs more than asking the issuer. */
const sharedReadMs = 250;

/** `milliseconds`, less up to half of them: instances that failed together do not come back together. */
export function jittered(milliseconds: number, random: () => number): number {
  return milliseconds * (1 - random() / 2);
}

/**
 * Gives the function that runs one round: the shared copy first, then up to `maxAttempts` attempts with backoff, all of it
 * over before `endsAtMs`. Resolves to null when a good set was adopted. An answer that is wrong rather than missing ends the
 * round at once: asking again within a second will not change it. Never rejects.
 */
export function createRound(settings: RoundSettings, parts: RoundParts) {
  const { source, clock, wallClock = clock, sleep, random, shared } = parts;
  const { maxAttempts } = settings;

  const take = async (text: string, fetchedAtMs: number, holder: Holder) => {
    const parsed = await parseKeySet(text, settings, holder.held()?.set ?? null);
    return 'set' in parsed ? holder.adopt({ set: parsed.set, fetchedAtMs }) : parsed;
  };

  const takeShared = async (holder: Holder): Promise<boolean> => {
    if (!shared || source.copyName === null) return false;
    const timer = new AbortController();
    const late = sleep(sharedReadMs, timer.signal).then(() => null);
    const text = await Promise.race([readShared(shared), late]);
    timer.abort();
    const copy = text === null ? null : readCopy(text, source.copyName, wallClock());
    if (copy === null) return false;
    const fetchedAtMs = clock() - (wallClock() - copy.fetchedAtMs);
    if (fetchedAtMs <= (holder.held()?.fetchedAtMs ?? Number.NEGATIVE_INFINITY)) return false;
    return (await take(copy.text, fetchedAtMs, holder)) === true;
  };

  return async (holder: Holder, context: RequestContext, endsAtMs: number): Promise<RoundFailure | null> => {
    if (await takeShared(holder)) return null;
    for (let attempts = 1; ; attempts++) {
      const startedAtMs = clock();
      const wallMs = wallClock();
      const timeoutMs = Math.min(settings.timeoutSeconds * 1000, endsAtMs - startedAtMs);
      const fetched = await source.read(timeoutMs);
      if ('text' in fetched) {
        const taken = await take(fetched.text, startedAtMs, holder);
        if (typeof taken === 'object') return { ...taken, status: 200, attempts };
        if (shared && source.copyName !== null && holder.held()?.fetchedAtMs === startedAtMs) {
          const copy = writeCopy({ url: source.copyName, fetchedAtMs: wallMs, text: fetched.text });
          context.defer(writeShared(shared, copy, settings.ttlSeconds + settings.maxStaleSeconds));
        }
        return null;
      }
      const { problem, status, transient, host } = fetched;
      const backoffSeconds = Math.min(settings.maxBackoffSeconds, settings.backoffSeconds * 2 ** (attempts - 1));
      const pauseMs = jittered(backoffSeconds * 1000, random);
      if (!transient || attempts >= maxAttempts || clock() + pauseMs >= endsAtMs)
        return { problem, status, attempts, unusable: [], ...(host === undefined ? {} : { host }) };
      await sleep(pauseMs);
    }
  };
}

async function readShared(shared: SharedCopy): Promise<string | null> {
  try {
    return await shared.read();
  } catch {
    return null;
  }
}

async function writeShared(shared: SharedCopy, text: string, ttlSeconds: number): Promise<void> {
  try {
    await shared.write(text, ttlSeconds);
  } catch {
    // The next instance asks the issuer, then.
  }
}
