/**
 * RFC 7515 (JWS), as it binds a recipient of compact JWTs. The public examples are the RFC's own.
 *
 * | requirement | test |
 * |---|---|
 * | §2 base64url without padding, white space or other characters | "§2" |
 * | §4 duplicate header parameters: reject, or last one only | "§4 duplicates" (rejected) |
 * | §4 parameters not understood are ignored | "§4 unknown" |
 * | §4.1.1 `alg` present, case-sensitive, supported | "§4.1.1" |
 * | §4.1.2–§4.1.8 `jku`, `jwk`, `x5u`, `x5c`, `x5t` | never used: "§4.1.2–8" |
 * | §4.1.4 `kid` a string, case-sensitive | "§4.1.4" |
 * | §4.1.9 `typ`: `application/` may be left out | "§4.1.9" |
 * | §4.1.10 `cty` | ignored, "§4 unknown": a nested JWT's payload is no JSON object and is refused as such |
 * | §4.1.11 `crit` understood in full or the JWS is invalid | "§4.1.11": no extension is understood, so any `crit` is refused |
 * | §5.2 steps 1–8 | "§5.2" and the examples |
 * | §7.1 compact serialisation | "§5.2" |
 * | §7.2 JSON serialisation | not accepted: RFC 7519 §3 has JWTs compact only; "§7.2" |
 * | §8 key identification by TLS, appendix F detached content | not applicable; a detached payload is an empty part, "§5.2" |
 * | §10.1 key entropy, §10.7 alg and key bound | test/unit/authenticate/jwt/token-attacks.test.ts "jwt-keys" |
 * | RFC 8037 §3.1, appendix A.4 EdDSA | "RFC 8037 A.4" |
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { signatureAlgorithms, verifySignature } from '../../lib/authenticate/jwt/algorithms.ts';
import { decodeBase64url } from '../../lib/codec/base64url.ts';
import {
  context,
  createSigner,
  createVerifyToken,
  judge,
  keySetsOf,
  type OneIssuerParts,
  part,
  type Signer,
  sign,
  tokenOf,
  tokenSettings,
} from '../support/tokens.ts';

function bytes(text: string) {
  return decodeBase64url(text) ?? new Uint8Array(0);
}

/** The claims set of the examples, whose one registered time is `exp`: 1300819380. */
const examplePayload = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
const exampleInstant = 1_300_819_300;

function verifyExample(algorithm: string, parts: OneIssuerParts) {
  return createVerifyToken(
    {
      ...tokenSettings,
      algorithms: [algorithm],
      issuer: 'joe',
      audience: null,
      maximumLifetimeSeconds: null,
      subjectClaim: 'iss',
    },
    parts,
  );
}

async function publicKey(algorithm: string, jwk: JsonWebKey) {
  const parameters = signatureAlgorithms.get(algorithm)?.importParameters;
  if (!parameters) throw new Error(algorithm);
  const key = await crypto.subtle.importKey('jwk', jwk, parameters, false, ['verify']);
  return { keySets: keySetsOf([{ keyId: null, algorithm, key }]), secrets: [] };
}

const examples: [string, string, string, string, () => Promise<OneIssuerParts> | OneIssuerParts][] = [
  [
    'A.1',
    'HS256',
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9',
    'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    () => ({
      keySets: null,
      secrets: [
        {
          id: 'example',
          octets: bytes('AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow'),
        },
      ],
    }),
  ],
  [
    'A.2',
    'RS256',
    'eyJhbGciOiJSUzI1NiJ9',
    'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    () =>
      publicKey('RS256', {
        kty: 'RSA',
        n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
        e: 'AQAB',
      }),
  ],
  [
    'A.3',
    'ES256',
    'eyJhbGciOiJFUzI1NiJ9',
    'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
    () =>
      publicKey('ES256', {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      }),
  ],
];

describe('RFC 7515 examples', () => {
  it.each(examples)(
    '%s is verified by %s, and refused with any bit of it changed',
    async (_, algorithm, header, signature, parts) => {
      const verify = verifyExample(algorithm, await parts());
      const token = `${header}.${examplePayload}.${signature}`;
      expect(await judge(verify, token, exampleInstant)).toBe('verified');
      expect(await judge(verify, token, 1_300_819_380 + 60)).toHaveProperty('reason', 'token_expired');
      const otherPayload = `${examplePayload.slice(0, -1)}${examplePayload.endsWith('Q') ? 'g' : 'Q'}`;
      expect(await judge(verify, `${header}.${otherPayload}.${signature}`, exampleInstant)).toHaveProperty('reason');
      const middle = signature.length >> 1;
      const changed =
        signature.slice(0, middle) + (signature[middle] === 'A' ? 'B' : 'A') + signature.slice(middle + 1);
      expect(await judge(verify, `${header}.${examplePayload}.${changed}`, exampleInstant)).toEqual({
        reason: 'token_signature_invalid',
      });
    },
  );

  it('A.5: a JWS without a signature is refused', async () => {
    const [, , , , parts] = examples[0] ?? [];
    const verify = verifyExample('HS256', await (parts?.() ?? { keySets: null, secrets: [] }));
    expect(await judge(verify, `eyJhbGciOiJub25lIn0.${examplePayload}.`, exampleInstant)).toHaveProperty('reason');
  });

  it('RFC 8037 A.4 is verified by EdDSA', async () => {
    const algorithm = signatureAlgorithms.get('EdDSA');
    if (!algorithm) throw new Error('EdDSA');
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    const key = await crypto.subtle.importKey('jwk', jwk, algorithm.importParameters, false, ['verify']);
    const signed = new TextEncoder().encode('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc');
    const signature = bytes('hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg');
    expect(await verifySignature(key, algorithm, signature, signed)).toBe(true);
    expect(await verifySignature(key, algorithm, signature, signed.subarray(1))).toBe(false);
  });
});

