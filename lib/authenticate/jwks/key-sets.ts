import type { Log, RequestContext } from '../../decision/ports.ts';
import type { KeyAnswer, KeyQuery, KeySets, VerificationKey } from '../jwt/keys.ts';
import { type KeySet, keyUnknown } from './json-web-key-set.ts';
import { createOutage } from './key-set-outage.ts';
import { createRound, type HeldKeySet, type RoundParts, type RoundSettings } from './key-set-round.ts';
import { createRefetchBudget, refetchSpacingMs } from './refetch-budget.ts';

export interface KeySetSettings extends RoundSettings {
  /** The issuer whose keys these are, for the log; null where any issuer is accepted. */
  readonly issuer: string | null;
}

export interface KeySetParts extends RoundParts {
  readonly log: Log;
  /**
   * Whether a request may await a promise that another request made. On Workers it must not (panva/jose#355): such a
   * request looks at the state from time to time instead, under a timer of its own.
   */
  readonly sharePromises: boolean;
}

export interface KeySetState {
  /** Keys that may verify a token now. */
  readonly keys: number;
  /** Age of the set, whether it still counts or not; null before the first. */
  readonly ageSeconds: number | null;
  /** Why the last refresh failed; null once one has succeeded. */
  readonly lastFailure: string | null;
  /** Whether the configuration must change before any key can be used. */
  readonly misconfigured: boolean;
}

export interface ManagedKeySets extends KeySets {
  /** Loads the set ahead of the first request. Resolves when that has been tried; never rejects. */
  warm(context: RequestContext): Promise<void>;
  state(): KeySetState;
}

/** A set is refreshed in the background from this share of its lifetime on, a little earlier by chance. */
const refreshAfterShare = 0.9;
/** A clock that was set back by less does not age a set. */
const clockStepMs = 60_000;
const firstLookMs = 10;
const longestLookMs = 100;

/**
 * The keys of one issuer, fetched from its key set URL and kept in memory; `shared` spares the issuer when many instances
 * start. Rules, besides those of a round (`createRound`):
 *
 * - A set is fresh for `ttlSeconds` and refreshed in the background before that ends. Past it a request waits for the
 *   refresh, once: while the issuer fails, requests are answered at once from the last good set, marked stale, for
 *   `maxStaleSeconds` more, and then `unavailable`.
 * - One round at a time, at most twice `timeoutSeconds` long. After a failed one the issuer rests (first for
 *   `maxBackoffSeconds`, doubling to 30 s, with jitter), so that a dead issuer costs neither a fetch nor a wait per request.
 * - A newer set replaces the older whole: a key that is not in it is dead at once. A failed or invalid answer replaces
 *   nothing.
 * - An unknown `kid` causes a refetch within the bounds of `createRefetchBudget`. Past them it is unknown (the set is
 *   fresh, so that is what the issuer says); but while the issuer cannot be asked it is `unavailable`, since a token under
 *   a key that was published meanwhile would be refused for our outage.
 *
 * The state is plain data and CryptoKeys, so it may live in a Worker's module scope; with `sharePromises` false no promise
 * and no I/O object is ever in it.
 */
