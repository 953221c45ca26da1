import type { KeyAnswer, KeyQuery } from '../jwt/keys.ts';
import { type KeyRules, type KeySet, type KeySetProblem, parseKeySet } from './json-web-key-set.ts';
import type { ManagedKeySets } from './key-sets.ts';

const unavailable: KeyAnswer = Object.freeze<KeyAnswer>({ found: 'unavailable', retryAfterSeconds: null });

/**
 * Keys that stand in the configuration: imported once, never fetched, never stale. The state is plain data, so it may live
 * in a Worker's module scope; two requests that come first may both import.
 *
 * @param text - the key set (RFC 7517 §5); the configuration has checked that it holds a usable key.
 * @param rules - what its keys must be fit for.
 * @returns the keys of one issuer.
 * @example
 * createFixedKeySets('{"keys":[…]}', { algorithms: ['ES256'], uses: ['sig'] });
 */
export function createFixedKeySets(text: string, rules: KeyRules): ManagedKeySets {
  let set: KeySet | null = null;
  let problem: KeySetProblem | null = null;

  const load = async (): Promise<void> => {
    const parsed = await parseKeySet(text, rules, null);
    if ('set' in parsed) set ??= parsed.set;
    else problem = parsed.problem;
  };
  const answer = ({ keyId, algorithm }: KeyQuery): KeyAnswer => set?.find(keyId, algorithm) ?? unavailable;
  const find = (query: KeyQuery) => (set || problem ? answer(query) : load().then(() => answer(query)));

  return {
    find,
    findAgain: find,
    warm: load,
    state: () => ({
      keys: set?.keys.size ?? 0,
      ageSeconds: set ? 0 : null,
      lastFailure: problem,
      misconfigured: problem !== null,
    }),
  };
}
