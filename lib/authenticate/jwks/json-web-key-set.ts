import { isJsonObject, member, parseStrictJson } from '../../codec/strict-json.ts';
import type { KeyCheck } from '../../decision/reason.ts';
import type { KeyAnswer, VerificationKey } from '../jwt/keys.ts';
import { type CheckedJwk, checkJwk, importJwk, unfitness } from './json-web-key.ts';

/** A key set that was validated and imported: plain data and CryptoKeys, so that it may outlive a request anywhere. */
export interface KeySet {
  /**
   * The keys for a token's `kid` and `alg`; null stands for no `kid`, and then every suitable key may do. The same
   * question gives the same object. An algorithm that is not allowed finds no key.
   */
  find(keyId: string | null, algorithm: string): KeyAnswer;
  /** Every imported key by what it is made of, so that the next set can keep the same objects. */
  readonly keys: ReadonlyMap<string, VerificationKey>;
  /** JWKs that serve no allowed algorithm (RFC 7517 §5: ignored). */
  readonly ignored: number;
  /** JWKs refused because a private or symmetric member was published with them. */
  readonly exposed: number;
}

export type KeySetProblem = 'not_json' | 'not_a_key_set' | 'too_many_keys' | 'no_usable_key';

/** A key of a set that serves no allowed algorithm, and the first thing that is in the way. */
export interface UnusableKey {
  readonly keyId: string | null;
  readonly check: KeyCheck;
}

/** What a key of one issuer must be fit for. */
export interface KeyRules {
  readonly algorithms: readonly string[];
  /** `use` values of keys that verify tokens (RFC 7517 §4.2); `sig`, and `jwt-svid` in a SPIFFE bundle. */
  readonly uses: readonly string[];
}

/** Far more than any issuer has; each is imported once for every algorithm it serves. */
const maximumKeys = 100;
/** A signature costs processor time to check: no token may cost more than this many. */
const mostTried = 4;

export const keyUnknown: KeyAnswer = Object.freeze<KeyAnswer>({
  found: 'none',
  reason: { reason: 'token_key_unknown' },
});

/**
 * Validates and imports the text of a key set (RFC 7517 §5). A JWK that serves none of the algorithms is ignored; a set
 * that is left with no usable key is refused whole. A JWK that `previous` had too keeps its VerificationKey objects.
 * Never throws. Does not bound the text: whoever fetched it did.
 */
export async function parseKeySet(
  text: string,
  { algorithms, uses }: KeyRules,
  previous: KeySet | null,
): Promise<{ readonly set: KeySet } | { readonly problem: KeySetProblem; readonly unusable: readonly UnusableKey[] }> {
  const body = parseStrictJson(text);
  if (body === undefined) return { problem: 'not_json', unusable: [] };
  const members = isJsonObject(body) ? member(body, 'keys') : undefined;
  if (!Array.isArray(members)) return { problem: 'not_a_key_set', unusable: [] };
  if (members.length > maximumKeys) return { problem: 'too_many_keys', unusable: [] };

  const jwks = members.map((jwk) => checkJwk(jwk, uses)).filter((jwk) => jwk !== null);
  const entries = await Promise.all(jwks.map((jwk) => importEntry(jwk, algorithms, previous)));
  const keys = new Map(entries.flatMap((entry) => [...entry.fits.values()]));
  if (keys.size === 0)
    return { problem: 'no_usable_key', unusable: entries.map(({ jwk }) => unusableKey(jwk, algorithms)) };

  const index = new Map(algorithms.map((algorithm) => [algorithm, indexFor(algorithm, entries)]));
  return {
    set: {
      find(keyId, algorithm) {
        const answers = index.get(algorithm);
        if (answers === undefined) return keyUnknown;
        return keyId === null ? answers.unnamed : (answers.named.get(keyId) ?? keyUnknown);
      },
      keys,
      ignored: members.length - entries.filter((entry) => entry.fits.size > 0).length,
      exposed: jwks.filter((jwk) => jwk.flaw === 'private').length,
    },
  };
}

