import { calculateJwkThumbprint, type JWK } from 'jose';

/** Algorithms an assertion may be signed with, as `alg` of the JOSE header. */
export type AssertionAlgorithm = 'EdDSA' | 'ES256';

/** A JWK whose shape has been checked; its arithmetic has not (see `loadAssertionKey`). */
export interface AssertionKey {
  readonly algorithm: AssertionAlgorithm;
  /** Exactly the members of the key itself (RFC 7518 §6.2, RFC 8037 §2), private one included; without `d` it only verifies. */
  readonly jwk: Readonly<Record<'kty' | 'crv' | 'x', string>> & { readonly y?: string; readonly d?: string };
  /** `kid` as given, or null: then the RFC 7638 thumbprint is used. */
  readonly kid: string | null;
}

/** A key ready for use. `publicJwk` is what the key set publishes and holds no private member. */
export interface LoadedAssertionKey {
  readonly algorithm: AssertionAlgorithm;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export type ParsedAssertionKey =
  | { readonly ok: true; readonly key: AssertionKey }
  | { readonly ok: false; readonly problem: string };

/** base64url of exactly 32 bytes, unused bits zero. */
const THIRTY_TWO_BYTES = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const KEY_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * Reads a private JWK (RFC 7517) for Ed25519 (`EdDSA`) or P-256 (`ES256`); where one `verifiesOnly`, a public one too. A problem names the member at fault and never
 * tells a value. Does not check that the private and the public members belong together: that needs cryptography and
 * is `loadAssertionKey`'s part.
 */
export function parseAssertionKey(text: string, verifiesOnly = false): ParsedAssertionKey {
  const refuse = (problem: string): ParsedAssertionKey => ({ ok: false, problem });
  let jwk: unknown;
  try {
    jwk = JSON.parse(text);
  } catch {
    return refuse('not JSON');
  }
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return refuse('not a JSON object');
  const member = (name: string): unknown => (Object.hasOwn(jwk, name) ? Reflect.get(jwk, name) : undefined);
  const [kty, crv, x, y, d] = [member('kty'), member('crv'), member('x'), member('y'), member('d')];

  const okp = kty === 'OKP' && crv === 'Ed25519';
  const ec = kty === 'EC' && crv === 'P-256';
  if (!okp && !ec) return refuse('`kty` and `crv` are neither `OKP` with `Ed25519` nor `EC` with `P-256`');
  const algorithm: AssertionAlgorithm = okp ? 'EdDSA' : 'ES256';
  const isPublic = d === undefined;
  if (isPublic && !verifiesOnly) return refuse('`d` is missing: this is a public key');
  if (!isPublic && !is32Bytes(d)) return refuse('`d` is not base64url of 32 bytes');
  if (!is32Bytes(x)) return refuse('`x` is not base64url of 32 bytes');
  if (ec && !is32Bytes(y)) return refuse('`y` is not base64url of 32 bytes');
  if (member('alg') !== undefined && member('alg') !== algorithm) return refuse(`\`alg\` is not \`${algorithm}\``);
  if (member('use') !== undefined && member('use') !== 'sig') return refuse('`use` is not `sig`');
  const operations = member('key_ops');
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('sign'))) {
    return refuse('`key_ops` does not list `sign`');
  }
  const kid = member('kid');
  if (kid !== undefined && !(typeof kid === 'string' && KEY_ID.test(kid))) {
    return refuse('`kid` is not 1 to 128 visible ASCII characters');
  }
  const key = { kty, crv, x, ...(isPublic ? {} : { d: String(d) }), ...(ec ? { y: String(y) } : {}) };
  return { ok: true, key: { algorithm, jwk: key, kid: kid ?? null } };
}

function is32Bytes(value: unknown): value is string {
  return typeof value === 'string' && THIRTY_TWO_BYTES.test(value);
}

/** The same algorithms as Web Cryptography spells them, for a key and for a signature alike. */
const webCryptography: { readonly [A in AssertionAlgorithm]: Algorithm | (EcKeyImportParams & EcdsaParams) } = {
  EdDSA: { name: 'Ed25519' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
};

/** Keys that were imported, so that the proof at the start and the first signature share one import. */
const loadedKeys = new WeakMap<AssertionKey, LoadedAssertionKey>();

/**
 * Imports a key once, non-extractable, and proves by a signature that its private and public members belong together.
 * Returns null where they do not, or where the runtime cannot import it: with such a key no verifier would accept anything.
 */
export async function loadAssertionKey(key: AssertionKey): Promise<LoadedAssertionKey | null> {
  const known = loadedKeys.get(key);
  if (known !== undefined) return known;
  const { algorithm, jwk } = key;
  const { d: _private, ...bare } = jwk;
  const kid = await assertionKeyId(key);
  const publicJwk: JWK = { ...bare, kid, alg: algorithm, use: 'sig' };
  try {
    const cryptography = webCryptography[algorithm];
    const privateKey = await crypto.subtle.importKey('jwk', { ...jwk }, cryptography, false, ['sign']);
    const publicKey = await crypto.subtle.importKey('jwk', { ...bare }, cryptography, false, ['verify']);
    const signed = new Uint8Array(1);
    const signature = await crypto.subtle.sign(cryptography, privateKey, signed);
    if (!(await crypto.subtle.verify(cryptography, publicKey, signature, signed))) return null;
    const loaded = { algorithm, kid, privateKey, publicJwk };
    loadedKeys.set(key, loaded);
    return loaded;
  } catch {
    return null;
  }
}

/** The key's `kid`, or its thumbprint (RFC 7638) when none was given. */
export async function assertionKeyId({ jwk, kid }: AssertionKey): Promise<string> {
  const { d: _private, ...bare } = jwk;
  return kid ?? (await calculateJwkThumbprint(bare, 'sha256'));
}

/** Whether the runtime can verify with the public members: they are a point of the curve. */
export async function isPublicKeyUsable({ algorithm, jwk }: AssertionKey): Promise<boolean> {
  const { d: _private, ...bare } = jwk;
  try {
    await crypto.subtle.importKey('jwk', { ...bare }, webCryptography[algorithm], false, ['verify']);
    return true;
  } catch {
    return false;
  }
}
