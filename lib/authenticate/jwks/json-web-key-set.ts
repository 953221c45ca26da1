import { isJsonObject, member, parseStrictJson } from '../../codec/strict-json.ts';
import type { KeyAnswer, VerificationKey } from '../jwt/keys.ts';
import { type CheckedJwk, checkJwk, importJwk, unfitness } from './json-web-key.ts';

/** A key set that was validated and imported: plain data and CryptoKeys, so that it may outlive a request anywhere. */
export interface KeySet {
  /**
   * The key for a token's `kid` and `alg`; null stands for no `kid`, and then only one suitable key will do. The same
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

/** Far more than any issuer has; each is imported once for every algorithm it serves. */
const maximumKeys = 100;

export const keyUnknown: KeyAnswer = Object.freeze<KeyAnswer>({
  found: 'none',
  reason: { reason: 'token_key_unknown' },
});
const keyAmbiguous: KeyAnswer = Object.freeze<KeyAnswer>({ found: 'none', reason: { reason: 'token_key_ambiguous' } });

/**
 * Validates and imports the text of a key set (RFC 7517 §5). A JWK that serves none of `algorithms` is ignored; a set
 * that is left with no usable key is refused whole. A JWK that `previous` had too keeps its VerificationKey objects.
 * Never throws. Does not bound the text: whoever fetched it did.
 */
export async function parseKeySet(
  text: string,
  algorithms: readonly string[],
  previous: KeySet | null,
): Promise<{ readonly set: KeySet } | { readonly problem: KeySetProblem }> {
  const body = parseStrictJson(text);
  if (body === undefined) return { problem: 'not_json' };
  const members = isJsonObject(body) ? member(body, 'keys') : undefined;
  if (!Array.isArray(members)) return { problem: 'not_a_key_set' };
  if (members.length > maximumKeys) return { problem: 'too_many_keys' };

  const jwks = members.map(checkJwk).filter((jwk) => jwk !== null);
  const entries = await Promise.all(jwks.map((jwk) => importEntry(jwk, algorithms, previous)));
  const keys = new Map(entries.flatMap((entry) => [...entry.fits.values()]));
  if (keys.size === 0) return { problem: 'no_usable_key' };

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

/** Two keys under one `kid` that serve the same algorithm are ambiguous; the same key listed twice is one key. */
function answerAmong(candidates: readonly Entry[], algorithm: string): KeyAnswer {
  const distinct = new Map(candidates.map((entry) => entry.fits.get(algorithm)).filter((fit) => fit !== undefined));
  const [key, another] = distinct.values();
  if (another !== undefined) return keyAmbiguous;
  if (key !== undefined) return Object.freeze<KeyAnswer>({ found: 'key', key, stale: false });
  const [unfit] = candidates;
  const check = unfit ? unfitness(unfit.jwk, algorithm) : null;
  return check === null
    ? keyUnknown
    : Object.freeze<KeyAnswer>({ found: 'none', reason: { reason: 'token_key_unfit', check } });
}
