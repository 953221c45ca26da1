/**
 * RFC 7519 (JWT), as it binds a recipient.
 *
 * | requirement | test |
 * |---|---|
 * | §2 NumericDate: a JSON number, fractions allowed | "§2" |
 * | §3 compact serialisation only | rfc7515.test.ts "§7.2" |
 * | §3.1 example | rfc7515.test.ts "A.1": the same token |
 * | §4 duplicate claim names: reject, or last one only | "§4" (rejected) |
 * | §4 claims not understood are ignored | "§4" |
 * | §4.1.1 `iss`, §4.1.2 `sub` case-sensitive strings | "§4.1.1", "§4.1.2" |
 * | §4.1.3 `aud`: refused unless it names us; one string or an array | "§4.1.3" |
 * | §4.1.3 where no audience is configured | deviation: an audience is then not demanded. Production does not start without one |
 * | §4.1.4 `exp` on or after: refused; leeway of no more than a few minutes | "§4.1.4" |
 * | §4.1.5 `nbf` before: refused | "§4.1.5" |
 * | §4.1.6 `iat` | "§4.1.6": stricter than the RFC, one that lies ahead is refused |
 * | §4.1.7 `jti` a case-sensitive string | "§4.1.7"; refused once revoked, test/unit/admit |
 * | §5.1 `typ`, §5.2 `cty` | rfc7515.test.ts |
 * | §5.3 claims replicated as header parameters | not used: claims are read from the payload alone, "§5.3" |
 * | §6 unsecured JWTs | refused: "§6" |
 * | §7.2 steps 1–10 | "§7.2" |
 * | §8 mandatory algorithms HS256 (and RS256, ES256 recommended) | rfc7515.test.ts A.1 to A.3; which count is configuration |
 * | encryption (JWE, RFC 7516) | not accepted: rfc7515.test.ts "§5.2" |
 */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  audience,
  claims,
  createSigner,
  createVerifyToken,
  issuer,
  judge,
  keySetsOf,
  now,
  part,
  type Signer,
  sign,
  tokenOf,
  tokenSettings,
} from '../support/tokens.ts';

let signer: Signer;

beforeAll(async () => {
  signer = await createSigner('RS256');
});

function judged(token: string, settings = {}, at = now) {
  return judge(
    createVerifyToken({ ...tokenSettings, ...settings }, { keySets: keySetsOf([signer.verification]), secrets: [] }),
    token,
    at,
  );
}
async function judgedClaims(changes: object, settings = {}, at = now) {
  return judged(await tokenOf(signer, changes), settings, at);
}

function missing(claim: string) {
  return { reason: 'token_claim_missing', claim };
}
function invalid(claim: string) {
  return { reason: 'token_claim_invalid', claim };
}

describe('RFC 7519', () => {
  it('§2: a NumericDate is a JSON number and may have a fraction', async () => {
    expect(await judgedClaims({ exp: now + 1.5, nbf: now - 0.5, iat: now - 1.25 })).toBe('verified');
    for (const claim of ['exp', 'nbf', 'iat'])
      for (const value of [`${now}`, new Date(now * 1000).toISOString(), null, true, [now], {}])
        expect(await judgedClaims({ [claim]: value })).toEqual(invalid(claim));
  });

  it('§4: duplicate claim names are refused; claims not understood are ignored', async () => {
    const text = JSON.stringify(claims);
    const signed = (body: string) => sign(signer, { alg: 'RS256' }, body);
    expect(await judged(await signed(text.replace('{', '{"exp":1,')))).toEqual({
      reason: 'token_malformed',
      part: 'claims',
    });
    expect(await judged(await signed(text.replace('{', '{"urn:x":{"exp":1},"x":null,')))).toBe('verified');
  });

  it('§4.1.1: iss is the configured one, case-sensitive', async () => {
    expect(await judgedClaims({ iss: issuer.toUpperCase() })).toEqual({ reason: 'token_issuer_unknown' });
    expect(await judgedClaims({ iss: undefined })).toEqual(missing('iss'));
    expect(await judgedClaims({ iss: [issuer] })).toEqual(invalid('iss'));
  });

  it('§4.1.2: sub is a string', async () => {
    expect(await judgedClaims({ sub: 7 })).toEqual(invalid('sub'));
    expect(await judgedClaims({ sub: undefined })).toEqual(missing('sub'));
  });

  it('§4.1.3: aud names us, as one string or in an array, case-sensitive', async () => {
    for (const aud of [audience, [audience], ['x', audience]]) expect(await judgedClaims({ aud })).toBe('verified');
    for (const aud of ['x', [], ['x'], audience.toUpperCase(), { [audience]: true }, [[audience]], null])
      expect(await judgedClaims({ aud })).toEqual(invalid('aud'));
    expect(await judgedClaims({ aud: undefined })).toEqual(missing('aud'));
    expect(await judgedClaims({ aud: 'x' }, { audience: null })).toBe('verified');
  });

  it('§4.1.4: on exp and after it the token is refused, with the configured leeway', async () => {
    const exp = now + 300;
    const settings = { clockSkewSeconds: 0 };
    expect(await judgedClaims({ exp }, settings, exp - 1)).toBe('verified');
    expect(await judgedClaims({ exp }, settings, exp)).toHaveProperty('reason', 'token_expired');
    expect(await judgedClaims({ exp }, {}, exp + 59)).toBe('verified');
    expect(await judgedClaims({ exp }, {}, exp + 60)).toHaveProperty('reason', 'token_expired');
    expect(await judgedClaims({ exp: undefined })).toEqual(missing('exp'));
  });

  it('§4.1.5: before nbf the token is refused, with the configured leeway', async () => {
    const nbf = now + 10;
    expect(await judgedClaims({ nbf }, { clockSkewSeconds: 0 })).toEqual({
      reason: 'token_not_yet_valid',
      claim: 'nbf',
      secondsAhead: 10,
    });
    expect(await judgedClaims({ nbf }, { clockSkewSeconds: 10 })).toBe('verified');
  });

  it('§4.1.6: an iat that lies ahead is refused', async () => {
    expect(await judgedClaims({ iat: now + 61, exp: now + 300 })).toEqual({
      reason: 'token_not_yet_valid',
      claim: 'iat',
      secondsAhead: 61,
    });
  });

  it('§4.1.7: jti is a string', async () => {
    expect(await judgedClaims({ jti: 'a' })).toBe('verified');
    expect(await judgedClaims({ jti: 1 })).toEqual(invalid('jti'));
  });

  it('§5.3: a claim in the header is no claim', async () => {
    const { exp, ...others } = claims;
    expect(await judged(await sign(signer, { alg: 'RS256', exp }, others))).toEqual(missing('exp'));
    expect(await judged(await sign(signer, { alg: 'RS256', iss: 'x', sub: 'root', aud: 'x' }))).toBe('verified');
  });

  it('§6: an unsecured JWT is refused', async () => {
    expect(
      await judged(
        'eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.',
      ),
    ).toHaveProperty('reason', 'token_malformed');
    expect(await judged(`${part({ alg: 'none' })}.${part(claims)}.AA`)).toEqual({ reason: 'token_algorithm_refused' });
  });

  it('§7.2: the message is valid UTF-8 and a JSON object', async () => {
    for (const body of [
      '[]',
      '"x"',
      '1',
      'null',
      'true',
      '',
      new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    ])
      expect(await judged(await sign(signer, { alg: 'RS256' }, body))).toHaveProperty('reason', 'token_malformed');
  });
});
