import type { Log, RequestContext } from '../../decision/ports.ts';
import type { KeyAnswer, KeyQuery, KeySets } from '../jwt/keys.ts';
import { createHeldKeySet, type HeldSettings, isNews, noKeys } from './held-key-set.ts';
import { keyUnknown } from './json-web-key-set.ts';
import { createOutage } from './key-set-outage.ts';
import { createRound, type HeldKeySet, type RoundParts, type RoundSettings } from './key-set-round.ts';
import { createRounds } from './key-set-rounds.ts';
import { createRefetchBudget } from './refetch-budget.ts';

export interface KeySetSettings extends RoundSettings, HeldSettings {}

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
  const { clock } = parts;
  const runRound = createRound(settings, parts);
  const mayRefetch = createRefetchBudget();
  const outage = createOutage(settings, parts);
  const held = createHeldKeySet(settings, parts);
  const rounds = createRounds(settings, {
    ...parts,
    async run(context, wanted, endsAtMs) {
      const holder = { held: held.held, adopt: (taken: HeldKeySet) => held.adopt(taken, wanted) };
      const failure = await runRound(holder, context, endsAtMs);
      if (failure) outage.fail(failure, held.counts(clock()));
      else outage.end();
    },
  });

  const answer = (query: KeyQuery): KeyAnswer => answerFrom(held, outage, query, clock());

  return {
    find(query, context, mayFetch) {
      const nowMs = clock();
      const found = held.find(query);
      const due = held.isDue(nowMs) || outage.isOngoing();
      if (!due && found !== keyUnknown) return found;

      const wanted = found === keyUnknown && mayFetch ? { ...query, tried: noKeys } : null;
      const usable = held.isFresh(nowMs) || (held.counts(nowMs) && outage.isOngoing());
      const worthWaiting = !usable || wanted !== null;
      if (rounds.isRunning(nowMs))
        // During an outage nobody waits but the request that asks the issuer.
        return worthWaiting && !outage.isOngoing() ? rounds.attend().then(() => answer(query)) : answer(query);
      if (outage.restMs(nowMs) > 0 || !(due || (wanted !== null && mayRefetch(nowMs)))) return answer(query);
      const done = rounds.start(context, wanted);
      return worthWaiting ? done.then(() => answer(query)) : answer(query);
    },

    findAgain(query, tried, context, mayFetch) {
      const nowMs = clock();
      const known = answer(query);
      // Another request may have brought the new key while this one was verifying.
      if (isNews(known, tried) || known.found === 'unavailable') return known;
      if (rounds.isRunning(nowMs)) return outage.isOngoing() ? known : rounds.attend().then(() => answer(query));
      if (!mayFetch || outage.restMs(nowMs) > 0 || !mayRefetch(nowMs)) return known;
      return rounds.start(context, { ...query, tried }).then(() => answer(query));
    },

    async warm(context) {
      const nowMs = clock();
      if (!held.isDue(nowMs) || outage.restMs(nowMs) > 0) return;
      await (rounds.isRunning(nowMs) ? rounds.attend() : rounds.start(context, null));
    },

    state: () => stateOf(held, outage, clock()),
  };
}

type Held = ReturnType<typeof createHeldKeySet>;
type Outage = ReturnType<typeof createOutage>;

/** The best answer without asking the issuer: fresh, stale, or none that counts. */
function answerFrom(held: Held, outage: Outage, query: KeyQuery, nowMs: number): KeyAnswer {
  const found = held.counts(nowMs) ? held.find(query) : null;
  if (found === null || (found === keyUnknown && outage.isOngoing()))
    return {
      found: 'unavailable',
      retryAfterSeconds: outage.isConfigurationFault() ? null : Math.max(1, Math.ceil(outage.restMs(nowMs) / 1000)),
    };
  return found.found === 'keys' && !held.isFresh(nowMs) ? { ...found, stale: true } : found;
}

function stateOf(held: Held, outage: Outage, nowMs: number): KeySetState {
  const age = held.ageMs(nowMs);
  return {
    keys: held.size(nowMs),
    ageSeconds: Number.isFinite(age) ? Math.floor(age / 1000) : null,
    lastFailure: outage.cause(),
    misconfigured: outage.isConfigurationFault(),
  };
}
