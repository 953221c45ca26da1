import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';

/** Algorithms of a new key pair. Clouds that exchange our tokens take ES256 only. */
export type KeyAlgorithm = 'EdDSA' | 'ES256';

/** Makes 32 random bytes, in base64url. */
export async function randomSecret(): Promise<string> {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
}

/** Makes a key pair and gives its private JWK, whose `kid` is its thumbprint (RFC 7638). */
export async function newKeyPair(algorithm: KeyAlgorithm = 'EdDSA'): Promise<string> {
  const { privateKey } = await generateKeyPair(algorithm, {
    extractable: true,
    ...(algorithm === 'EdDSA' && { crv: 'Ed25519' }),
  });
  const jwk = await exportJWK(privateKey);
  return JSON.stringify({ ...jwk, kid: await calculateJwkThumbprint(jwk, 'sha256'), alg: algorithm, use: 'sig' });
}
