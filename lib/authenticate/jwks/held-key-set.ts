import type { Clock, Log } from '../../decision/ports.ts';
import type { KeyAnswer, KeyQuery, VerificationKey } from '../jwt/keys.ts';
import { type KeySet, keyUnknown } from './json-web-key-set.ts';
import type { HeldKeySet } from './key-set-round.ts';
import { refetchSpacingMs } from './refetch-budget.ts';

/** A set is refreshed in the background from this share of its lifetime on, a little earlier by chance. */
const refreshAfterShare = 0.9;
/** A clock that was set back by less does not age a set. */
const clockStepMs = 60_000;

export interface HeldSettings {
  /** The issuer whose keys these are, for the log; null where any issuer is accepted. */
  readonly issuer: string | null;
  readonly ttlSeconds: number;
  readonly maxStaleSeconds: number;
}

/** What a round is to find besides a fresh set: an answer with a key that has not been tried. */
export interface Wanted extends KeyQuery {
  readonly tried: readonly VerificationKey[];
}

/**
 * The last good key set of one issuer and its age: fresh for `ttlSeconds`, usable when nothing newer can be had for
 * `maxStaleSeconds` more. Knows nothing of who fetches.
 */
export function createHeldKeySet(
  settings: HeldSettings,
  { clock, random, log }: { readonly clock: Clock; readonly random: () => number; readonly log: Log },
) {
  const ttlMs = settings.ttlSeconds * 1000;
  const lastMs = ttlMs + settings.maxStaleSeconds * 1000;
  let held: HeldKeySet | null = null;
  let refreshAfterMs = 0;

  /** Infinite without a set, and when the clock was set back by much: then nothing is known about the age. */
  const ageMs = (nowMs: number): number =>
    held === null || held.fetchedAtMs - nowMs > clockStepMs
      ? Number.POSITIVE_INFINITY
      : Math.max(0, nowMs - held.fetchedAtMs);

  return {
    ageMs,
    held: (): HeldKeySet | null => held,
    /** Keys that count now. */
    size: (nowMs: number): number => (held !== null && ageMs(nowMs) < lastMs ? held.set.keys.size : 0),
    isDue: (nowMs: number): boolean => ageMs(nowMs) >= refreshAfterMs,
    isFresh: (nowMs: number): boolean => ageMs(nowMs) < ttlMs,
    counts: (nowMs: number): boolean => ageMs(nowMs) < lastMs,
    /** What the set says, however old it is. */
    find: (query: KeyQuery): KeyAnswer => held?.set.find(query.keyId, query.algorithm) ?? keyUnknown,
    /** Takes a newer set. True when it is fresh and answers what was `wanted`, so that nobody need ask again. */
    adopt(taken: HeldKeySet, wanted: Wanted | null): boolean {
      const nowMs = clock();
      // A round that was given up for lost may still end: what it brings must not replace something newer.
      if (held !== null && taken.fetchedAtMs < held.fetchedAtMs && held.fetchedAtMs <= nowMs) return true;
      logChange(held?.set, taken.set, settings.issuer, log);
      held = taken;
      refreshAfterMs = ttlMs * (refreshAfterShare - random() / 10);
      const age = ageMs(nowMs);
      const answersIt =
        wanted === null ||
        age < refetchSpacingMs ||
        isNews(taken.set.find(wanted.keyId, wanted.algorithm), wanted.tried);
      return age < refreshAfterMs && answersIt;
    },
  };
}

export const noKeys: readonly VerificationKey[] = [];

/** Whether an answer holds a key that was not tried; without any tried ones, whether it is an answer at all. */
export function isNews(answer: KeyAnswer, tried: readonly VerificationKey[]): boolean {
  if (tried.length === 0) return answer !== keyUnknown;
  return answer.found === 'keys' && answer.keys.some((key) => !tried.includes(key));
}

/** One line when keys came or went, or began to be published with their private part; none for more of the same. */
function logChange(before: KeySet | undefined, after: KeySet, issuer: string | null, log: Log): void {
  const added = [...after.keys.keys()].filter((key) => !before?.keys.has(key)).length;
  const removed = (before?.keys.size ?? 0) - (after.keys.size - added);
  if (added + removed === 0 && before?.exposed === after.exposed) return;
  log(after.exposed > 0 ? 'warn' : 'info', 'key_set_changed', {
    issuer,
    keys: after.keys.size,
    added,
    removed,
    ignored: after.ignored,
    private_keys_refused: after.exposed,
  });
}
