import { expect, it } from 'vitest';
import { createUlids } from '../../../lib/codec/ulid.ts';
import { compose } from '../../../lib/compose/authorizer.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import type { RevocationKind } from '../../../lib/decision/reason.ts';
import { rawFields } from '../../../lib/request/raw-fields.ts';
import { context, secretOctets, signWithSecret } from '../../support/tokens.ts';

const secret = 's'.repeat(32);
const nowSeconds = 1_800_000_000;

function composed() {
  const clock = () => nowSeconds * 1000;
  const loaded = loadConfig(
    {
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWT_SECRET: secret,
      TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
      TGEFD_AUDIT_MODE: 'off',
      TGEFD_AUDIT_LOG: 'false',
    },
    { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false },
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return compose(loaded.config, {
    clock,
    newId: createUlids(clock),
    log: () => {},
    fetch: () => Promise.reject(new Error('nothing to fetch')),
    random: () => 0.5,
    sleep: async () => {},
    sharePromises: true,
    sharedKeySets: null,
    readFile: null,
    upstream: async () => new Response(),
    auditLine: null,
    spill: null,
    redisExchange: null,
  });
}

it.each<[RevocationKind, string]>([
  ['jti', 'token-1'],
  ['sub', 'alice'],
])('a credential revoked by %s in this process is refused from the next decision on', async (kind, id) => {
  const { enforce, revocations } = composed();
  const token = await signWithSecret(
    secretOctets(secret),
    { alg: 'HS256' },
    { sub: 'alice', jti: 'token-1', iat: nowSeconds - 10, exp: nowSeconds + 60 },
  );
  const decide = async () => {
    const { decision } = await enforce(
      {
        door: 'gateway',
        method: 'GET',
        target: '/v1/jobs/1',
        headers: rawFields(['host', 'api.example', 'authorization', `Bearer ${token}`]),
        hop: { peerAddress: '192.0.2.1', secure: true, certificate: null },
      },
      context,
    );
    return decision.denial;
  };
  // Three times, so that the token and what could revoke it are remembered before it is revoked.
  for (let sighting = 0; sighting < 3; sighting++) expect(await decide()).toBeNull();
  await revocations.add({
    kind,
    id,
    beforeSeconds: kind === 'sub' ? nowSeconds : null,
    expiresAtSeconds: nowSeconds + 3600,
    reason: null,
    createdAtSeconds: nowSeconds,
    by: 'test',
  });
  expect(await decide()).toEqual({ reason: 'credential_revoked', by: kind });
});
