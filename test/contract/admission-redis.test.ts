import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Budget } from '../../lib/decision/outcome.ts';
import { exactly } from '../../lib/limit/budgets.ts';
import type { RedisClient } from '../../lib/redis/client.ts';
import { fetchExchange } from '../../lib/redis/exchange.ts';
import { createUpstashClient } from '../../lib/redis/upstash-client.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { redisUnderTest } from './admission-redis-store.ts';
import { budgetsContract, proofsContract, revocationsContract } from './admission-suite.ts';
import { eventsContract } from './events-suite.ts';

const program = await redisProgram();

describeWith([program], 'in Redis', () => {
  let redis: RedisParts;
  let client: RedisClient;
  beforeAll(async () => {
    redis = await startRedis(program);
    client = createUpstashClient(fetchExchange(redis, fetch));
  });
  afterAll(() => redis?.stop());

  budgetsContract(() => redisUnderTest(client));
  revocationsContract(() => redisUnderTest(client));
  proofsContract(() => redisUnderTest(client));
  eventsContract(() => redisUnderTest(client));

  const general: Budget = { name: 'general', perMinute: 60, burst: 60, onError: 'local' };
  const heavy: Budget = { name: 'heavy', perMinute: 6, burst: 6, onError: 'local' };
  const inquiry = {
    partition: 'pseudonym',
    demands: [exactly(general), exactly(heavy)],
    fields: [
      { kind: 'jti', field: 'jti:pseudonym' },
      { kind: 'sub', field: 'sub:pseudonym' },
      { kind: 'kid', field: 'kid:key-1' },
    ],
    issuedAtSeconds: 1,
    knownVersion: '0',
  } as const;

  test('revocation, both budgets and the changes are one HTTP request and one command', async () => {
    const { store } = await redisUnderTest(client);
    await store.ask(inquiry);
    redis.resetCounts();
    for (let i = 0; i < 3; i++) expect(await store.ask(inquiry)).toMatchObject({ settlement: { allowed: true } });
    expect(redis.counts).toEqual({ requests: 3, commands: 3 });
  });

  test('a lost script costs one further request, once', async () => {
    const { store } = await redisUnderTest(client);
    await store.ask(inquiry);
    await redis.client.script('FLUSH');
    redis.resetCounts();
    expect(await store.ask(inquiry)).toMatchObject({ settlement: { allowed: true } });
    expect(redis.counts.requests).toBe(2);
    await store.ask(inquiry);
    expect(redis.counts.requests).toBe(3);
  });

  test('a store that lost everything is followed', async () => {
    const under = await redisUnderTest(client);
    const nowSeconds = Math.floor(Date.now() / 1000);
    const entry = {
      kind: 'kid',
      id: 'key-1',
      beforeSeconds: null,
      expiresAtSeconds: nowSeconds + 60,
      reason: null,
      createdAtSeconds: nowSeconds,
      by: 'cli',
    } as const;
    await under.revocations.add(entry);
    const changesSince = async (knownVersion: string) => {
      const found = await under.store.ask({ ...inquiry, fields: [], knownVersion });
      return found.found === 'settled' ? found.changes : null;
    };
    const before = await changesSince('0');
    await redis.client.flushdb();
    expect(await changesSince(before?.version ?? '')).toEqual({ version: '0', upTo: '0', replace: true, entries: [] });
    await under.revocations.add({ ...entry, id: 'key-2' });
    expect(await changesSince(before?.version ?? '')).toMatchObject({
      replace: true,
      entries: [{ field: 'kid:key-2' }],
    });
  });

  test('every key has an end, and none holds a raw token id or subject', async () => {
    const { store, revocations } = await redisUnderTest(client);
    const nowSeconds = Math.floor(Date.now() / 1000);
    const common = { expiresAtSeconds: nowSeconds + 60, reason: null, createdAtSeconds: nowSeconds, by: 'cli' };
    await revocations.add({ ...common, kind: 'jti', id: 'raw-token-id', beforeSeconds: null });
    await revocations.add({ ...common, kind: 'sub', id: 'raw-subject', beforeSeconds: nowSeconds });
    await store.ask(inquiry);
    const keys = (await redis.client.keys('*')).sort();
    expect(keys).toEqual([
      'tgefd:v1:budget:general:pseudonym',
      'tgefd:v1:budget:heavy:pseudonym',
      'tgefd:v1:revocations',
      'tgefd:v1:revocations:changes',
      'tgefd:v1:revocations:expiry',
    ]);
    for (const key of keys) {
      const ttlMs = await redis.client.pttl(key);
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(62_000);
    }
    const kept = JSON.stringify([
      keys,
      await redis.client.hgetall('tgefd:v1:revocations'),
      await redis.client.zrange('tgefd:v1:revocations:changes', '0', '-1'),
    ]);
    expect(kept).not.toContain('raw-');
  });

  test('entries that have expired are swept by the next that is added', async () => {
    const { revocations, pass } = await redisUnderTest(client);
    const nowSeconds = Math.floor(Date.now() / 1000);
    const entry = { kind: 'kid', beforeSeconds: null, reason: null, createdAtSeconds: nowSeconds, by: 'cli' } as const;
    await revocations.add({ ...entry, id: 'long', expiresAtSeconds: nowSeconds + 60 });
    await revocations.add({ ...entry, id: 'short', expiresAtSeconds: nowSeconds + 1 });
    await revocations.add({ ...entry, id: 'taken-back', expiresAtSeconds: nowSeconds + 1 });
    await revocations.remove('kid', 'taken-back');
    await pass((nowSeconds + 2) * 1000 - Date.now() + 20);
    await revocations.add({ ...entry, id: 'next', expiresAtSeconds: nowSeconds + 60 });
    expect((await redis.client.zrange('tgefd:v1:revocations:changes', '0', '-1')).sort()).toEqual([
      'kid:long',
      'kid:next',
    ]);
    expect(await redis.client.zcard('tgefd:v1:revocations:expiry')).toBe(2);
  });
});
