import { createHmac } from 'node:crypto';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Issuer } from '../support/issuer.ts';
import type { CredentialName } from './table.ts';

function encode(value: unknown) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
function decode(part: string | undefined) {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString());
}

function changeOne(text: string, at: number) {
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}

/** Every credential of the table: true ones from the issuer, forged ones made of them or with its true keys. */
export async function makeCredentials(issuer: Issuer): Promise<Readonly<Record<CredentialName, string>>> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const genuine = await issuer.token({ subject: 'alice' });
  const [header, claims, signature] = genuine.split('.');
  const signingKey = issuer.signingKeys.find(({ alg }) => alg === 'RS256');
  if (!signingKey?.kid) throw new Error('the issuer has no RS256 key');
  const own = await generateKeyPair('RS256', { extractable: true });

  const sign = async (change: { header?: object; claims?: object; key?: JWK | CryptoKey }): Promise<string> => {
    const key = change.key ?? signingKey;
    return new CompactSign(Buffer.from(JSON.stringify({ ...decode(claims), ...change.claims })))
      .setProtectedHeader({ alg: 'RS256', kid: signingKey.kid, typ: 'at+jwt', ...change.header } as { alg: string })
      .sign(key instanceof CryptoKey ? key : await importJWK(key, 'RS256'), { crit: { example: false } });
  };
  const publicPem = await exportSPKI(
    (await importJWK(publicOf(signingKey), 'RS256', { extractable: true })) as CryptoKey,
  );
  const hmacInput = `${encode({ alg: 'HS256', kid: signingKey.kid, typ: 'at+jwt' })}.${claims}`;

  return {
    everything: genuine,
    'evaluate only': await issuer.token({ subject: 'bob', scope: 'evaluate' }),
    'metrics only': await issuer.token({ subject: 'carol', scope: 'metrics' }),
    'no scope': await issuer.token({ subject: 'dave', scope: '' }),
    'analyst role': await issuer.token({ subject: 'erin', scope: '', claims: { role: 'Analyst' } }),
    'reader role': await issuer.token({ subject: 'frank', scope: '', claims: { roles: ['READER'] } }),
    'admin role': await issuer.token({ subject: 'grace', scope: '', claims: { roles: ['admin', 'constructor'] } }),
    star: await issuer.token({ subject: 'heidi', scope: '', claims: { scope: '*' } }),
    PS256: await issuer.token({ subject: 'alice', algorithm: 'PS256' }),
    ES256: await issuer.token({ subject: 'alice', algorithm: 'ES256' }),
    EdDSA: await issuer.token({ subject: 'alice', algorithm: 'EdDSA' }),
    expired: await issuer.token({ claims: { exp: nowSeconds - 3600, iat: nowSeconds - 7200 } }),
    'not yet valid': await issuer.token({ claims: { nbf: nowSeconds + 3600 } }),
    'wrong audience': await issuer.token({ audience: 'urn:another:api' }),
    'wrong issuer': await issuer.token({ claims: { iss: 'https://issuer.example' } }),
    'no expiry': await issuer.token({ claims: { exp: null } }),
    'no subject': await issuer.token({ claims: { sub: null } }),
    'numeric subject': await issuer.token({ claims: { sub: 42 } }),
    'tampered claims': `${header}.${encode({ ...decode(claims), sub: 'admin' })}.${signature}`,
    'tampered signature': `${header}.${claims}.${changeOne(signature ?? '', 9)}`,
    truncated: `${header}.${claims}`,
    'alg none': `${encode({ alg: 'none', typ: 'at+jwt' })}.${claims}.`,
    'HS256 with the public key': `${hmacInput}.${createHmac('sha256', publicPem).update(hmacInput).digest('base64url')}`,
    'embedded key': await sign({
      key: own.privateKey,
      header: { jwk: await exportJWK(own.publicKey), jku: 'http://127.0.0.1:9/jwks', x5u: 'http://127.0.0.1:9/x5u' },
    }),
    'unknown key': await sign({ key: own.privateKey, header: { kid: 'nobody' } }),
    crit: await sign({ header: { crit: ['example'], example: true } }),
    'wrong type': await sign({ header: { typ: 'JOSE' } }),
    'scope of a wrong type': await issuer.token({ scope: '', claims: { scope: 7 } }),
    'a word': 'password',
    oversized: `${genuine}${'A'.repeat(8192)}`,
  };
}

function publicOf({ kty, n, e, alg, kid }: JWK): JWK {
  return { kty, n, e, alg, kid } as JWK;
}
