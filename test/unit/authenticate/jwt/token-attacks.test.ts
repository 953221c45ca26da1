/** The classes of attack on tokens that have hit systems like this one, each with the defence's name (security.md §2). */
import { constants, createSign, KeyObject, privateEncrypt } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TokenVerdict } from '../../../../lib/authenticate/jwt/access-token.ts';
import type { VerificationKey } from '../../../../lib/authenticate/jwt/keys.ts';
import type { Verify } from '../../../../lib/authenticate/jwt/verify.ts';
import {
  claims,
  createSigner,
  createVerifyToken,
  issuer,
  judge,
  keySetsOf,
  part,
  type Signer,
  sign,
  signature,
  signWithSecret,
  tokenOf,
  tokenSettings,
} from '../../../support/tokens.ts';

let rsa: Signer;
let ec: Signer;
let verify: Verify<TokenVerdict>;

beforeAll(async () => {
  rsa = await createSigner('RS256', 'rsa');
  ec = await createSigner('ES256', 'ec');
  verify = verifierOf([rsa.verification, ec.verification]);
});

function verifierOf(
  keys: readonly VerificationKey[],
  algorithms = [...tokenSettings.algorithms, 'HS256'],
): Verify<TokenVerdict> {
  return createVerifyToken({ ...tokenSettings, algorithms }, { keySets: keySetsOf(keys), secrets: [] });
}

async function refusedFor(token: string, reason: string) {
  return expect(await judge(verify, token)).toHaveProperty('reason', reason);
}

describe('jwt-alg: no signature', () => {
  it.each(['none', 'None', 'NONE', 'nOnE', 'none ', '', null, undefined, [], ['none'], 0, false])(
    'alg %j is refused',
    async (alg) => {
      const unsigned = `${part({ alg, typ: 'JWT' })}.${part(claims)}.`;
      await refusedFor(unsigned, 'token_malformed');
      await refusedFor(`${unsigned}AA`, 'token_algorithm_refused');
      await refusedFor(await sign(rsa, { alg, kid: 'rsa' }), 'token_algorithm_refused');
    },
  );

  it('a good header over an empty signature is refused', async () => {
    const [header, body] = (await tokenOf(rsa)).split('.');
    await refusedFor(`${header}.${body}.`, 'token_malformed');
    await refusedFor(`${header}.${body}.AAAA`, 'token_signature_invalid');
  });
});

