import { decodeBase64url } from '../../codec/base64url.ts';
import { isJsonObject, type JsonValue, member } from '../../codec/strict-json.ts';
import type { KeyCheck } from '../../decision/reason.ts';
import { minimumModulusBits, sameAlgorithm, signatureAlgorithms } from '../jwt/algorithms.ts';

/** One JWK of a set after checking: what it is, and the first thing that is wrong with it whatever the algorithm. */
export interface CheckedJwk {
  readonly keyId: string | null;
  /** `alg` that the issuer bound the key to, or null: then it serves every algorithm of its type. */
  readonly algorithm: string | null;
  /** The public members alone: nothing else of the JWK reaches the import. */
  readonly material: Readonly<{ kty: string; crv?: string; n?: string; e?: string; x?: string; y?: string }>;
  readonly flaw: KeyCheck | null;
}

/** Larger moduli only make verification dear. */
const maximumModulusBits = 8192;
/** BoringSSL takes no exponent longer than 33 bits; nobody uses more than four octets. */
const maximumExponentBytes = 4;
/** Octets of one coordinate on each curve (RFC 7518 §6.2.1.2, RFC 8037 §2). */
const coordinateBytes: ReadonlyMap<string, number> = new Map([
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
  ['Ed25519', 32],
]);
const signatureUse: readonly string[] = ['sig'];
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/**
 * Checks one member of `keys` (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2). Gives null for what cannot be named as a key at
 * all: no object, or a `kid` that is no string. Does not look at `x5c`, `x5t` or `x5u` (the TLS of the key set's own URL
 * vouches for the keys), and leaves it to the import to find a point off its curve.
 */
export function checkJwk(value: JsonValue, uses: readonly string[] = signatureUse): CheckedJwk | null {
  if (!isJsonObject(value)) return null;
  const kid = member(value, 'kid');
  const alg = member(value, 'alg');
  if (kid !== undefined && typeof kid !== 'string') return null;

  const text = (name: string): string => {
    const found = member(value, name);
    return typeof found === 'string' ? found : '';
  };
  const base = { keyId: kid ?? null, algorithm: typeof alg === 'string' ? alg : null };
  const kty = text('kty');
  const flawed = (flaw: KeyCheck): CheckedJwk => ({ ...base, material: { kty }, flaw });

  if (privateMembers.some((name) => Object.hasOwn(value, name))) return flawed('private');
  const use = member(value, 'use');
  if (use !== undefined && !(typeof use === 'string' && uses.includes(use))) return flawed('use');
  const operations = member(value, 'key_ops');
  if (operations !== undefined && !allowVerification(operations)) return flawed('key_ops');
  if (alg !== undefined && typeof alg !== 'string') return flawed('alg');

  switch (kty) {
    case 'RSA': {
      const [n, e] = [text('n'), text('e')];
      return { ...base, material: { kty, n, e }, flaw: rsaFlaw(decodeBase64url(n), decodeBase64url(e)) };
    }
    case 'EC': {
      const [crv, x, y] = [text('crv'), text('x'), text('y')];
      return { ...base, material: { kty, crv, x, y }, flaw: coordinateFlaw(crv, [x, y]) };
    }
    case 'OKP': {
      const [crv, x] = [text('crv'), text('x')];
      return { ...base, material: { kty, crv, x }, flaw: coordinateFlaw(crv, [x]) };
    }
    default:
      return flawed('kty');
  }
}

/** What keeps `jwk` from verifying `algorithm`, or null when nothing does. */
export function unfitness(jwk: CheckedJwk, algorithm: string): KeyCheck | null {
  if (jwk.flaw !== null) return jwk.flaw;
  const needed = signatureAlgorithms.get(algorithm);
  if (needed?.keyType !== jwk.material.kty) return 'kty';
  if (jwk.algorithm !== null && !sameAlgorithm(jwk.algorithm, algorithm)) return 'alg';
  if (needed.curve !== null && needed.curve !== jwk.material.crv) return 'curve';
  return null;
}

/**
 * Imports a key that is fit for `algorithm`, for verification only; extractable, since it is public and a runtime may have
 * a form of its own for it. Gives null where the runtime refuses it, as it does a point that is not on its curve.
 */
export async function importJwk(jwk: CheckedJwk, algorithm: string): Promise<CryptoKey | null> {
  const parameters = signatureAlgorithms.get(algorithm)?.importParameters;
  if (parameters === undefined) return null;
  try {
    return await crypto.subtle.importKey('jwk', { ...jwk.material }, parameters, true, ['verify']);
  } catch {
    return null;
  }
}

/** RFC 7517 §4.3: an array of strings, none twice. */
function allowVerification(operations: JsonValue): boolean {
  return (
    Array.isArray(operations) &&
    operations.every((operation) => typeof operation === 'string') &&
    new Set(operations).size === operations.length &&
    operations.includes('verify')
  );
}

function rsaFlaw(n: Uint8Array | null, e: Uint8Array | null): KeyCheck | null {
  if (n === null || e === null || e.length > maximumExponentBytes) return 'value';
  const exponent = e.reduce((value, octet) => value * 256 + octet, 0);
  if (exponent < 3 || exponent % 2 === 0 || ((n.at(-1) ?? 0) & 1) === 0) return 'value';
  const bits = bitLength(n);
  return bits < minimumModulusBits || bits > maximumModulusBits ? 'size' : null;
}

/** Some issuers put a zero octet before the modulus (RFC 7518 §6.3.1.1 warns of it): it adds nothing to the length. */
function bitLength(number: Uint8Array): number {
  const first = number.findIndex((octet) => octet !== 0);
  const octet = number[first];
  return octet === undefined ? 0 : (number.length - first) * 8 - (Math.clz32(octet) - 24);
}

function coordinateFlaw(crv: string, coordinates: readonly string[]): KeyCheck | null {
  const bytes = coordinateBytes.get(crv);
  if (bytes === undefined) return 'curve';
  return coordinates.every((text) => decodeBase64url(text)?.length === bytes) ? null : 'value';
}
