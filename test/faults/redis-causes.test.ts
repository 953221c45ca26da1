import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../support/child.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import type { RestFault } from '../support/upstash-face.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const program = await redisProgram();
const error = (message: string): RestFault => ({ kind: 'error', message });

describeWith([program], 'why Redis does not answer', () => {
  let [upstream, redis]: [Upstream?, RedisParts?] = [];
  const doors = new Map<string, StartedDoor>();
  beforeAll(async () => {
    [upstream, redis] = await Promise.all([startUpstream(), startRedis(program)]);
    const environment = {
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'api_key',
      TGEFD_API_KEY: 'alice:a-key-of-the-tests',
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_REDIS_URL: redis.url,
      TGEFD_REDIS_TOKEN: redis.token,
      TGEFD_REDIS_TIMEOUT_MS: '400',
      TGEFD_RATE_LIMIT_MODE: 'exact',
      TGEFD_RATE_LIMIT_PER_MINUTE: '6000',
      TGEFD_AUDIT_MODE: 'off',
      TGEFD_AUDIT_LOG: 'false',
      TGEFD_METRICS_ENABLED: 'true',
    };
    doors.set('Node', await startNodeDoor(environment));
    doors.set('workerd', await startWorkerDoor(environment));
  });
  afterAll(async () => {
    for (const door of doors.values()) await door.stop();
    await Promise.all([upstream?.stop(), redis?.stop()]);
  });

  test.each([
    ['token_refused', error('WRONGPASS invalid or missing auth token')],
    ['no_permission', error("NOPERM this user has no permissions to run the 'evalsha' command")],
    ['quota_exceeded', error('ERR max daily request limit exceeded. Limit: 10000, Usage: 10000')],
    ['out_of_memory', error("OOM command not allowed when used memory > 'maxmemory'.")],
    ['read_only', error("READONLY You can't write against a read only replica.")],
    ['unreachable', error('LOADING Redis is loading the dataset in memory')],
    ['unreachable', { kind: 'refuse' }],
    ['deadline', { kind: 'hang' }],
    ['http_status', { kind: 'status', status: 502 }],
  ] as const)('%s is a cause of its own in the metrics, for %o', async (why, fault) => {
    for (const [runtime, door] of doors) {
      const get = (path: string) =>
        requestRaw(door.port, `GET ${path} HTTP/1.1`, ['Host: a', 'X-Api-Key: a-key-of-the-tests']);
      const count = async () => {
        const { body } = await get('/_authorizer/metrics');
        return Number(new RegExp(`^tgefd_redis_failures_total\\{why="${why}"\\} (\\d+)$`, 'm').exec(body)?.[1] ?? 0);
      };
      const before = await count();
      await redis?.setFault(fault);
      await get('/v1/metrics');
      await redis?.setFault(null);
      expect([runtime, await count()]).toEqual([runtime, before + 1]);
      // Failures in a row would open the breaker.
      expect((await get('/v1/metrics')).status).toBe(200);
    }
  });

  test('an append to the outbox that failed is counted too', async () => {
    const metricsPort = await freePort();
    const door = await startNodeDoor({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'none',
      TGEFD_UPSTREAM_URL: upstream?.url ?? '',
      TGEFD_REDIS_URL: redis?.url ?? '',
      TGEFD_REDIS_TOKEN: redis?.token ?? '',
      TGEFD_RATE_LIMIT_PER_MINUTE: '0',
      TGEFD_REVOCATION_ON_ERROR: 'open',
      TGEFD_AUDIT_MODE: 'strict',
      TGEFD_AUDIT_LOG: 'false',
      TGEFD_METRICS_ENABLED: 'true',
      TGEFD_METRICS_PORT: `${metricsPort}`,
    });
    try {
      const get = async (path: string) => requestRaw(door.port, `GET ${path} HTTP/1.1`, ['Host: a']);
      expect((await get('/v1/metrics')).status).toBe(200);
      await redis?.setFault(error("OOM command not allowed when used memory > 'maxmemory'."));
      expect((await get('/v1/metrics')).status).toBe(503);
      const page = await requestRaw(metricsPort, 'GET /_authorizer/metrics HTTP/1.1', ['Host: a']);
      const [, counted] = /^tgefd_redis_failures_total\{why="out_of_memory"\} (\d+)$/m.exec(page.body) ?? [];
      expect(Number(counted)).toBeGreaterThan(0);
    } finally {
      await redis?.setFault(null);
      await door.stop();
    }
  });
});