describe('jwt-alg: a public key as an HMAC secret', () => {
  const forms: [string, (key: KeyObject) => string | Buffer][] = [
    ['PEM (SPKI)', (key) => key.export({ type: 'spki', format: 'pem' })],
    ['PEM without its last line feed', (key) => key.export({ type: 'spki', format: 'pem' }).toString().trimEnd()],
    ['PEM after white space (CVE-2022-29217)', (key) => ` ${key.export({ type: 'spki', format: 'pem' })}`],
    ['PEM (PKCS #1)', (key) => key.export({ type: 'pkcs1', format: 'pem' })],
    ['DER (SPKI)', (key) => key.export({ type: 'spki', format: 'der' })],
    ['DER (PKCS #1)', (key) => key.export({ type: 'pkcs1', format: 'der' })],
    ['JWK', (key) => JSON.stringify(key.export({ format: 'jwk' }))],
    ['n as text', (key) => `${key.export({ format: 'jwk' }).n}`],
    ['n as bytes', (key) => Buffer.from(`${key.export({ format: 'jwk' }).n}`, 'base64url')],
  ];

  it.each(forms)('in the form %s is refused, HS256 listed or not', async (_, write) => {
    const octets = new Uint8Array(Buffer.from(write(KeyObject.from(rsa.publicKey))));
    for (const kid of ['rsa', undefined]) {
      const token = await signWithSecret(octets, { alg: 'HS256', kid });
      await refusedFor(token, 'token_algorithm_refused');
    }
  });

  it('is refused even if a key set handed the public key out for HS256', async () => {
    const octets = new Uint8Array(KeyObject.from(rsa.publicKey).export({ type: 'spki', format: 'der' }));
    const key = await crypto.subtle.importKey('raw', octets, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
    const sets = keySetsOf([]);
    sets.answer = { found: 'keys', keys: [{ keyId: 'rsa', algorithm: 'HS256', key }], more: false, stale: false };
    const confused = createVerifyToken(
      { ...tokenSettings, algorithms: ['HS256', 'RS256'] },
      { keySets: sets, secrets: [] },
    );
    const token = await signWithSecret(octets, { alg: 'HS256', kid: 'rsa' });
    expect(await judge(confused, token)).toEqual({ reason: 'token_algorithm_refused' });
    expect(sets.asked).toEqual([]);
  });
});

describe('jwt-alg/key-injection: keys that the token brings along', () => {
  it.each(['jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256'])('%s is never used', async (parameter) => {
    const attacker = await createSigner('RS256', 'evil');
    const jwk = await crypto.subtle.exportKey('jwk', attacker.publicKey);
    const values: Record<string, unknown> = {
      jwk,
      x5c: ['AAAA'],
      jku: 'https://evil.example/jwks.json',
      x5u: 'https://evil.example/x5u',
    };
    const value = values[parameter] ?? 'AAAA';
    await refusedFor(await tokenOf(attacker, {}, { kid: 'rsa', [parameter]: value }), 'token_signature_invalid');
    await refusedFor(await tokenOf(attacker, {}, { kid: undefined, [parameter]: value }), 'token_signature_invalid');
    await refusedFor(await tokenOf(attacker, {}, { [parameter]: value }), 'token_key_unknown');
    expect(await judge(verify, await tokenOf(rsa, {}, { [parameter]: value }))).toBe('verified');
  });

  it.each([
    '../../../../dev/null',
    "' OR 1=1 --",
    'file:///etc/passwd',
    '__proto__',
    'constructor',
    'rsa\0',
    'RSA',
    '',
    '|whoami',
  ])('kid %j finds no key', async (kid) => {
    await refusedFor(await tokenOf(rsa, {}, { kid }), 'token_key_unknown');
  });
});

describe('jwt-alg/crit-b64', () => {
  it.each([
    ['crit with an extension nobody knows', { crit: ['x'], x: 1 }, 'crit'],
    ['crit with a registered parameter', { crit: ['alg'] }, 'crit'],
    ['crit that is empty', { crit: [] }, 'crit'],
    ['crit of another type', { crit: 'b64' }, 'crit'],
    ['b64 false with crit (RFC 7797 §7)', { b64: false, crit: ['b64'] }, 'crit'],
    ['b64 false without crit', { b64: false }, 'b64'],
    ['b64 true', { b64: true }, 'b64'],
    ['enc, as a JWE has (RFC 7516 §9)', { enc: 'A128GCM' }, 'enc'],
    ['zip, as a JWE has', { zip: 'DEF' }, 'zip'],
    ['zip of another type', { zip: null }, 'zip'],
  ])('%s is refused', async (_, header, parameter) => {
    expect(await judge(verify, await tokenOf(rsa, {}, header))).toEqual({ reason: 'token_header_refused', parameter });
  });

  it('an unencoded payload is refused', async () => {
    const header = part({ alg: 'RS256', kid: 'rsa', b64: false, crit: ['b64'] });
    const signed = `${header}.${JSON.stringify(claims)}`;
    const token = `${signed}.${part(await signature('RS256', rsa.privateKey, signed))}`;
    await refusedFor(token, 'token_malformed');
  });
});

describe('ECDSA: signatures that verify anything, or are written otherwise', () => {
  const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
  const zero = '00'.repeat(32);
  const one = `${'00'.repeat(31)}01`;
  const beyond = `${order.slice(0, -1)}2`;

  it.each([zero, one, order, beyond, 'ff'.repeat(32)].flatMap((r) => [zero, one, order, beyond].map((s) => [r, s])))(
    'R %s, S %s is refused (CVE-2022-21449)',
    async (r, s) => {
      const [header, body] = (await tokenOf(ec)).split('.');
      await refusedFor(`${header}.${body}.${part(Buffer.from(`${r}${s}`, 'hex'))}`, 'token_signature_invalid');
    },
  );

  it('DER instead of R and S side by side is refused (RFC 7518 §3.4)', async () => {
    const signed = `${part({ alg: 'ES256', kid: 'ec' })}.${part(claims)}`;
    const der = createSign('SHA256').update(signed).sign(KeyObject.from(ec.privateKey));
    await refusedFor(`${signed}.${part(der)}`, 'token_signature_invalid');
  });

  it.each([
    ['a byte before', (bytes: Buffer) => Buffer.concat([Buffer.from([0]), bytes])],
    ['a byte after', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from([0])])],
    ['a byte less', (bytes: Buffer) => bytes.subarray(0, 63)],
    [
      'both halves padded to 33 bytes',
      (bytes: Buffer) => Buffer.concat([Buffer.from([0]), bytes.subarray(0, 32), Buffer.from([0]), bytes.subarray(32)]),
    ],
    ['R and S exchanged', (bytes: Buffer) => Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)])],
  ])('a signature with %s is refused', async (_, change) => {
    const [header, body, good = ''] = (await tokenOf(ec)).split('.');
    await refusedFor(`${header}.${body}.${part(change(Buffer.from(good, 'base64url')))}`, 'token_signature_invalid');
  });
});

