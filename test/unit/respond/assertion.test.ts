import {
  calculateJwkThumbprint,
  compactVerify,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  type JWK,
  jwtVerify,
} from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { type AssertionFacts, createAssertions } from '../../../lib/respond/assertion.ts';
import { type AssertionKey, parseAssertionKey } from '../../../lib/respond/assertion-key.ts';

const NOW_MS = 1_999_999_800_750;
const facts: AssertionFacts = {
  decisionId: 'decision-1',
  subject: 'analyst@example.test',
  scopes: ['discover', 'jobs'],
  authMethod: 'jwt',
  method: 'POST',
  path: '/v1/discover',
};

async function privateJwk(algorithm: 'EdDSA' | 'ES256' | 'RS256'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return exportJWK(privateKey);
}

function parsed(jwk: object): AssertionKey {
  const answer = parseAssertionKey(JSON.stringify(jwk));
  if (!answer.ok) throw new Error(answer.problem);
  return answer.key;
}

function signer(keys: readonly [AssertionKey, ...AssertionKey[]], lifetimeSeconds = 30) {
  return createAssertions(
    { keys, issuer: 'tgefd-authorizer', audience: 'https://api.internal', lifetimeSeconds },
    () => NOW_MS,
  );
}

let ed25519: JWK;
let p256: JWK;
beforeAll(async () => {
  ed25519 = await privateJwk('EdDSA');
  p256 = await privateJwk('ES256');
});

describe('createAssertions', () => {
  test.each(['EdDSA', 'ES256'] as const)(
    'signs with %s what one decision allowed, and nothing else',
    async (algorithm) => {
      const jwk = algorithm === 'EdDSA' ? ed25519 : p256;
      const assertions = signer([parsed(jwk)]);
      const assertion = await assertions.sign(facts);
      const keys = await assertions.jwks();
      const { payload, protectedHeader } = await compactVerify(assertion, createLocalJWKSet({ keys: [...keys.keys] }));
      expect(protectedHeader).toEqual({
        alg: algorithm,
        kid: await calculateJwkThumbprint(jwk),
        typ: 'tgefd-assertion+jwt',
      });
      expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({
        iss: 'tgefd-authorizer',
        aud: 'https://api.internal',
        sub: 'analyst@example.test',
        scope: 'discover jobs',
        amr: ['jwt'],
        jti: 'decision-1',
        iat: 1_999_999_800,
        exp: 1_999_999_830,
        htm: 'POST',
        htu: 'https://api.internal/v1/discover',
      });
    },
  );

  test('publishes no private member', async () => {
    const { keys } = await signer([parsed(ed25519), parsed(p256)]).jwks();
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    ]);
  });

  test('a token of the previous key verifies after rotation while that key is listed, and not once it is gone', async () => {
    const [old, next] = [parsed({ ...ed25519, kid: 'old' }), parsed({ ...p256, kid: 'next' })];
    const assertion = await signer([old, next]).sign(facts);
    const options = { currentDate: new Date(NOW_MS) };
    const rotated = createLocalJWKSet({ keys: [...(await signer([next, old]).jwks()).keys] });
    await expect(jwtVerify(assertion, rotated, options)).resolves.toMatchObject({ protectedHeader: { kid: 'old' } });
    expect((await jwtVerify(await signer([next, old]).sign(facts), rotated, options)).protectedHeader.kid).toBe('next');
    const retired = createLocalJWKSet({ keys: [...(await signer([next]).jwks()).keys] });
    await expect(jwtVerify(assertion, retired, options)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  test('a key whose halves do not belong together is told of and never signs', async () => {
    const other = await privateJwk('EdDSA');
    const assertions = signer([parsed({ ...ed25519, d: other.d })]);
    expect(await assertions.prepare()).toMatch(/do not belong together/);
    await expect(assertions.sign(facts)).rejects.toThrow(/do not belong together/);
    await expect(assertions.jwks()).rejects.toThrow();
  });

  test('a bad previous key is told of too', async () => {
    const point = await privateJwk('ES256');
    expect(await signer([parsed(ed25519), parsed({ ...p256, x: point.x })]).prepare()).toMatch(
      /do not belong together/,
    );
  });

  test('two keys of one kid are told of', async () => {
    expect(await signer([parsed({ ...ed25519, kid: 'k' }), parsed({ ...p256, kid: 'k' })]).prepare()).toMatch(
      /same kid/,
    );
    expect(await signer([parsed(ed25519), parsed(p256)]).prepare()).toBeNull();
  });

  test.each([0, 61, Number.NaN])('refuses a lifetime of %s seconds', (lifetimeSeconds) => {
    expect(() => signer([parsed(ed25519)], lifetimeSeconds)).toThrow(RangeError);
  });
});

test('as a Transaction Token it has the type and the claims of that draft', async () => {
  const settings = {
    ...{ keys: [parsed(await privateJwk('EdDSA'))] as const, issuer: 'tgefd-authorizer', lifetimeSeconds: 60 },
    ...{ audience: 'https://api.internal', profile: 'txn-token' as const },
  };
  const token = await createAssertions(settings, () => NOW_MS).sign({
    ...facts,
    issuer: 'https://id.example',
    claims: { tenant: 'acme' },
  });
  const nowSeconds = Math.floor(NOW_MS / 1000);
  expect(decodeProtectedHeader(token).typ).toBe('txntoken+jwt');
  expect(decodeJwt(token)).toEqual({
    ...{ iss: 'tgefd-authorizer', aud: 'https://api.internal', iat: nowSeconds, exp: nowSeconds + 60 },
    ...{ txn: facts.decisionId, sub: facts.subject, scope: 'discover jobs', req_wl: 'tgefd-authorizer' },
    tctx: { htm: 'POST', htu: 'https://api.internal/v1/discover', claims: { tenant: 'acme' } },
    rctx: { idp: 'https://id.example', amr: ['jwt'] },
  });
});
