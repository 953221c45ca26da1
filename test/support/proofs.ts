import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** A client that holds a key and proves it (RFC 9449 §4). */
export interface ProvingClient {
  readonly thumbprint: string;
  readonly jwk: JWK;
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

export async function createProvingClient(algorithm = 'ES256'): Promise<ProvingClient> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    jwk,
    thumbprint: await calculateJwkThumbprint(jwk),
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