describe('RSA: PKCS #1 v1.5 leniency (RFC 8017 §8.2.2, CVE-2006-4339)', () => {
  const digestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex');
  const withoutNull = Buffer.from('302f300b06096086480165030402010420', 'hex');
  const long = Buffer.from('308131300d060960864801650304020105000420', 'hex');
  const sha1 = Buffer.from('3021300906052b0e03021a05000414', 'hex');

  const signedWith = async (block: (digest: Buffer) => Buffer, hash = 'SHA-256') => {
    const signed = `${part({ alg: 'RS256', kid: 'rsa' })}.${part(claims)}`;
    const digest = Buffer.from(await crypto.subtle.digest(hash, new TextEncoder().encode(signed)));
    const raw = privateEncrypt(
      { key: KeyObject.from(rsa.privateKey), padding: constants.RSA_NO_PADDING },
      block(digest),
    );
    return `${signed}.${part(raw)}`;
  };
  const padded = (info: Buffer, digest: Buffer, filler = 0xff, type = 1, after = Buffer.alloc(0)) => {
    const tail = Buffer.concat([Buffer.from([0]), info, digest, after]);
    return Buffer.concat([Buffer.from([0, type]), Buffer.alloc(256 - 2 - tail.length, filler), tail]);
  };

  it('the block that is right is accepted, so that what follows is refused for what it says', async () => {
    expect(await judge(verify, await signedWith((digest) => padded(digestInfo, digest)))).toBe('verified');
  });

  it.each<[string, (digest: Buffer) => Buffer]>([
    ['padding with other bytes', (digest) => padded(digestInfo, digest, 0xfe)],
    ['block type 2', (digest) => padded(digestInfo, digest, 0xff, 2)],
    ['block type 0', (digest) => padded(digestInfo, digest, 0xff, 0)],
    ['bytes after the digest', (digest) => padded(digestInfo, digest, 0xff, 1, Buffer.alloc(8))],
    [
      'short padding and garbage after it (Bleichenbacher 2006)',
      (digest) => {
        const front = Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(8, 0xff), Buffer.from([0]), digestInfo, digest]);
        return Buffer.concat([front, Buffer.alloc(256 - front.length)]);
      },
    ],
    ['a long-form length', (digest) => padded(long, digest)],
    ['no algorithm identifier', (digest) => padded(Buffer.alloc(0), digest)],
    [
      'a bit of the digest changed',
      (digest) => {
        digest[0] = (digest[0] ?? 0) ^ 1;
        return padded(digestInfo, digest);
      },
    ],
  ])('%s is refused', async (_, block) => {
    await refusedFor(await signedWith(block), 'token_signature_invalid');
  });

  it('an algorithm identifier without its NULL is refused', async () => {
    await refusedFor(await signedWith((digest) => padded(withoutNull, digest)), 'token_signature_invalid');
  });

  it('another hash is refused', async () => {
    await refusedFor(await signedWith((digest) => padded(sha1, digest), 'SHA-1'), 'token_signature_invalid');
  });

  it('a signature longer or shorter than the modulus is refused', async () => {
    const [header, body, good = ''] = (await tokenOf(rsa)).split('.');
    const bytes = Buffer.from(good, 'base64url');
    for (const changed of [
      Buffer.concat([Buffer.from([0]), bytes]),
      Buffer.concat([bytes, Buffer.from([0])]),
      bytes.subarray(1),
    ])
      await refusedFor(`${header}.${body}.${part(changed)}`, 'token_signature_invalid');
  });

  it('PSS where PKCS #1 v1.5 is named, another salt length, and the reverse are refused (RFC 7518 §3.5)', async () => {
    const pss = await createSigner('PS256', 'pss');
    const sets = verifierOf([rsa.verification, pss.verification]);
    const forge = async (alg: string, kid: string, padding: number, saltLength: number, key: CryptoKey) => {
      const signed = `${part({ alg, kid })}.${part(claims)}`;
      return `${signed}.${part(
        createSign('SHA256')
          .update(signed)
          .sign({ key: KeyObject.from(key), padding, saltLength }),
      )}`;
    };
    const pkcs8 = await crypto.subtle.exportKey('pkcs8', pss.privateKey);
    const plain = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, [
      'sign',
    ]);
    expect(await judge(sets, await forge('PS256', 'pss', constants.RSA_PKCS1_PSS_PADDING, 32, plain))).toBe('verified');
    for (const salt of [0, 20, 31, 33, 64])
      expect(
        await judge(sets, await forge('PS256', 'pss', constants.RSA_PKCS1_PSS_PADDING, salt, plain)),
      ).toHaveProperty('reason', 'token_signature_invalid');
    expect(await judge(sets, await forge('PS256', 'pss', constants.RSA_PKCS1_PADDING, 32, plain))).toHaveProperty(
      'reason',
      'token_signature_invalid',
    );
    expect(
      await judge(sets, await forge('RS256', 'rsa', constants.RSA_PKCS1_PSS_PADDING, 32, rsa.privateKey)),
    ).toHaveProperty('reason', 'token_signature_invalid');
  });
});

