import { minimumSecretBytes, signatureAlgorithms, verifySignature } from './algorithms.ts';
import type { VerificationKey } from './keys.ts';

/** A secret that verifies HS256, and the id under which records name it. */
export interface SharedSecret {
  readonly id: string;
  readonly octets: Uint8Array<ArrayBuffer>;
}

/** The secret that a signature was made with, or null when it was none of them. */
export type FindSecret = (
  signature: Uint8Array<ArrayBuffer>,
  signed: Uint8Array<ArrayBuffer>,
) => Promise<VerificationKey | null>;

/**
 * Verifies HS256 with configured secrets and nothing else (RFC 7518 §3.2): the current one, then the one being rotated out.
 * A `kid` plays no part, so a caller cannot choose. Throws on a secret under 32 bytes, which no configuration lets through.
 */
export function createFindSecret(secrets: readonly SharedSecret[]): FindSecret {
  const algorithm = signatureAlgorithms.get('HS256');
  if (!algorithm) throw new Error('HS256 is not among the algorithms');
  for (const { octets } of secrets)
    if (octets.length < minimumSecretBytes) throw new Error(`an HS256 secret is under ${minimumSecretBytes} bytes`);
  let keys: readonly VerificationKey[] | null = null;

  const importAll = () =>
    Promise.all(
      secrets.map(async ({ id, octets }) => ({
        keyId: id,
        algorithm: 'HS256',
        key: await crypto.subtle.importKey('raw', octets, algorithm.importParameters, false, ['verify']),
      })),
    );

  return async (signature, signed) => {
    keys ??= await importAll();
    for (const key of keys) if (await verifySignature(key.key, algorithm, signature, signed)) return key;
    return null;
  };
}
