import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Budget } from '../../lib/decision/outcome.ts';
import { startChild } from '../support/child.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import type { Spend, Spent } from './spender.ts';

const program = await redisProgram();
const PROCESSES = 3;

describeWith([program], 'several processes against one Redis', () => {
  let redis: RedisParts;
  beforeAll(async () => {
    redis = await startRedis(program);
  });
  afterAll(() => redis?.stop());

  const budget = (name: string, perMinute: number, burst: number): Budget => ({
    name,
    perMinute,
    burst,
    onError: 'closed',
  });
  const spendTogether = (spend: Partial<Spend>): Promise<Spent[]> =>
    Promise.all(
      Array.from({ length: PROCESSES }, async () => {
        const whole = { url: redis.url, token: redis.token, concurrency: 10, milliseconds: 30_000, ...spend };
        const isDone = (line: string) => line.startsWith('{');
        const child = await startChild({
          command: process.execPath,
          args: [join(import.meta.dirname, 'spender.ts')],
          env: { SPEND: JSON.stringify(whole) },
          ready: (lines) => lines.some(isDone),
          readyTimeoutMs: 30_000,
        });
        await child.exited;
        return JSON.parse(child.lines.find(isDone) ?? '');
      }),
    );
  const sum = (spents: readonly Spent[], of: 'admitted' | 'requests' | 'waited') =>
    spents.reduce((total, spent) => total + spent[of], 0);

  test.each(['exact', 'leased'] as const)('%s: a burst is spent once, exactly', async (mode) => {
    const budgets = [budget('general', 1, 100)];
    const spents = await spendTogether({ mode, partition: `burst-${mode}`, budgets, requests: 120 });
    // Leases may leave tokens unused with one process that another would have wanted; they never make any.
    if (mode === 'exact') expect(sum(spents, 'admitted')).toBe(100);
    else expect(sum(spents, 'admitted')).toBeLessThanOrEqual(100);
    expect(sum(spents, 'admitted')).toBeGreaterThan(90);
  });

  test('exact: of two budgets the smaller one decides, and the larger is charged for nothing else', async () => {
    const [general, heavy] = [budget('general', 1, 100), budget('heavy', 1, 30)];
    const both = { mode: 'exact', partition: 'two', requests: 60 } as const;
    expect(sum(await spendTogether({ ...both, budgets: [general, heavy] }), 'admitted')).toBe(30);
    expect(sum(await spendTogether({ ...both, budgets: [general] }), 'admitted')).toBe(70);
  });

  test.each(['exact', 'leased'] as const)('%s: no more than the burst and the refill is ever spent', async (mode) => {
    const [perMinute, burst] = [6_000, 200];
    const spents = await spendTogether({
      mode,
      partition: `rate-${mode}`,
      budgets: [budget('general', perMinute, burst)],
      requests: Number.MAX_SAFE_INTEGER,
      milliseconds: 4_000,
      concurrency: 4,
    });
    const lastedMs = Math.max(...spents.map(({ toMs }) => toMs)) - Math.min(...spents.map(({ fromMs }) => fromMs));
    const admitted = sum(spents, 'admitted');
    expect(admitted).toBeLessThanOrEqual(burst + Math.ceil((lastedMs * perMinute) / 60_000));
    expect(admitted).toBeGreaterThan(burst);
    if (mode === 'leased') expect(sum(spents, 'waited') / sum(spents, 'requests')).toBeLessThan(0.2);
  });
});
