import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RedisClient } from '../../lib/redis/client.ts';
import { createRedisConnection } from '../../lib/redis/connection.ts';
import { fetchExchange } from '../../lib/redis/exchange.ts';
import { createFailureCounter } from '../../lib/redis/failure-counter.ts';
import { createUpstashClient } from '../../lib/redis/upstash-client.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { tcpClient } from '../support/redis-tcp.ts';

const program = await redisProgram();

describeWith([program], 'failed authentications counted by @upstash/ratelimit', () => {
  let redis: RedisParts;
  beforeAll(async () => {
    redis = await startRedis(program);
  });
  afterAll(() => redis?.stop());

  const counterBy = (client: RedisClient, perMinute = 10) =>
    createFailureCounter(perMinute, {
      connection: createRedisConnection(
        { timeoutMs: 400 },
        { client, clock: Date.now, random: () => 0, log: () => {} },
      ),
      clock: Date.now,
    });

  describe.each([
    ['over REST', () => createUpstashClient(fetchExchange(redis, fetch))],
    ['over TCP', () => tcpClient(redis.port)],
  ])('%s', (way, make) => {
    const address = `pseudonym ${way}`;
    test('isolates share one count, and it ends with its window', async () => {
      const [one, other] = [counterBy(make()), counterBy(make())];
      expect(await one.add(address, 3)).toMatchObject({ failures: 7 });
      expect(await other.add(address, 5)).toMatchObject({ failures: 2 });
      const last = await one.add(address, 4);
      expect(last).toMatchObject({ failures: 0 });
      expect(last?.resetsInMs).toBeGreaterThan(0);
      expect(last?.resetsInMs).toBeLessThanOrEqual(60_000);
      expect(await other.add(address, 1)).toMatchObject({ failures: 0 });
      for (const key of await redis.client.keys(`tgefd:v1:failures:${address}:*`))
        expect(await redis.client.pttl(key)).toBeGreaterThan(0);
    });
  });

  test('costs one request when the script is known', async () => {
    const counter = counterBy(createUpstashClient(fetchExchange(redis, fetch)));
    await counter.add('one', 1);
    redis.resetCounts();
    await counter.add('one', 1);
    expect(redis.counts).toEqual({ requests: 1, commands: 1 });
  });

  test('a Redis that hangs is no answer, never one that lets pass', async () => {
    const counter = counterBy(createUpstashClient(fetchExchange(redis, fetch)));
    await redis.setFault({ kind: 'hang' });
    expect(await counter.add('hung', 1)).toBeNull();
    await redis.setFault(null);
  });
});