describe('jwt-struct: what only looks like a token', () => {
  it.each([
    ['JWE compact serialisation', 'eyJhbGciOiJSU0EtT0FFUCJ9.AA.AA.AA.AA'],
    ['JWS flattened JSON serialisation', '{"payload":"e30","protected":"e30","signature":"AA"}'],
    ['JWS general JSON serialisation without signatures (CVE-2026-102946)', '{"payload":"e30","signatures":[]}'],
  ])('%s is refused', (_, token) => refusedFor(token, 'token_malformed'));

  it.each([
    ['an array (CVE-2026-107723)', '[]'],
    ['an array with the claims in it', JSON.stringify([claims])],
    ['a string', '"alice"'],
    ['null', 'null'],
    ['a duplicated claim', JSON.stringify(claims).replace('{', '{"sub":"root",')],
    ['a duplicated claim spelled with an escape', JSON.stringify(claims).replace('{', '{"\\u0073ub":"root",')],
    ['nesting beyond 16', JSON.stringify(claims).replace('{', `{"x":${'['.repeat(20)}${']'.repeat(20)},`)],
    ['trailing text', `${JSON.stringify(claims)}x`],
    ['comments', `/**/${JSON.stringify(claims)}`],
    ['a byte order mark', `\uFEFF${JSON.stringify(claims)}`],
  ])('signed claims that are %s are refused', async (_, body) => {
    expect(await judge(verify, await sign(rsa, { alg: 'RS256', kid: 'rsa' }, body))).toEqual({
      reason: 'token_malformed',
      part: 'claims',
    });
  });

  it('signed claims in invalid UTF-8 are refused', async () => {
    const bytes = Buffer.from(JSON.stringify({ ...claims, x: '#' }));
    bytes[bytes.indexOf('#')] = 0xff;
    expect(await judge(verify, await sign(rsa, { alg: 'RS256', kid: 'rsa' }, bytes))).toEqual({
      reason: 'token_malformed',
      part: 'claims',
    });
  });

  it('a signed header with a duplicated parameter is refused', async () => {
    expect(await judge(verify, await sign(rsa, '{"alg":"RS256","kid":"rsa","kid":"rsa"}'))).toEqual({
      reason: 'token_malformed',
      part: 'header',
    });
  });

  it('another spelling of the same signature is refused (RFC 4648 §3.5)', async () => {
    const token = await tokenOf(ec);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(token.at(-1) ?? '');
    for (const bits of [1, 2, 3]) await refusedFor(token.slice(0, -1) + alphabet[last ^ bits], 'token_malformed');
    for (const tail of ['=', '==', ' ', '\n', '%3D', '\0']) await refusedFor(token + tail, 'token_malformed');
  });
});

