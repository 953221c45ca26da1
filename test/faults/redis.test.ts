import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAdmission } from '../../lib/admit/admission.ts';
import { createRedisStore } from '../../lib/admit/redis-store.ts';
import type { AdmissionAnswer, AdmissionQuestion, Budget } from '../../lib/decision/outcome.ts';
import { createRedisConnection } from '../../lib/redis/connection.ts';
import { fetchExchange } from '../../lib/redis/exchange.ts';
import { createUpstashClient } from '../../lib/redis/upstash-client.ts';
import { createRedisRevocations } from '../../lib/revoke/redis.ts';
import { pseudonyms } from '../contract/admission-redis-store.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import type { RestFault } from '../support/upstash-face.ts';

const program = await redisProgram();
const TIMEOUT_MS = 150;
/** What a busy machine may add to a timer. */
const SLACK_MS = 250;

const faults: [string, RestFault][] = [
  ['refuses', { kind: 'refuse' }],
  ['hangs', { kind: 'hang' }],
  ['cuts off in the middle of its answer', { kind: 'reset' }],
  ['answers an error page', { kind: 'status', status: 502 }],
  ['answers an error', { kind: 'error', message: 'OOM command not allowed when used memory > maxmemory' }],
  ['answers after the deadline', { kind: 'delay', delayMs: 400 }],
];

