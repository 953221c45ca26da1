import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { createAssertions } from '../../../lib/respond/assertion.ts';
import { type AssertionKey, parseAssertionKey } from '../../../lib/respond/assertion-key.ts';

const NOW_MS = 1_999_999_800_750;

async function privateJwk(algorithm: 'EdDSA' | 'ES256'): Promise<JWK> {
  return exportJWK((await generateKeyPair(algorithm, { extractable: true })).privateKey);
}

function signer(jwk: JWK) {
  const answer = parseAssertionKey(JSON.stringify(jwk));
  if (!answer.ok) throw new Error(answer.problem);
  const keys: [AssertionKey] = [answer.key];
  return createAssertions({ keys, issuer: 'i', audience: 'https://api.internal', lifetimeSeconds: 30 }, () => NOW_MS);
}

test.each(['EdDSA', 'ES256'] as const)('a Worker signs with %s', async (algorithm) => {
  const assertions = signer(await privateJwk(algorithm));
  const assertion = await assertions.sign({
    decisionId: 'd',
    subject: 's',
    scopes: [],
    authMethod: 'jwt',
    method: 'GET',
    path: '/',
  });
  const keys = createLocalJWKSet({ keys: [...(await assertions.jwks()).keys] });
  const { payload } = await jwtVerify(assertion, keys, { currentDate: new Date(NOW_MS) });
  expect(payload).toMatchObject({ sub: 's', htu: 'https://api.internal/' });
});

test.each(['EdDSA', 'ES256'] as const)('a Worker tells of halves of two %s keys', async (algorithm) => {
  const other = await privateJwk(algorithm);
  const mixed = { ...(await privateJwk(algorithm)), d: other.d };
  expect(await signer(JSON.parse(JSON.stringify(mixed))).prepare()).toMatch(/do not belong together/);
});
