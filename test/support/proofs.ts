import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** A client that holds a key and proves it (RFC 9449 §4). */
export interface ProvingClient {
  readonly thumbprint: string;
  readonly jwk: JWK;
  /** The signature over any text, in base64url. */
  sign(text: string): Promise<string>;
  /** A proof for one request; `claims` and `header` change it, and undefined leaves a member out. */
  prove(wanted: {
    readonly method?: string;
    readonly uri?: string;
    readonly token?: string;
    readonly nowSeconds?: number;
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly header?: Readonly<Record<string, unknown>>;
  }): Promise<string>;
}

const SIGNING: Readonly<Record<string, RsaPssParams | EcdsaParams | Algorithm>> = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
  EdDSA: { name: 'Ed25519' },
};

export async function createProvingClient(algorithm = 'ES256'): Promise<ProvingClient> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    jwk,
    thumbprint: await calculateJwkThumbprint(jwk),
    async sign(text) {
      const parameters = SIGNING[algorithm];
      if (parameters === undefined) throw new Error(`no parameters for ${algorithm}`);
      const signature = await crypto.subtle.sign(parameters, privateKey, new TextEncoder().encode(text));
      return Buffer.from(signature).toString('base64url');
    },
    async prove({ method = 'GET', uri, token = '', nowSeconds = Date.now() / 1000, claims = {}, header = {} }) {
      const all = {
        jti: crypto.randomUUID(),
        htm: method,
        htu: uri,
        iat: Math.floor(nowSeconds),
        ath: createHash('sha256').update(token).digest('base64url'),
        ...claims,
      };
      const members = { alg: algorithm, typ: 'dpop+jwt', jwk, ...header } as { alg: string };
      return new SignJWT(all).setProtectedHeader(members).sign(privateKey, { crit: { exp: false } });
    },
  };
}