/** A JWK with the keys imported from it, by algorithm: each with what it is made of. */
interface Entry {
  readonly jwk: CheckedJwk;
  readonly fits: ReadonlyMap<string, readonly [identity: string, key: VerificationKey]>;
}

async function importEntry(jwk: CheckedJwk, algorithms: readonly string[], previous: KeySet | null): Promise<Entry> {
  const fits = new Map<string, readonly [string, VerificationKey]>();
  for (const algorithm of algorithms) {
    if (unfitness(jwk, algorithm) !== null) continue;
    const { kty, crv, n, e, x, y } = jwk.material;
    const identity = JSON.stringify([algorithm, jwk.keyId, kty, crv, n, e, x, y]);
    const kept = previous?.keys.get(identity);
    const imported = kept ? null : await importJwk(jwk, algorithm);
    if (kept) fits.set(algorithm, [identity, kept]);
    else if (imported) fits.set(algorithm, [identity, { keyId: jwk.keyId, algorithm, key: imported }]);
    else return { jwk: { ...jwk, flaw: 'value' }, fits: new Map() };
  }
  return { jwk, fits };
}

function indexFor(algorithm: string, entries: readonly Entry[]) {
  const candidates = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { keyId } = entry.jwk;
    if (keyId === null) continue;
    const sameName = candidates.get(keyId);
    if (sameName) sameName.push(entry);
    else candidates.set(keyId, [entry]);
  }
  const fit = entries.filter((entry) => entry.fits.has(algorithm));
  return {
    named: new Map([...candidates].map(([keyId, sameName]) => [keyId, answerAmong(sameName, algorithm)])),
    unnamed: answerAmong(fit, algorithm),
  };
}

/** The first keys that serve the algorithm; the same key listed twice is one key. */
function answerAmong(candidates: readonly Entry[], algorithm: string): KeyAnswer {
  const distinct = new Map(candidates.map((entry) => entry.fits.get(algorithm)).filter((fit) => fit !== undefined));
  if (distinct.size > 0) {
    const keys = Object.freeze([...distinct.values()].slice(0, mostTried));
    return Object.freeze<KeyAnswer>({ found: 'keys', keys, more: distinct.size > mostTried, stale: false });
  }
  const [unfit] = candidates;
  const check = unfit ? unfitness(unfit.jwk, algorithm) : null;
  return check === null
    ? keyUnknown
    : Object.freeze<KeyAnswer>({ found: 'none', reason: { reason: 'token_key_unfit', check } });
}

/**
 * The keys of a set that verify nothing, without importing any: for a check ahead of the start.
 *
 * @param text - the key set.
 * @param rules - what its keys must be fit for.
 * @returns what is wrong with the whole set, or null.
 * @example
 * keySetFault('{"keys":[]}', { algorithms: ['RS256'], uses: ['sig'] }); // 'no usable key'
 */
export function keySetFault(text: string, { algorithms, uses }: KeyRules): string | null {
  const body = parseStrictJson(text);
  const members = isJsonObject(body) ? member(body, 'keys') : undefined;
  if (!Array.isArray(members)) return 'no JSON Web Key Set';
  if (members.length > maximumKeys) return `more than ${maximumKeys} keys`;
  const jwks = members.map((jwk) => checkJwk(jwk, uses)).filter((jwk) => jwk !== null);
  if (jwks.some((jwk) => jwk.flaw === 'private')) return 'a private or symmetric key';
  if (jwks.some((jwk) => algorithms.some((algorithm) => unfitness(jwk, algorithm) === null))) return null;
  const reasons = jwks.map((jwk) => unusableKey(jwk, algorithms).check);
  return `no usable key${reasons.length === 0 ? '' : ` (${[...new Set(reasons)].join(', ')})`}`;
}

function unusableKey(jwk: CheckedJwk, algorithms: readonly string[]): UnusableKey {
  const [first = ''] = algorithms;
  return { keyId: jwk.keyId, check: jwk.flaw ?? unfitness(jwk, first) ?? 'value' };
}
