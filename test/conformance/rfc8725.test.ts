/**
 * RFC 8725 (JWT Best Current Practices) and RFC 9068 (JWT access tokens), as they bind a resource server.
 *
 * | requirement | test |
 * |---|---|
 * | 8725 §3.1 the caller of the library names the algorithms; each key for one algorithm | "§3.1" |
 * | 8725 §3.2 appropriate algorithms; no `none` | "§3.2" |
 * | 8725 §3.3 validate all cryptographic operations, or refuse the whole token | "§3.3" |
 * | 8725 §3.4 validate inputs of elliptic curves | the runtime's; off-curve keys: test/unit/authenticate/json-web-key*.test.ts, R and S: token-attacks.test.ts |
 * | 8725 §3.5 key entropy, no passwords as keys | "§3.5" |
 * | 8725 §3.6 no compression of encryption inputs | not applicable: no JWE |
 * | 8725 §3.7 UTF-8 | rfc7519.test.ts "§7.2" |
 * | 8725 §3.8 issuer and subject; keys belong to the issuer | "§3.8" |
 * | 8725 §3.9 audience | "§3.9" |
 * | 8725 §3.10 do not trust received claims (`kid` injection, `jku`, `x5u`) | "§3.10" |
 * | 8725 §3.11 explicit typing, §3.12 mutually exclusive rules | "§3.11" |
 * | 9068 §2.1 `typ` `at+jwt` | "§3.11"; a deployment that lists `at+jwt` alone demands it |
 * | 9068 §2.2 `iss`, `exp`, `aud`, `sub`, `client_id`, `iat`, `jti` required | `iss`, `exp`, `aud`, `sub` demanded; `iat` where lifetimes are limited; `client_id` and `jti` are not, since many issuers leave them out |
 * | 9068 §4 refuse `none`, check signature, `iss`, `aud`, `exp` | "RFC 9068 §4" |
 * | 8705 §3 certificate-bound tokens | test/unit/authenticate/jwt/token-authenticator.test.ts |
 */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createSigner,
  createVerifyToken,
  judge,
  keySetsOf,
  type Signer,
  secretOctets,
  signWithSecret,
  tokenOf,
  tokenSettings,
} from '../support/tokens.ts';

let rs: Signer;
let ps: Signer;

beforeAll(async () => {
  rs = await createSigner('RS256', 'k1');
  ps = await createSigner('PS256', 'k1');
});

function judged(token: string, settings = {}, keys = [rs.verification]) {
  return judge(createVerifyToken({ ...tokenSettings, ...settings }, { keySets: keySetsOf(keys), secrets: [] }), token);
}

describe('RFC 8725', () => {
  it('§3.1: only the algorithms that the operator names, and a key for no other than its own', async () => {
    expect(await judged(await tokenOf(rs), { algorithms: ['ES256'] })).toEqual({ reason: 'token_algorithm_refused' });
    expect(await judged(await tokenOf(ps, {}, { alg: 'RS256' }))).toEqual({ reason: 'token_signature_invalid' });
    expect(await judged(await tokenOf(ps), {}, [{ ...rs.verification, algorithm: 'PS256' }])).toEqual({
      reason: 'token_key_unfit',
      check: 'alg',
    });
  });

  it('§3.2: `none` cannot even be configured', () => {
    expect(() =>
      createVerifyToken({ ...tokenSettings, algorithms: ['none'] }, { keySets: keySetsOf([]), secrets: [] }),
    ).toThrow();
  });

  it('§3.3: a token whose signature fails is refused, whatever it says', async () => {
    expect(await judged(await tokenOf(await createSigner('RS256')))).toEqual({ reason: 'token_signature_invalid' });
  });

  it('§3.5: an HMAC secret has 32 bytes at least', () => {
    const make = (text: string) =>
      createVerifyToken(
        { ...tokenSettings, algorithms: ['HS256'] },
        { keySets: null, secrets: [{ id: 'current', octets: secretOctets(text) }] },
      );
    expect(() => make('password')).toThrow();
    expect(() => make('x'.repeat(32))).not.toThrow();
  });

  it('§3.8: a key counts for the tokens of its own issuer', async () => {
    const sets = keySetsOf([]);
    const verify = createVerifyToken(tokenSettings, { keySets: sets, secrets: [] });
    expect(await judge(verify, await tokenOf(rs))).toEqual({ reason: 'token_key_unknown' });
    expect(await judge(verify, await tokenOf(rs, { iss: 'https://other.example' }))).toEqual({
      reason: 'token_issuer_unknown',
    });
    expect(sets.asked).toHaveLength(1);
  });

  it('§3.9: a token for another audience is refused', async () => {
    expect(await judged(await tokenOf(rs, { aud: 'https://other.example' }))).toEqual({
      reason: 'token_claim_invalid',
      claim: 'aud',
    });
  });

  it('§3.10: kid names a key of the set and nothing else; jku and x5u are never followed', async () => {
    expect(await judged(await tokenOf(rs, {}, { kid: '../../k1' }))).toEqual({ reason: 'token_key_unknown' });
    expect(await judged(await tokenOf(rs, {}, { jku: 'https://evil.example/', x5u: 'https://evil.example/' }))).toBe(
      'verified',
    );
  });

  it('§3.11: a token of another kind is refused, and `at+jwt` alone can be demanded', async () => {
    expect(await judged(await tokenOf(rs, {}, { typ: 'secevent+jwt' }))).toHaveProperty(
      'reason',
      'token_header_refused',
    );
    const strict = { types: ['at+jwt'], typeMayBeAbsent: false };
    expect(await judged(await tokenOf(rs, {}, { typ: 'at+jwt' }), strict)).toBe('verified');
    for (const typ of ['JWT', undefined])
      expect(await judged(await tokenOf(rs, {}, { typ }), strict)).toHaveProperty('reason', 'token_header_refused');
  });
});

describe('RFC 9068 §4', () => {
  it.each([
    ['alg none', {}, { alg: 'none' }],
    ['HS256 in place of the issuer’s key', null, {}],
    ['another issuer', { iss: 'https://other.example' }, {}],
    ['another audience', { aud: 'https://other.example' }, {}],
    ['an expired token', { exp: 1 }, {}],
  ])('refuses %s', async (_, claims, header) => {
    const token = claims
      ? await tokenOf(rs, claims, header)
      : await signWithSecret(secretOctets('x'.repeat(32)), { alg: 'HS256', kid: 'k1' });
    expect(await judged(token, { algorithms: ['RS256', 'HS256'] })).toHaveProperty('reason');
  });
});
