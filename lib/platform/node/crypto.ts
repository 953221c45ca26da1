import { constants, createHmac, createSecretKey, KeyObject, verify } from 'node:crypto';
import type { SignaturePrimitive } from '../../authenticate/jwt/algorithms.ts';

/*
 * Node's own cryptography where Web Cryptography only adds to its price there: a verification or an HMAC of a few
 * microseconds is done at once, not handed to a thread and back for several times as much.
 */

const keyObjects = new WeakMap<CryptoKey, KeyObject>();

function keyObjectOf(key: CryptoKey): KeyObject {
  const known = keyObjects.get(key);
  if (known) return known;
  const made = KeyObject.from(key);
  keyObjects.set(key, made);
  return made;
}

/** The digest of an algorithm as Node names it; null where the algorithm brings its own (RFC 8032). */
function digestOf(parameters: { readonly hash?: unknown }): string | null {
  return typeof parameters.hash === 'string' ? parameters.hash.replace('-', '').toLowerCase() : null;
}

/**
 * Verifies a signature under a public key, as Web Cryptography does with the same key and parameters (RFC 7518 §3.3 to §3.5,
 * RFC 8037 §3.1). Throws for an algorithm that no public key serves.
 */
export const verifyOnNode: SignaturePrimitive = (key, { importParameters, verifyParameters }, signature, signed) => {
  const own = keyObjectOf(key);
  switch (importParameters.name) {
    case 'RSASSA-PKCS1-v1_5':
      // Its padding is the default of an RSA key; to name it costs half as much again.
      return verify(digestOf(importParameters as RsaHashedImportParams), signed, own, signature);
    case 'RSA-PSS': {
      const { saltLength } = verifyParameters as RsaPssParams;
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return verify(
        digestOf(importParameters as RsaHashedImportParams),
        signed,
        { key: own, padding, saltLength },
        signature,
      );
    }
    case 'ECDSA':
      return verify(
        digestOf(verifyParameters as EcdsaParams),
        signed,
        { key: own, dsaEncoding: 'ieee-p1363' },
        signature,
      );
    case 'Ed25519':
      return verify(null, signed, own, signature);
    default:
      throw new Error('no signature algorithm of a public key');
  }
};

const secretKeys = new Map<string, KeyObject>();

/** HMAC-SHA-256 of a text. Keeps every key it was ever given: for the few of a configuration, not for a caller's. */
export function hmacOnNode(key: string, text: string): Uint8Array {
  const own = secretKeys.get(key) ?? createSecretKey(key, 'utf8');
  secretKeys.set(key, own);
  return createHmac('sha256', own).update(text).digest();
}
