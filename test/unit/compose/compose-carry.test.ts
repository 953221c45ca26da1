import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { type Composed, compose } from '../../../lib/compose/authorizer.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { EgressRefused } from '../../../lib/decision/egress-refused.ts';
import type { AccessRequest } from '../../../lib/decision/request.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
function secretOf(name: string) {
  return `the ${name} secret, of more than 32 bytes`;
}
let ids = 0;
const sent: (string | null)[] = [];

function composeWith(env: Record<string, string>, before: Composed | null): Composed {
  const loaded = loadConfig(
    {
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_UPSTREAM_URL: 'http://127.0.0.1:1',
      TGEFD_RATE_LIMIT_PER_MINUTE: '1',
      TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE: '1',
      ...env,
    },
    place,
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const parts = {
    clock: () => Date.now(),
    newId: () => `id-${++ids}`.padEnd(26, 'x'),
    log: () => undefined,
    fetch: async (_input: string, init?: RequestInit) => {
      sent.push(new Headers(init?.headers).get('authorization'));
      return Response.error();
    },
    random: () => 0.5,
    sleep: async () => undefined,
    sharePromises: true,
    sharedKeySets: null,
    readFile: null,
    upstream: async () => new Response(),
    auditLine: null,
    spill: null,
    redisExchange: null,
  };
  const next = compose(loaded.config, parts, before);
  next.carried.store.adopt();
  return next;
}
function tokenOf(name: string, subject: string) {
  return new SignJWT({ sub: subject, jti: `of-${subject}` })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('5 min')
    .sign(new TextEncoder().encode(secretOf(name)));
}
async function series(parts: Composed, name: string) {
  return (await parts.metricsPage()).split('\n').filter((line) => line.startsWith(name));
}
async function decide(parts: Composed, token: string, peerAddress = '198.51.100.1') {
  const request: AccessRequest = {
    door: 'gateway',
    method: 'GET',
    target: '/v1/metrics',
    headers: new Headers({ host: 'api.example', authorization: `Bearer ${token}` }),
    hop: { peerAddress, secure: true, certificate: null },
  };
  const { decision } = await parts.enforce(request, { defer: () => undefined });
  return decision.denial?.reason ?? 'allowed';
}

test('another secret takes over, and everything that decisions rest on goes on', async () => {
  const first = composeWith({ TGEFD_JWT_SECRET: secretOf('first') }, null);
  const old = await tokenOf('first', 'alice');
  expect(await decide(first, old)).toBe('allowed');
  await first.revocations.add({
    kind: 'jti',
    id: 'of-bob',
    beforeSeconds: null,
    expiresAtSeconds: Math.floor(Date.now() / 1000) + 600,
    reason: null,
    createdAtSeconds: 0,
    by: 'test',
  });
  expect(await decide(first, 'a.b.c', '203.0.113.1')).toBe('token_malformed');

  const second = composeWith({ TGEFD_JWT_SECRET: secretOf('second') }, first);
  expect(await decide(second, old)).toBe('token_signature_invalid'); // Though it was verified before.
  expect(await decide(second, await tokenOf('second', 'alice'))).toBe('budget_exhausted');
  expect(await decide(second, await tokenOf('second', 'bob'))).toBe('credential_revoked');
  expect(await decide(second, 'a.b.c', '203.0.113.1')).toBe('authentication_throttled');
});

test('another pseudonym key gives every caller a new name, and forgets no revocation while the old one is kept', async () => {
  const [before, after] = ['the pseudonym key before, 32 bytes', 'the pseudonym key after, 32 bytes..'];
  const jwt = { TGEFD_JWT_SECRET: secretOf('first') };
  const first = composeWith({ ...jwt, TGEFD_AUDIT_PSEUDONYM_KEY: before }, null);
  expect(await decide(first, await tokenOf('first', 'alice'))).toBe('allowed');
  await first.revocations.add({
    kind: 'sub',
    id: 'bob',
    beforeSeconds: Math.floor(Date.now() / 1000) + 10,
    expiresAtSeconds: Math.floor(Date.now() / 1000) + 600,
    reason: null,
    createdAtSeconds: 0,
    by: 'test',
  });
  const keys = { TGEFD_AUDIT_PSEUDONYM_KEY: after, TGEFD_AUDIT_PSEUDONYM_KEY_PREVIOUS: before };
  const second = composeWith({ ...jwt, ...keys }, first);
  expect(await decide(second, await tokenOf('first', 'alice'))).toBe('allowed');
  expect(await decide(second, await tokenOf('first', 'bob'))).toBe('credential_revoked');
});

test('another Redis token is used from then on, by the same store: leases and snapshot go on', async () => {
  const redis = { TGEFD_JWT_SECRET: secretOf('first'), TGEFD_REDIS_URL: 'http://127.0.0.1:1' };
  const first = composeWith({ ...redis, TGEFD_REDIS_TOKEN: 'old' }, null);
  const ask = () => first.carried.store.revocations.list(null);
  await ask();
  const second = composeWith({ ...redis, TGEFD_REDIS_TOKEN: 'new' }, first);
  expect(second.carried.store.admission).toBe(first.carried.store.admission);
  await ask();
  expect(sent).toEqual(['Bearer old', 'Bearer new']);
});

test('no counter falls back: decisions, uses of a secret, lost records, lost spans, refused egress', async () => {
  const env = {
    TGEFD_METRICS_ENABLED: 'true',
    TGEFD_RATE_LIMIT_PER_MINUTE: '0',
    TGEFD_OTEL_ENABLED: 'true',
  };
  const first = composeWith({ ...env, TGEFD_JWT_SECRET: secretOf('first') }, null);
  expect(await decide(first, await tokenOf('first', 'alice'))).toBe('allowed');
  first.carried.egressWatch.note(new EgressRefused('a.example', 'scheme'));
  first.carried.records.lost += 2;
  first.carried.spans.lost += 3;
  const told = { TGEFD_JWT_SECRET: secretOf('second'), TGEFD_JWT_SECRET_PREVIOUS: secretOf('first') };
  const second = composeWith({ ...env, ...told }, first);
  expect(await series(second, 'tgefd_decisions_total')).toEqual([expect.stringMatching(/outcome="allowed".* 1$/)]);
  expect(await series(second, 'tgefd_credential_used_total{kind="jwt_secret",slot="current"}')).toEqual([
    expect.stringMatching(/ 1$/),
  ]);
  expect(await series(second, 'tgefd_decision_duration_seconds_count{stage="total"}')).toEqual([
    expect.stringMatching(/ 1$/),
  ]);
  expect(await series(second, 'tgefd_egress_refused_total')).toEqual(['tgefd_egress_refused_total 1']);
  second.carried.egressWatch.note(new EgressRefused('b.example', 'scheme'));
  expect(await series(second, 'tgefd_egress_refused_total')).toEqual(['tgefd_egress_refused_total 2']);
  expect(await series(second, 'tgefd_audit_lost_total')).toEqual(['tgefd_audit_lost_total 2']);
  expect(await series(second, 'tgefd_trace_spans_lost_total')).toEqual(['tgefd_trace_spans_lost_total 3']);
  expect(await decide(second, await tokenOf('first', 'alice'))).toBe('allowed');
  expect(await decide(second, await tokenOf('second', 'alice'))).toBe('allowed');
  expect(await series(second, 'tgefd_decisions_total')).toEqual([expect.stringMatching(/ 3$/)]);
});