describe('jwt-claims', () => {
  it.each([
    ['a logout token', { 'http://schemas.openid.net/event/backchannel-logout': {} }],
    ['a security event token', { 'https://schemas.openid.net/secevent/caep/event-type/session-revoked': { x: 1 } }],
  ])('%s is no access token, whatever its typ', async (_, events) => {
    expect(await judge(verify, await tokenOf(rsa, { events }))).toEqual({
      reason: 'token_claim_invalid',
      claim: 'events',
    });
  });

  it.each([[{ events: ['concert'] }], [{ events: { concert: 1 } }], [{ events: 'https://events.example' }]])(
    'a claim of somebody that happens to be called events is none: %j',
    async (more) => expect(await judge(verify, await tokenOf(rsa, more))).toBe('verified'),
  );

  it.each([
    ['exp as text', { exp: '9999999999' }, 'token_claim_invalid'],
    ['exp as null', { exp: null }, 'token_claim_invalid'],
    ['exp left out', { exp: undefined }, 'token_claim_missing'],
    ['exp as true', { exp: true }, 'token_claim_invalid'],
    ['nbf as text', { nbf: '0' }, 'token_claim_invalid'],
    ['iat as an array', { iat: [1] }, 'token_claim_invalid'],
    ['iss as an array', { iss: [issuer] }, 'token_claim_invalid'],
    ['iss with more after it', { iss: `${issuer}.evil.example` }, 'token_issuer_unknown'],
    ['aud empty', { aud: [] }, 'token_claim_invalid'],
    ['aud nested', { aud: [[tokenSettings.audience]] }, 'token_claim_invalid'],
    ['aud as part of ours', { aud: 'https://api' }, 'token_claim_invalid'],
    ['sub as an object', { sub: { name: 'alice' } }, 'token_claim_invalid'],
    ['sub empty', { sub: '' }, 'token_claim_invalid'],
  ])('%s is refused', async (_, changes, reason) => refusedFor(await tokenOf(rsa, changes), reason));

  it('exp beyond every number is refused', async () => {
    const body = JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999');
    await refusedFor(await sign(rsa, { alg: 'RS256', kid: 'rsa' }, body), 'token_claim_invalid');
  });

  it('claims under __proto__ are no claims', async () => {
    const body = `{"__proto__":${JSON.stringify(claims)}}`;
    await refusedFor(await sign(rsa, { alg: 'RS256', kid: 'rsa' }, body), 'token_claim_missing');
  });

  it.each(['id+jwt', 'logout+jwt', 'dpop+jwt', 'application/id+jwt'])(
    'a token of type %s is no access token (RFC 9068 §4)',
    async (typ) => {
      expect(await judge(verify, await tokenOf(rsa, {}, { typ }))).toEqual({
        reason: 'token_header_refused',
        parameter: 'typ',
      });
    },
  );
});

