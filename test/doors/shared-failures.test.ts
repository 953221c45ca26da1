import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const program = await redisProgram();

describeWith([program], 'failed authentications of one address, through two processes on one Redis', () => {
  let issuer: Issuer;
  let upstream: Upstream;
  let redis: RedisParts;
  let doors: StartedDoor[] = [];
  beforeAll(async () => {
    [issuer, upstream, redis] = await Promise.all([startIssuer(), startUpstream(), startRedis(program)]);
    const environment = {
      ...jwtEnvironment(issuer),
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_REDIS_URL: redis.url,
      TGEFD_REDIS_TOKEN: redis.token,
      TGEFD_REDIS_TIMEOUT_MS: '2000',
      TGEFD_AUDIT_PSEUDONYM_KEY: 'one pseudonym key that all doors share',
      TGEFD_AUDIT_MODE: 'off',
      TGEFD_AUDIT_LOG: 'false',
      TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE: '10',
    };
    doors = await Promise.all([startNodeDoor(environment), startNodeDoor(environment)]);
  });
  afterAll(() => Promise.all([...doors.map((door) => door.stop()), issuer?.stop(), upstream?.stop(), redis?.stop()]));

  const ask = (door: StartedDoor | undefined, token: string) =>
    fetch(`${door?.url}/v1/metrics`, { headers: { authorization: `Bearer ${token}` } });

  test('one failure costs no trip; a budget that one process has spent is refused by the other within seconds', async () => {
    const [first, second] = doors;
    // Connections are warmed ahead of the first decision: that is no trip of a failure.
    for (const door of doors) await expect.poll(async () => (await fetch(`${door.url}/readyz`)).status).toBe(200);
    redis.resetCounts();
    expect((await ask(first, 'not-a-token')).status).toBe(401);
    expect(redis.counts.requests).toBe(0);
    for (let turn = 0; turn < 10; turn++) await ask(first, 'not-a-token');
    expect((await ask(first, 'not-a-token')).status).toBe(429);
    const statuses: number[] = [];
    await expect
      .poll(
        async () => {
          const answer = await ask(second, 'not-a-token');
          statuses.push(answer.status);
          return answer.status;
        },
        { timeout: 5_000, interval: 100 },
      )
      .toBe(429);
    expect(statuses.length).toBeLessThanOrEqual(5);
    const refused = await ask(second, 'not-a-token');
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    const valid = await ask(second, await issuer.token());
    expect(valid.status).toBe(200);
    const keys = await redis.client.keys('tgefd:v1:failures:*');
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.join()).not.toContain('127.0.0.1');
  });
});