export function createKeySets(settings: KeySetSettings, parts: KeySetParts): ManagedKeySets {
  const { clock, sleep, random, log } = parts;
  const ttlMs = settings.ttlSeconds * 1000;
  const lastMs = ttlMs + settings.maxStaleSeconds * 1000;
  const runRound = createRound(settings, parts);
  const mayRefetch = createRefetchBudget();
  const outage = createOutage(settings, parts);

  let held: HeldKeySet | null = null;
  let refreshAfterMs = 0;
  let rounds = 0;
  let running: { readonly round: number; readonly endsAtMs: number; readonly done: Promise<void> | null } | null = null;

  /** Infinite without a set, and when the clock was set back by much: then nothing is known about the age. */
  const ageMs = (nowMs: number): number =>
    held === null || held.fetchedAtMs - nowMs > clockStepMs
      ? Number.POSITIVE_INFINITY
      : Math.max(0, nowMs - held.fetchedAtMs);
  const isRunning = (nowMs: number): boolean => running !== null && nowMs < running.endsAtMs;

  const adopt = (taken: HeldKeySet, wanted: Wanted | null): boolean => {
    const nowMs = clock();
    // A round that was given up for lost may still end: what it brings must not replace something newer.
    if (held !== null && taken.fetchedAtMs < held.fetchedAtMs && held.fetchedAtMs <= nowMs) return true;
    logChange(held?.set, taken.set, settings.issuer, log);
    held = taken;
    refreshAfterMs = ttlMs * (refreshAfterShare - random() / 10);
    const age = ageMs(nowMs);
    const answersIt =
      wanted === null || age < refetchSpacingMs || isNews(taken.set.find(wanted.keyId, wanted.algorithm), wanted.tried);
    return age < refreshAfterMs && answersIt;
  };

  const start = (context: RequestContext, wanted: Wanted | null): Promise<void> => {
    const round = ++rounds;
    const endsAtMs = clock() + settings.timeoutSeconds * 2000;
    const holder = { held: () => held, adopt: (taken: HeldKeySet) => adopt(taken, wanted) };
    const done = runRound(holder, context, endsAtMs).then((failure) => {
      if (running?.round === round) running = null;
      if (failure) outage.fail(failure, ageMs(clock()) < lastMs);
      else outage.end();
    });
    running = { round, endsAtMs, done: parts.sharePromises ? done : null };
    // Deferred in any case, so that a caller who hangs up does not take the round down with it.
    context.defer(done);
    return done;
  };

  /** Waits for a round that another request runs, no longer than that may last. */
  const attend = async (): Promise<void> => {
    const round = running?.round;
    if (running?.done) return running.done;
    for (let lookMs = firstLookMs; running?.round === round && isRunning(clock()); lookMs *= 2)
      await sleep(Math.min(lookMs, longestLookMs));
  };

  const answer = (query: KeyQuery): KeyAnswer => {
    const nowMs = clock();
    const age = ageMs(nowMs);
    const found = held !== null && age < lastMs ? held.set.find(query.keyId, query.algorithm) : null;
    if (found === null || (found === keyUnknown && outage.isOngoing()))
      return {
        found: 'unavailable',
        retryAfterSeconds: outage.isConfigurationFault() ? null : Math.max(1, Math.ceil(outage.restMs(nowMs) / 1000)),
      };
    return found.found === 'keys' && age >= ttlMs ? { ...found, stale: true } : found;
  };

  return {
    find(query, context, mayFetch) {
      const nowMs = clock();
      const age = ageMs(nowMs);
      const found = held?.set.find(query.keyId, query.algorithm) ?? keyUnknown;
      const due = age >= refreshAfterMs || outage.isOngoing();
      if (!due && found !== keyUnknown) return found;

      const wanted = found === keyUnknown && mayFetch ? { ...query, tried: noKeys } : null;
      const usable = age < ttlMs || (age < lastMs && outage.isOngoing());
      const worthWaiting = !usable || wanted !== null;
      if (isRunning(nowMs))
        // During an outage nobody waits but the request that asks the issuer.
        return worthWaiting && !outage.isOngoing() ? attend().then(() => answer(query)) : answer(query);
      if (outage.restMs(nowMs) > 0 || !(due || (wanted !== null && mayRefetch(nowMs)))) return answer(query);
      const done = start(context, wanted);
      return worthWaiting ? done.then(() => answer(query)) : answer(query);
    },

    findAgain(query, tried, context, mayFetch) {
      const nowMs = clock();
      const known = answer(query);
      // Another request may have brought the new key while this one was verifying.
      if (isNews(known, tried) || known.found === 'unavailable') return known;
      if (isRunning(nowMs)) return outage.isOngoing() ? known : attend().then(() => answer(query));
      if (!mayFetch || outage.restMs(nowMs) > 0 || !mayRefetch(nowMs)) return known;
      return start(context, { ...query, tried }).then(() => answer(query));
    },

    async warm(context) {
      const nowMs = clock();
      if (ageMs(nowMs) < refreshAfterMs || outage.restMs(nowMs) > 0) return;
      await (isRunning(nowMs) ? attend() : start(context, null));
    },

    state() {
      const age = ageMs(clock());
      return {
        keys: held !== null && age < lastMs ? held.set.keys.size : 0,
        ageSeconds: Number.isFinite(age) ? Math.floor(age / 1000) : null,
        lastFailure: outage.cause(),
        misconfigured: outage.isConfigurationFault(),
      };
    },
  };
}

/** What a round is to find besides a fresh set: an answer with a key that has not been tried. */
interface Wanted extends KeyQuery {
  readonly tried: readonly VerificationKey[];
}

const noKeys: readonly VerificationKey[] = [];

/** Whether an answer holds a key that was not tried; without any tried ones, whether it is an answer at all. */
function isNews(answer: KeyAnswer, tried: readonly VerificationKey[]): boolean {
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
