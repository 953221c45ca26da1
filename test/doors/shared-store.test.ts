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