describe('RFC 7515 requirements', () => {
  let signer: Signer;
  let judged: (token: string) => Promise<string | object>;

  beforeAll(async () => {
    signer = await createSigner('ES256');
    const verify = createVerifyToken(tokenSettings, { keySets: keySetsOf([signer.verification]), secrets: [] });
    judged = (token) => judge(verify, token);
  });

  it('§2: base64url has no padding, white space or other characters', async () => {
    const token = await tokenOf(signer);
    for (const other of [`${token}=`, `${token} `, ` ${token}`, token.replace('.', '.\n'), token.replace('.', '+.')])
      expect(await judged(other)).toHaveProperty('reason', 'token_malformed');
  });

  it('§4 duplicates: a repeated header parameter is refused', async () => {
    expect(await judged(await sign(signer, '{"alg":"ES256","alg":"ES256"}'))).toEqual({
      reason: 'token_malformed',
      part: 'header',
    });
  });

  it('§4 unknown: parameters not understood are ignored', async () => {
    expect(await judged(await tokenOf(signer, {}, { 'urn:example': { a: [1] }, cty: 'example', nonce: 'x' }))).toBe(
      'verified',
    );
  });

  it('§4.1.1: alg is demanded, and case-sensitive', async () => {
    for (const alg of ['es256', 'Es256', undefined, null, 'ES384'])
      expect(await judged(await tokenOf(signer, {}, { alg }))).toEqual({ reason: 'token_algorithm_refused' });
  });

  it('§4.1.2–8: keys and links in the header change nothing', async () => {
    const attacker = await createSigner('ES256');
    const jwk = await crypto.subtle.exportKey('jwk', attacker.publicKey);
    const brought = {
      jwk,
      jku: 'https://evil.example/',
      x5u: 'https://evil.example/',
      x5c: ['AA'],
      x5t: 'AA',
      'x5t#S256': 'AA',
    };
    expect(await judged(await tokenOf(attacker, {}, brought))).toEqual({ reason: 'token_signature_invalid' });
    expect(await judged(await tokenOf(signer, {}, brought))).toBe('verified');
  });

  it('§4.1.4: kid is a string, and case-sensitive', async () => {
    expect(await judged(await tokenOf(signer, {}, { kid: 1 }))).toEqual({
      reason: 'token_header_refused',
      parameter: 'kid',
    });
    expect(await judged(await tokenOf(signer, {}, { kid: 'K1' }))).toEqual({ reason: 'token_key_unknown' });
  });

  it('§4.1.9: `application/` may be left out of typ, and only where there is no other slash', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'APPLICATION/AT+JWT', 'JWT'])
      expect(await judged(await tokenOf(signer, {}, { typ }))).toBe('verified');
    for (const typ of ['example/at+jwt', 'application/example/at+jwt', 'at+jwt; v=1'])
      expect(await judged(await tokenOf(signer, {}, { typ }))).toHaveProperty('reason', 'token_header_refused');
  });

  it('§4.1.11: crit is refused, whatever it lists', async () => {
    for (const crit of [[], ['exp'], ['alg'], ['b64'], 'exp', null])
      expect(await judged(await tokenOf(signer, {}, { crit, exp: 1 }))).toEqual({
        reason: 'token_header_refused',
        parameter: 'crit',
      });
  });

  it('§5.2: three parts; header and payload as JSON; the signature over exactly what was sent', async () => {
    const token = await tokenOf(signer);
    const [header, payload, signature] = token.split('.');
    for (const [other, where] of [
      [`${header}.${payload}`, 'shape'],
      [`${header}..${signature}`, 'shape'],
      [`${token}.`, 'shape'],
      [`${part('x')}.${payload}.${signature}`, 'header'],
      [`${header}.${part('x')}.${signature}`, 'claims'],
    ])
      expect(await judged(other ?? '')).toEqual({ reason: 'token_malformed', part: where });
    const respelled = part(`${Buffer.from(header ?? '', 'base64url')} `);
    expect(await judged(`${respelled}.${payload}.${signature}`)).toEqual({ reason: 'token_signature_invalid' });
  });

  it('§7.2: JSON serialisations are no tokens', async () => {
    const [header, payload, signature] = (await tokenOf(signer)).split('.');
    for (const json of [
      { payload, protected: header, signature },
      { payload, signatures: [{ protected: header, signature }] },
      { payload, signatures: [] },
    ])
      expect(await judged(JSON.stringify(json))).toHaveProperty('reason', 'token_malformed');
  });

  it('gives its verdict without ever throwing, or a promise rejecting', async () => {
    const verify = createVerifyToken(tokenSettings, { keySets: keySetsOf([]), secrets: [] });
    expect(await verify('', 0, context, true)).toHaveProperty('outcome', 'refused');
  });
});
