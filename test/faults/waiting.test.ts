import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type LosingProxy, startLosingProxy } from '../support/losing-proxy.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const program = await redisProgram();
const AUDIT_TIMEOUT_MS = 400;
/** What a busy machine may add. */
const SLACK_MS = 600;

describeWith([program], 'what a decision waits for', () => {
  let upstream: Upstream;
  let redis: RedisParts;
  let door: StartedDoor | null = null;
  let proxy: LosingProxy | null = null;
  beforeAll(async () => {
    [upstream, redis] = await Promise.all([startUpstream(), startRedis(program)]);
  });
  afterAll(() => Promise.all([upstream?.stop(), redis?.stop()]));
  afterEach(async () => {
    await door?.stop();
    await proxy?.stop();
    [door, proxy] = [null, null];
    await redis.setFault(null);
    redis.resetCounts();
  });

  const environment = (more: Record<string, string>) => ({
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'api_key',
    TGEFD_API_KEY: 'alice:a-key-of-the-tests',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TOKEN: redis.token,
    TGEFD_AUDIT_LOG: 'false',
    ...more,
  });
  const ask = async (path = '/v1/metrics') => {
    const begunMs = performance.now();
    const fields = ['Host: a', 'X-Api-Key: a-key-of-the-tests'];
    const { status } = await requestRaw(door?.port ?? 0, `GET ${path} HTTP/1.1`, fields);
    return { status, ms: performance.now() - begunMs };
  };

  describe.each([
    ['Node', startNodeDoor],
    ['workerd', startWorkerDoor],
  ] as const)('on %s', (_, start) => {
    test('a record is waited for as long as TGEFD_AUDIT_TIMEOUT_MS says, and then not by every request', async () => {
      door = await start(
        environment({
          TGEFD_AUDIT_MODE: 'strict',
          TGEFD_AUDIT_TIMEOUT_MS: `${AUDIT_TIMEOUT_MS}`,
          TGEFD_REVOCATION_ON_ERROR: 'open',
          TGEFD_REDIS_TIMEOUT_MS: '100',
        }),
      );
      expect((await ask()).status).toBe(200);
      await redis.setFault({ kind: 'hang' });
      const first = await ask();
      expect(first.status).toBe(503);
      expect(first.ms).toBeGreaterThan(AUDIT_TIMEOUT_MS - 50);
      expect(first.ms).toBeLessThan(AUDIT_TIMEOUT_MS + 100 + SLACK_MS);
      const second = await ask();
      expect(second.status).toBe(503);
      expect(second.ms).toBeLessThan(100 + SLACK_MS);
    });

    test('a connection to Redis that was reset while it rested costs a decision nothing', async () => {
      proxy = await startLosingProxy(Number(new URL(redis.url).port), { resetAfterMs: 60 });
      door = await start(
        environment({
          TGEFD_AUDIT_MODE: 'off',
          TGEFD_REDIS_URL: `http://127.0.0.1:${proxy.port}`,
          TGEFD_RATE_LIMIT_MODE: 'exact',
          TGEFD_RATE_LIMIT_PER_MINUTE: '6000',
          TGEFD_RATE_LIMIT_ON_ERROR: 'closed',
          TGEFD_REDIS_TIMEOUT_MS: '2000',
        }),
      );
      for (let turn = 0; turn < 6; turn++) {
        expect((await ask()).status).toBe(200);
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
      expect(proxy.reset.count).toBeGreaterThanOrEqual(5);
    });
  });

  test('a Node process is ready once two connections are made and the script is loaded', async () => {
    await redis.setFault({ kind: 'delay', delayMs: 700 });
    await redis.client.script('FLUSH');
    redis.resetCounts();
    proxy = await startLosingProxy(Number(new URL(redis.url).port));
    door = await startNodeDoor(
      environment({
        TGEFD_AUDIT_MODE: 'off',
        TGEFD_REDIS_URL: `http://127.0.0.1:${proxy.port}`,
        TGEFD_RATE_LIMIT_MODE: 'exact',
        TGEFD_RATE_LIMIT_PER_MINUTE: '6000',
        TGEFD_REDIS_TIMEOUT_MS: '1500',
      }),
    );
    const ready = await ask('/readyz');
    expect(ready.status).toBe(200);
    expect(redis.counts.requests).toBe(2);
    expect(proxy.opened.count).toBe(2);
    await redis.setFault(null);
    redis.resetCounts();
    expect((await ask()).status).toBe(200);
    expect([redis.counts.requests, proxy.opened.count]).toEqual([1, 2]);
  });
});
