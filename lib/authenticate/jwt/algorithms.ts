import type { KeyCheck } from '../../decision/reason.ts';

/** How Web Cryptography spells one JWS algorithm (RFC 7518 §3, RFC 8037 §3.1). */
export interface SignatureAlgorithm {
  /** `kty` of a JWK that can serve it. */
  readonly keyType: 'RSA' | 'EC' | 'OKP' | 'oct';
  /** `crv` of such a JWK. */
  readonly curve: string | null;
  readonly importParameters: Readonly<RsaHashedImportParams | EcKeyImportParams | HmacImportParams | Algorithm>;
  readonly verifyParameters: Readonly<RsaPssParams | EcdsaParams | Algorithm>;
  /** Exact length of a signature; null: as long as the RSA modulus. */
  readonly signatureBytes: number | null;
}

function rsa(name: 'RSASSA-PKCS1-v1_5' | 'RSA-PSS', bits: 256 | 384 | 512): SignatureAlgorithm {
  return {
    keyType: 'RSA',
    curve: null,
    importParameters: { name, hash: `SHA-${bits}` },
    // RFC 7518 §3.5: the salt is as long as the hash. PKCS #1 v1.5 has none and ignores the member.
    verifyParameters: { name, saltLength: bits / 8 },
    signatureBytes: null,
  };
}

function ecdsa(curve: string, bits: 256 | 384 | 512, signatureBytes: number): SignatureAlgorithm {
  return {
    keyType: 'EC',
    curve,
    importParameters: { name: 'ECDSA', namedCurve: curve },
    verifyParameters: { name: 'ECDSA', hash: `SHA-${bits}` },
    signatureBytes,
  };
}

const ed25519: SignatureAlgorithm = {
  keyType: 'OKP',
  curve: 'Ed25519',
  importParameters: { name: 'Ed25519' },
  verifyParameters: { name: 'Ed25519' },
  signatureBytes: 64,
};

/** Every algorithm that may ever verify a token, by its case-sensitive name (RFC 7515 §4.1.1). `none` is not among them. */
export const signatureAlgorithms: ReadonlyMap<string, SignatureAlgorithm> = new Map<string, SignatureAlgorithm>([
  [
    'HS256',
    {
      keyType: 'oct',
      curve: null,
      importParameters: { name: 'HMAC', hash: 'SHA-256' },
      verifyParameters: { name: 'HMAC' },
      signatureBytes: 32,
    },
  ],
  ['RS256', rsa('RSASSA-PKCS1-v1_5', 256)],
  ['RS384', rsa('RSASSA-PKCS1-v1_5', 384)],
  ['RS512', rsa('RSASSA-PKCS1-v1_5', 512)],
  ['PS256', rsa('RSA-PSS', 256)],
  ['PS384', rsa('RSA-PSS', 384)],
  ['PS512', rsa('RSA-PSS', 512)],
  ['ES256', ecdsa('P-256', 256, 64)],
  ['ES384', ecdsa('P-384', 384, 96)],
  ['ES512', ecdsa('P-521', 512, 132)],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
]);

/** The names under which an allowed algorithm may stand in a token: `EdDSA` with Ed25519 has a second one (RFC 9864 §2.2). */
export function withSynonyms(algorithms: readonly string[]): readonly string[] {
  return [...new Set(algorithms.flatMap((name) => (isEd25519(name) ? ['EdDSA', 'Ed25519'] : [name])))];
}

/** Whether a key bound to one algorithm serves a token that names the other. */
export function sameAlgorithm(one: string, other: string): boolean {
  return one === other || (isEd25519(one) && isEd25519(other));
}

function isEd25519(name: string): boolean {
  return name === 'EdDSA' || name === 'Ed25519';
}

/** Shortest HS256 secret: as long as the hash (RFC 7518 §3.2). */
export const minimumSecretBytes = 32;

/** Shortest RSA modulus (RFC 7518 §3.3, §3.5). */
export const minimumModulusBits = 2048;

/** What a runtime says of a key. Some make it anew each time they are asked, for more than a claim set costs to read. */
interface KeyDescription {
  readonly type: string;
  readonly verifies: boolean;
  readonly algorithm: Partial<RsaHashedKeyAlgorithm & EcKeyAlgorithm> & KeyAlgorithm;
  readonly modulusBits: number;
}

const descriptions = new WeakMap<CryptoKey, KeyDescription>();

function describe(key: CryptoKey): KeyDescription {
  const known = descriptions.get(key);
  if (known !== undefined) return known;
  const algorithm = key.algorithm as KeyDescription['algorithm'];
  const { type, usages } = key;
  const made = { type, verifies: usages.includes('verify'), algorithm, modulusBits: algorithm.modulusLength ?? 0 };
  descriptions.set(key, made);
  return made;
}

/**
 * Why an imported key must not verify this algorithm, or null. The key set has checked its JWKs already; this holds
 * even if it was mistaken, since a key fit for another algorithm is how an HMAC gets verified with a public key.
 */
export function keyMisfit(key: CryptoKey, algorithm: SignatureAlgorithm): KeyCheck | null {
  const { type, verifies, algorithm: own, modulusBits } = describe(key);
  if (type !== (algorithm.keyType === 'oct' ? 'secret' : 'public')) return 'kty';
  if (!verifies) return 'key_ops';
  const wanted = algorithm.importParameters as Partial<RsaHashedImportParams & EcKeyImportParams> & Algorithm;
  if (own.name !== wanted.name || own.hash?.name !== wanted.hash) return 'alg';
  if (own.namedCurve !== wanted.namedCurve) return 'curve';
  if (algorithm.keyType === 'RSA' && modulusBits < minimumModulusBits) return 'size';
  return null;
}

/** The bare mathematics of a verification, for a key that fits and a signature of the right length. May throw for a bad one. */
export type SignaturePrimitive = (
  key: CryptoKey,
  algorithm: SignatureAlgorithm,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
) => boolean | Promise<boolean>;

const webCrypto: SignaturePrimitive = (key, algorithm, signature, signed) =>
  crypto.subtle.verify(algorithm.verifyParameters, key, signature, signed);

/**
 * Verifies a signature (RFC 7515 §5.2 step 8), by Web Cryptography unless a runtime has something quicker. The signature
 * must have exactly the length of its algorithm, so that ECDSA is R and S side by side (RFC 7518 §3.4) and never DER. Does
 * not check that the key fits: see `keyMisfit`. Makes no promise where the primitive makes none.
 */
export function verifySignature(
  key: CryptoKey,
  algorithm: SignatureAlgorithm,
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
  primitive: SignaturePrimitive = webCrypto,
): boolean | Promise<boolean> {
  const length = algorithm.signatureBytes ?? Math.ceil(describe(key).modulusBits / 8);
  if (signature.length !== length) return false;
  try {
    const valid = primitive(key, algorithm, signature, signed);
    return valid instanceof Promise ? valid.catch(invalid) : valid;
  } catch {
    return false;
  }
}

/** Some runtimes throw where others answer false, e.g. for R or S out of range. */
function invalid(): false {
  return false;
}
