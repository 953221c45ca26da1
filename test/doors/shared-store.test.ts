import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../lib/config/load.ts';
import { posture } from '../../lib/config/posture/posture.ts';
import { problemLine } from '../../lib/config/problem.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const program = await redisProgram();
const SECRET = 'a secret of these tests, of 32 bytes or more';

function tokenOf(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(Date.now() / 1000) - 5;
  const text = `${part({ alg: 'HS256' })}.${part({ iat, exp: iat + 600, ...claims })}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

describeWith([program], 'processes that share a Redis', () => {
  let upstream: Upstream;
  let redis: RedisParts;
  beforeAll(async () => {
    [upstream, redis] = await Promise.all([startUpstream(), startRedis(program)]);
  });
  afterAll(() => Promise.all([upstream?.stop(), redis?.stop()]));

  const doors: StartedDoor[] = [];
  afterEach(() => Promise.all(doors.splice(0).map((door) => door.stop())));
  const environment = (more: Record<string, string>) => ({
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'api_key',
    TGEFD_API_KEY: 'alice:a-key-of-the-tests',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TOKEN: redis.token,
    TGEFD_REDIS_TIMEOUT_MS: '2000',
    TGEFD_AUDIT_LOG: 'false',
    ...more,
  });
  const ask = async (door: StartedDoor, path = '/v1/metrics') =>
    (await fetch(`${door.url}${path}`, { headers: { 'x-api-key': 'a-key-of-the-tests' } })).status;
  const command = (...words: string[]) =>
    fetch(redis.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${redis.token}` },
      body: JSON.stringify(words),
    });

  test('know a caller by one name in development too, without a pseudonym key: one budget', async () => {
    const limits = environment({
      TGEFD_AUDIT_MODE: 'off',
      TGEFD_RATE_LIMIT_MODE: 'exact',
      TGEFD_RATE_LIMIT_PER_MINUTE: '1',
      TGEFD_BURST_LIMIT: '6',
    });
    doors.push(await startNodeDoor(limits), await startNodeDoor(limits), await startWorkerDoor(limits));
    const statuses: number[] = [];
    for (let turn = 0; turn < 9; turn++) statuses.push(await ask(doors[turn % 3] as StartedDoor));
    expect(statuses.filter((status) => status === 200)).toHaveLength(6);
  });

  test('obey a revocation that another one took, of a subject and of a token, without a pseudonym key', async () => {
    const tokens = environment({
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_API_KEY: '',
      TGEFD_JWT_SECRET: SECRET,
      TGEFD_RATE_LIMIT_MODE: 'exact',
      TGEFD_AUDIT_MODE: 'off',
      TGEFD_RBAC_ENABLED: 'true',
    });
    delete (tokens as Record<string, string>).TGEFD_API_KEY;
    doors.push(await startNodeDoor(tokens), await startNodeDoor(tokens), await startWorkerDoor(tokens));
    const [first, ...others] = doors as [StartedDoor, ...StartedDoor[]];
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    const revoke = (body: object) =>
      fetch(`${first.url}/_authorizer/revocations`, {
        method: 'POST',
        headers: { ...bearer(tokenOf({ sub: 'root', scope: 'revoke' })), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    for (const [claims, body] of [
      [
        { sub: 'alice', jti: 'one' },
        { kind: 'jti', id: 'one' },
      ],
      [
        { sub: 'bob', jti: 'two' },
        { kind: 'sub', id: 'bob' },
      ],
    ] as const) {
      const token = tokenOf({ ...claims, scope: 'metrics' });
      const askAll = () =>
        Promise.all(
          others.map(async ({ url }) => (await fetch(`${url}/v1/metrics`, { headers: bearer(token) })).status),
        );
      expect(await askAll()).toEqual([200, 200]);
      expect((await revoke(body)).status).toBeLessThan(300);
      expect(await askAll()).toEqual([401, 401]);
    }
  });

  test('spend a scarce leased budget to the last token, and never one more', async () => {
    const scarce = environment({
      TGEFD_AUDIT_MODE: 'off',
      TGEFD_RATE_LIMIT_MODE: 'leased',
      TGEFD_RATE_LIMIT_PER_MINUTE: '1',
      TGEFD_BURST_LIMIT: '40',
      TGEFD_MAX_CONCURRENT_REQUESTS: '0',
      TGEFD_AUDIT_PSEUDONYM_KEY: 'a pseudonym key of this test alone, 32 bytes',
    });
    doors.push(await startNodeDoor(scarce), await startNodeDoor(scarce));
    const statuses = await Promise.all(Array.from({ length: 120 }, (_, turn) => ask(doors[turn % 2] as StartedDoor)));
    const passed = statuses.filter((status) => status === 200).length;
    expect(passed).toBeGreaterThanOrEqual(39);
    expect(passed).toBeLessThanOrEqual(41);
    expect(statuses.every((status) => status === 200 || status === 429)).toBe(true);
  });

  test('are not ready once records find no place, and ready again when there is room', async () => {
    await command('DEL', 'tgefd:v1:audit');
    const door = await startNodeDoor(environment({ TGEFD_AUDIT_MODE: 'strict', TGEFD_AUDIT_STREAM_MAX: '100' }));
    doors.push(door);
    for (let turn = 0; turn < 100; turn++) expect(await ask(door)).toBe(200);
    expect(await ask(door, '/readyz')).toBe(200);
    expect(await ask(door)).toBe(503);
    expect(await ask(door, '/readyz')).toBe(503);
    await command('DEL', 'tgefd:v1:audit');
    expect(await ask(door, '/readyz')).toBe(200);
    expect(await ask(door)).toBe(200);
  });
});

test('production without an archive is warned of it at the start, and names it first among the weaknesses', () => {
  const loaded = loadConfig(
    {
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_UPSTREAM_URL: 'https://api.internal',
      TGEFD_JWKS_URL: 'https://issuer.example/jwks',
      TGEFD_JWT_ISSUER: 'https://issuer.example',
      TGEFD_JWT_AUDIENCE: 'tgefd',
      TGEFD_REDIS_URL: 'https://redis.example',
      TGEFD_REDIS_TOKEN: 'token',
      TGEFD_AUDIT_PSEUDONYM_KEY: 'x'.repeat(32),
      TGEFD_AUDIT_STREAM_MAX: '5000',
    },
    { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false },
  );
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  expect(loaded.warnings.map(problemLine)).toEqual([
    expect.stringMatching(/^TGEFD_AUDIT_BUCKET: found nothing; .*5000 records.*audit_unavailable/),
  ]);
  const [first] = posture(loaded.config).filter(({ kind }) => kind === 'weak');
  expect(first?.text).toMatch(/archives no records .*5000 records/);
});
