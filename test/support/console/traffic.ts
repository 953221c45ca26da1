import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsoleRig } from './rig.ts';

/** Some of everything: allowed, forbidden, expired, unknown and flooding callers. Resolves when all are answered. */
export async function someTraffic(rig: Pick<ConsoleRig, 'ask' | 'token'>, rounds = 6): Promise<void> {
  const [alice, narrow, flooder, foreign] = await Promise.all([
    rig.token({ subject: 'alice', scope: 'discover jobs metrics' }),
    rig.token({ subject: 'reporting-job', scope: 'jobs' }),
    rig.token({ subject: 'batch-importer', scope: 'discover' }),
    rig.token({ subject: 'partner', scope: 'jobs', audience: 'urn:another:api' }),
  ]);
  const expired = await rig.token({ subject: 'nightly-export', scope: 'jobs', lifetimeSeconds: 1 });
  await sleep(1_100);
  for (let round = 0; round < rounds; round++) {
    await Promise.all([
      ...Array.from({ length: 6 }, (_, i) => rig.ask(`/v1/jobs/${i}`, alice)),
      rig.ask('/v1/metrics', alice),
      rig.ask('/v1/metrics', narrow),
      rig.ask('/v1/discover', narrow, { method: 'POST' }),
      rig.ask('/v1/jobs/7', expired),
      rig.ask('/v1/jobs/8', foreign),
      rig.ask('/v1/jobs/9', null),
      rig.ask('/wp-login.php', alice),
      ...Array.from({ length: 14 }, () => rig.ask('/v1/discover', flooder, { method: 'POST' })),
    ]);
  }
}

/** One revocation of each kind, made through the API. */
export async function someRevocations(rig: Pick<ConsoleRig, 'gateway' | 'token' | 'issuer'>): Promise<void> {
  const authorization = `Bearer ${await rig.token({ subject: 'root', scope: 'revoke' })}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const wanted = [
    { kind: 'jti', id: 'token-of-a-build', reason: 'leaked in a build log' },
    { kind: 'sub', id: 'former-partner', issuer: rig.issuer.url, reason: 'contract ended' },
    { kind: 'kid', id: 'signing-key-2024' },
    { kind: 'thumbprint', id: 'ab'.repeat(32), reason: 'laptop lost' },
    { kind: 'key_id', id: 'ci' },
  ];
  for (const entry of wanted)
    await fetch(`${rig.gateway}/_authorizer/revocations`, { method: 'POST', body: JSON.stringify(entry), headers });
}
