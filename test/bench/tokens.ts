import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** One issuer, its tokens, and what nobody may accept. */
export interface Issuer {
  readonly issuer: string;
  readonly audience: string;
  readonly keyId: string;
  readonly publicJwk: Readonly<Record<string, unknown>>;
  readonly publicPem: string;
  /** `count` tokens that are valid for the next half hour, each of another subject; no two calls give the same one. */
  valid(count: number): string[];
  /** A token that is bound to the key of this thumbprint (RFC 9449 §6.1). */
  bound(thumbprint: string): string;
  /** The eight that every row has to refuse before it is measured, by what is wrong with each. */
  readonly bad: Readonly<Record<string, string>>;
}

function part(value: object) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
function rs256(key: KeyObject) {
  return (signed: string) => sign('sha256', Buffer.from(signed), key).toString('base64url');
}

/** Makes an issuer with a fresh RS256 key of 2048 bits; its tokens have about 860 characters. */
export function createIssuer(): Issuer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const issuer = 'https://issuer.example.test/realms/bench';
  const audience = 'https://api.example.test/bench';
  const keyId = randomBytes(12).toString('base64url');
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const header = { alg: 'RS256', typ: 'at+jwt', kid: keyId };
  const nowSeconds = Math.floor(Date.now() / 1000);
  let made = 0;

  const claims = () => ({
    iss: issuer,
    aud: audience,
    sub: `caller-${made++}-${randomBytes(6).toString('hex')}`,
    client_id: randomBytes(24).toString('base64url'),
    azp: randomBytes(24).toString('base64url'),
    jti: randomBytes(16).toString('base64url'),
    scope: 'discover evaluate jobs metrics',
    iat: nowSeconds - 10,
    nbf: nowSeconds - 10,
    exp: nowSeconds + 1800,
  });
  const token = (body: object, of: object = header, signer = rs256(privateKey)) => {
    const signed = `${part(of)}.${part(body)}`;
    return `${signed}.${signer(signed)}`;
  };
  const [head = '', , tail = ''] = token(claims()).split('.');

  return {
    issuer,
    audience,
    keyId,
    publicPem,
    publicJwk: { ...publicKey.export({ format: 'jwk' }), kid: keyId, alg: 'RS256', use: 'sig' },
    valid: (count) => Array.from({ length: count }, () => token(claims())),
    bound: (thumbprint) => token({ ...claims(), cnf: { jkt: thumbprint } }),
    bad: {
      unsigned: token(claims(), { ...header, alg: 'none' }, () => ''),
      'public key as HMAC secret': token(claims(), { ...header, alg: 'HS256' }, (signed) =>
        createHmac('sha256', publicPem).update(signed).digest('base64url'),
      ),
      'claims changed': `${head}.${part(claims())}.${tail}`,
      "a stranger's key under the right kid": token(claims(), header, rs256(stranger)),
      expired: token({ ...claims(), iat: nowSeconds - 7200, nbf: nowSeconds - 7200, exp: nowSeconds - 3600 }),
      'not valid yet': token({ ...claims(), nbf: nowSeconds + 3600 }),
      'another issuer': token({ ...claims(), iss: 'https://issuer.example.test/realms/other' }),
      'another audience': token({ ...claims(), aud: 'https://api.example.test/other' }),
    },
  };
}
