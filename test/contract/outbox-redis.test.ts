import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRedisOutbox, type RedisOutboxSettings, type RedisRequester } from '../../lib/audit/outbox-redis.ts';
import { redisOutbox } from '../../lib/audit/redis-outbox-parts.ts';
import { createNodeEgress } from '../../lib/platform/node/egress.ts';
import { createNodeRedisExchange } from '../../lib/platform/node/redis.ts';
import { createTcpClient } from '../../lib/platform/node/redis-tcp/client.ts';
import { createUpstashClient } from '../../lib/redis/upstash-client.ts';
import { describeWith } from '../support/describe-with.ts';
import { startLosingProxy } from '../support/losing-proxy.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { outboxContract } from './outbox-suite.ts';

const program = await redisProgram();

describeWith([program], 'the outbox as a Redis Stream', () => {
  let redis: RedisParts;
  let streams = 0;
  beforeAll(async () => {
    redis = await startRedis(program);
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    await redis.setFault(null);
    redis.resetCounts();
  });

  const requester: RedisRequester = {
    async request({ body, signal }) {
      const response = await fetch(redis.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${redis.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
      });
      return response.json();
    },
  };
  const make = (settings: Partial<RedisOutboxSettings> = {}) =>
    createRedisOutbox(
      { stream: `test:audit:${++streams}`, maximumEntries: 100, timeoutMs: 300, shareTrips: false, ...settings },
      requester,
    );

  for (const shareTrips of [false, true]) {
    describe(shareTrips ? 'with shared trips' : 'with a trip each', () => {
      outboxContract(async (maximumEntries) => ({
        outbox: make({ maximumEntries, shareTrips, timeoutMs: 5000 }),
        nowMs: Date.now,
        pass: (ms) => pass(ms),
      }));
    });
  }

  test('one append is one request and one command', async () => {
    const outbox = make();
    await outbox.append('{}');
    await outbox.append('{}');
    expect(redis.counts).toEqual({ requests: 2, commands: 2 });
  });

  test('appends that arrive together share trips', async () => {
    const outbox = make({ shareTrips: true, maximumEntries: 1000 });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, number) => outbox.append(`{"n":${number}}`)));
    expect(answers.every(({ outcome }) => outcome === 'stored')).toBe(true);
    expect(redis.counts.requests).toBeLessThan(10);
    expect(await outbox.backlog()).toMatchObject({ entries: 200 });
  });

  test('when a shared trip fails, those who wait for the next fail with it, all within one time-out', async () => {
    const outbox = make({ shareTrips: true, maximumEntries: 10_000 });
    await redis.setFault({ kind: 'hang' });
    const startedMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 1000 }, () => outbox.append('{}')));
    expect(answers.every(({ outcome }) => outcome === 'unavailable')).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(550);
    await redis.setFault(null);
    expect(await outbox.append('{}')).toMatchObject({ outcome: 'stored', depth: 1 });
  });

  test('the bound holds against many writers at once', async () => {
    const writers = Array.from({ length: 4 }, () => make({ maximumEntries: 50 }));
    const stream = `test:audit:bound-${streams}`;
    const outboxes = writers.map(() => make({ stream, maximumEntries: 50, timeoutMs: 5000 }));
    const answers = await Promise.all(Array.from({ length: 120 }, (_, n) => outboxes[n % 4]?.append('{}')));
    expect(answers.filter((answer) => answer?.outcome === 'stored')).toHaveLength(50);
    expect(answers.filter((answer) => answer?.outcome === 'full')).toHaveLength(70);
    expect(Number(await redis.client.xlen(stream))).toBe(50);
  });

  test.each([
    [{ kind: 'refuse' as const }],
    [{ kind: 'hang' as const }],
    [{ kind: 'reset' as const }],
    [{ kind: 'status' as const, status: 502 }],
    [{ kind: 'error' as const, message: 'OOM command not allowed' }],
    [{ kind: 'delay' as const, delayMs: 2000 }],
  ])('when Redis fails with %j an append says unavailable within its time, and never throws', async (fault) => {
    const outbox = make();
    await redis.setFault(fault);
    const startedMs = performance.now();
    expect(await outbox.append('{}')).toEqual({ outcome: 'unavailable' });
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  test('reading rejects when Redis fails, without repeating what was sent', async () => {
    const outbox = make();
    await outbox.append('{"id":"secret-looking"}');
    await redis.setFault({ kind: 'error', message: 'READONLY' });
    await expect(outbox.read(Number.MAX_SAFE_INTEGER, 1000)).rejects.toThrow(/^Redis refused a command$/);
  });

  test('an entry of another shape comes as an empty record', async () => {
    const stream = `test:audit:foreign-${streams}`;
    const outbox = make({ stream });
    await redis.client.xadd(stream, '*', 'other', 'x', 'more', 'y');
    expect((await outbox.read(Number.MAX_SAFE_INTEGER, 1000)).map(({ record }) => record)).toEqual(['']);
  });

  describe('an append whose answer is lost with its connection', () => {
    const clientOf = (kind: 'REST' | 'TCP', port: number) => {
      const host = `127.0.0.1:${port}`;
      const target = { host, name: '127.0.0.1', port, variable: 'X', addresses: 'loopback' } as const;
      const egress = createNodeEgress([target], () => {});
      if (kind === 'REST')
        return createUpstashClient(createNodeRedisExchange(new URL(`http://${host}`), egress, () => {})(redis.token));
      const topology = { url: new URL(`redis://${host}`), nodes: [], cluster: false, sentinel: null };
      return createTcpClient(topology, null, () => null, { egress, used: () => {} });
    };
    const settings = { auditStreamMaximum: 1000, auditTimeoutMs: 3000, redisCluster: false };

    test.each(['REST', 'TCP'] as const)('is sent once more and stored once, over %s', async (kind) => {
      const proxy = await startLosingProxy(kind === 'REST' ? Number(new URL(redis.url).port) : redis.port);
      await redis.client.del('tgefd:v1:audit');
      const outbox = redisOutbox(settings, clientOf(kind, proxy.port), `writer-${kind}`);
      for (let number = 0; number < 5; number++) {
        expect(await outbox.append(`{"n":${number}}`)).toEqual({ outcome: 'stored', depth: number * 2 + 1 });
        proxy.loseNext();
        expect(await outbox.append(`{"lost":${number}}`)).toEqual({ outcome: 'stored', depth: number * 2 + 2 });
      }
      expect(proxy.lost.count).toBe(5);
      const entries = await outbox.read(Number.MAX_SAFE_INTEGER, 1_000_000);
      const records = entries.map(({ record }) => record);
      expect(records).toEqual([0, 1, 2, 3, 4].flatMap((number) => [`{"n":${number}}`, `{"lost":${number}}`]));
      await proxy.stop();
    });

    test('is not sent once more where no process can be named', async () => {
      const proxy = await startLosingProxy(Number(new URL(redis.url).port));
      await redis.client.del('tgefd:v1:audit');
      const outbox = redisOutbox(settings, clientOf('REST', proxy.port), null);
      await outbox.append('{}');
      proxy.loseNext();
      expect(await outbox.append('{"lost":1}')).toEqual({ outcome: 'unavailable' });
      expect(await redis.client.xlen('tgefd:v1:audit')).toBe(2);
      await proxy.stop();
    });
  });
});