describeWith([program], 'Redis that does not do what it should', () => {
  let redis: RedisParts;
  let partitions = 0;
  beforeAll(async () => {
    redis = await startRedis(program);
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    await redis.setFault(null);
    await redis.client.flushall();
    redis.resetCounts();
  });

  /** One isolate, warmed up: connected, and its script known to the server. */
  async function isolate(mode: 'exact' | 'leased', revocationOnError: 'closed' | 'open' = 'closed') {
    const lines: string[] = [];
    const deferred: Promise<unknown>[] = [];
    const connection = createRedisConnection(
      { timeoutMs: TIMEOUT_MS },
      {
        client: createUpstashClient(fetchExchange(redis, fetch)),
        clock: Date.now,
        random: () => 0,
        log: (level, event, facts) => lines.push(JSON.stringify([level, event, facts])),
      },
    );
    const store = createRedisStore(connection);
    const admission = createAdmission(
      {
        mode,
        emergency: { revokedTokenIds: [], revokedKeyIds: [], revokedSubjects: [] },
        revocationOnError,
        revocationMaximumDelayMs: 100,
        timeoutMs: TIMEOUT_MS,
      },
      { store, clock: Date.now, pseudonyms },
    );
    partitions += 1;
    const partition = `p-${partitions}`;
    const admit = async (of: Partial<AdmissionQuestion> = {}) => {
      const startedMs = performance.now();
      const answer = await admission.admit(
        { partition, budgets: [budget('local')], revocation: null, ...of },
        { defer: (promise) => deferred.push(promise) },
      );
      return { answer, tookMs: performance.now() - startedMs };
    };
    // A machine that is busy may miss the deadline at first.
    for (let tries = 0; tries < 20; tries++) {
      const { answer } = await admit({ budgets: [{ ...budget('closed'), name: 'warm-up' }] });
      if (answer.outcome === 'admitted') break;
      await pass(100);
    }
    lines.length = 0;
    return { admit, lines, connection, revocations: createRedisRevocations(connection, pseudonyms) };
  }

  const budget = (onError: Budget['onError']): Budget => ({ name: 'general', perMinute: 60, burst: 60, onError });
  const credential = {
    tokenId: 'secret-token-id',
    subject: 'secret-subject',
    issuer: null,
    issuedAtSeconds: 1_000,
    keyId: 'key-1',
    thumbprint: null,
    apiKeyId: null,
  };

  describe.each(faults)('%s', (_, fault) => {
    test.each<[string, Partial<AdmissionQuestion>, Partial<AdmissionAnswer>]>([
      ['a local budget decides in this process', {}, { outcome: 'admitted', degraded: ['limits_local'] }],
      ['an open budget lets pass', { budgets: [budget('open')] }, { outcome: 'admitted', degraded: ['limits_open'] }],
      ['a closed budget is our outage', { budgets: [budget('closed')] }, { outcome: 'unavailable', what: 'limits' }],
      [
        'an unknown revocation is our outage',
        { revocation: credential },
        { outcome: 'unavailable', what: 'revocation' },
      ],
    ])('%s, inside the deadline', async (_, of, expected) => {
      const one = await isolate('exact');
      await redis.setFault(fault);
      const { answer, tookMs } = await one.admit(of);
      expect(answer).toMatchObject(expected);
      expect(tookMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    });

    test.each(['exact', 'leased'] as const)('%s: a hundred requests cost a few trips and one line', async (mode) => {
      const one = await isolate(mode, 'open');
      await redis.setFault(fault);
      redis.resetCounts();
      const startedMs = performance.now();
      for (let i = 0; i < 100; i++) {
        const { answer } = await one.admit({ revocation: credential, partition: `other-${i}` });
        expect(answer).toMatchObject({ outcome: 'admitted', degraded: ['revocation_open', 'limits_local'] });
      }
      expect(one.connection.isOpen()).toBe(true);
      expect(redis.counts.requests).toBeLessThanOrEqual(6);
      expect(performance.now() - startedMs).toBeLessThan(6 * (TIMEOUT_MS + SLACK_MS));
      expect(one.lines).toHaveLength(1);
      expect(one.lines[0]).toMatch(/^\["error","redis_unavailable",\{"why":"[a-z_]+"\}\]$/);
    });

    test('when it is over, the next probe finds out', async () => {
      const one = await isolate('exact');
      await redis.setFault(fault);
      for (let i = 0; i < 4; i++) await one.admit();
      await redis.setFault(null);
      const deadlineMs = performance.now() + 5_000;
      let answer: AdmissionAnswer;
      do {
        await pass(50);
        ({ answer } = await one.admit());
      } while ('degraded' in answer && answer.degraded.length > 0 && performance.now() < deadlineMs);
      expect(answer).toMatchObject({ outcome: 'admitted', degraded: [] });
      expect(one.connection.isOpen()).toBe(false);
    });

    test('revoking says that it could not be done', async () => {
      const one = await isolate('exact');
      await redis.setFault(fault);
      const nowSeconds = Math.floor(Date.now() / 1000);
      const added = await one.revocations.add({
        kind: 'jti',
        id: 'token-1',
        beforeSeconds: null,
        expiresAtSeconds: nowSeconds + 60,
        reason: null,
        createdAtSeconds: nowSeconds,
        by: 'cli',
      });
      expect(added).toEqual({ done: false, retryAfterSeconds: 1 });
    });
  });

  test('a lost script is sent again within the same decision', async () => {
    const one = await isolate('exact');
    await redis.client.script('FLUSH');
    redis.resetCounts();
    expect((await one.admit()).answer).toMatchObject({ outcome: 'admitted', degraded: [] });
    expect(redis.counts.requests).toBe(2);
    expect(one.lines).toEqual([]);
  });

  test('a Redis that restarted empty starts with full budgets and no revocations, without a word in the log', async () => {
    const one = await isolate('exact');
    await one.admit();
    await redis.restartEmpty();
    const { answer } = await one.admit({ revocation: credential });
    expect(answer).toMatchObject({ outcome: 'admitted', budgets: [{ remaining: 59 }], degraded: [] });
    expect(one.lines).toEqual([]);
  });

  test('an answer after the deadline has spent its token, and nothing else goes wrong', async () => {
    const one = await isolate('exact');
    await redis.setFault({ kind: 'delay', delayMs: 300 });
    expect((await one.admit()).answer).toMatchObject({ degraded: ['limits_local'] });
    await redis.setFault(null);
    await pass(300);
    const { answer } = await one.admit();
    expect(answer).toMatchObject({ outcome: 'admitted', degraded: [] });
    expect('budgets' in answer && answer.budgets[0]?.remaining).toBeLessThanOrEqual(59);
  });
});

function pass(ms: number) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
