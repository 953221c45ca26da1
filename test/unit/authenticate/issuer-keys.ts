/** Key pairs of a made-up issuer, for tests: JWKs to publish, and signatures to check that a key found is the right one. */
export interface IssuerKey {
  readonly jwk: JsonWebKey & { kid: string };
  readonly privateJwk: JsonWebKey;
  readonly pair: CryptoKeyPair;
}

const parameters = {
  RSA: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  'P-256': { name: 'ECDSA', namedCurve: 'P-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384' },
  'P-521': { name: 'ECDSA', namedCurve: 'P-521' },
  Ed25519: { name: 'Ed25519' },
} as const;

export async function makeKey(kid: string, kind: keyof typeof parameters = 'P-256'): Promise<IssuerKey> {
  const pair = (await crypto.subtle.generateKey(parameters[kind], true, ['sign', 'verify'])) as CryptoKeyPair;
  const [exported, privateJwk] = await Promise.all([
    crypto.subtle.exportKey('jwk', pair.publicKey),
    crypto.subtle.exportKey('jwk', pair.privateKey),
  ]);
  const { key_ops: _operations, ext: _extractable, alg: _algorithm, ...jwk } = exported;
  return { jwk: { ...jwk, kid }, privateJwk, pair };
}

export function keySetText(...keys: readonly unknown[]): string {
  return JSON.stringify({ keys });
}