describe('jwt-keys: keys that must not verify, even if a key set hands them out', () => {
  const judgeWith = async (key: CryptoKey, signer: Signer, algorithm = signer.algorithm) =>
    judge(verifierOf([{ keyId: 'k1', algorithm, key }]), await tokenOf(signer, {}, { alg: algorithm, kid: 'k1' }));
  const unfit = (check: string) => ({ reason: 'token_key_unfit', check });

  it('an RSA key under 2048 bits', async () => {
    const weak = await createSigner('RS256', 'k1', 1024);
    expect(await judgeWith(weak.publicKey, weak)).toEqual(unfit('size'));
  });

  it('a key for another use', async () => {
    const jwk = await crypto.subtle.exportKey('jwk', rsa.publicKey);
    const { key_ops: _, ext: __, alg: ___, ...plain } = jwk;
    const encrypting = await crypto.subtle.importKey('jwk', plain, { name: 'RSA-OAEP', hash: 'SHA-256' }, true, [
      'encrypt',
    ]);
    expect(await judgeWith(encrypting, rsa)).toEqual(unfit('key_ops'));
  });

  it('a private key', async () => {
    expect(await judgeWith(rsa.privateKey, rsa)).toEqual(unfit('kty'));
  });

  it('a secret', async () => {
    const secret = await crypto.subtle.importKey('raw', new Uint8Array(32), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'verify',
    ]);
    expect(await judgeWith(secret, rsa)).toEqual(unfit('kty'));
  });

  it('a key of another type, hash or scheme', async () => {
    expect(await judgeWith(ec.publicKey, rsa)).toEqual(unfit('alg'));
    expect(await judgeWith((await createSigner('RS512')).publicKey, rsa)).toEqual(unfit('alg'));
    expect(await judgeWith((await createSigner('PS256')).publicKey, rsa)).toEqual(unfit('alg'));
  });

  it('a key on another curve', async () => {
    expect(await judgeWith((await createSigner('ES384')).publicKey, ec)).toEqual(unfit('curve'));
  });

  it('a key handed out for another algorithm than the token names', async () => {
    const sets = keySetsOf([]);
    sets.answer = { found: 'keys', keys: [ec.verification], more: false, stale: false };
    const confused = createVerifyToken(tokenSettings, { keySets: sets, secrets: [] });
    expect(await judge(confused, await tokenOf(rsa))).toEqual(unfit('alg'));
  });
});

describe('two issuers whose key ids collide', () => {
  it('a key of one issuer signs nothing for the other', async () => {
    const other = 'https://other.example';
    const ours = await createSigner('RS256', 'same');
    const theirs = await createSigner('RS256', 'same');
    const here = createVerifyToken(tokenSettings, { keySets: keySetsOf([ours.verification]), secrets: [] });
    const there = createVerifyToken(
      { ...tokenSettings, issuer: other },
      { keySets: keySetsOf([theirs.verification]), secrets: [] },
    );

    expect(await judge(here, await tokenOf(ours))).toBe('verified');
    expect(await judge(there, await tokenOf(theirs, { iss: other }))).toBe('verified');
    expect(await judge(here, await tokenOf(theirs))).toEqual({ reason: 'token_signature_invalid' });
    expect(await judge(there, await tokenOf(ours, { iss: other }))).toEqual({ reason: 'token_signature_invalid' });
    expect(await judge(here, await tokenOf(theirs, { iss: other }))).toEqual({ reason: 'token_issuer_unknown' });
  });
});
