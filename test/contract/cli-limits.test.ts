import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { budgetChangeSchema } from '../../lib/audit/schema.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';

const program = await redisProgram();

describeWith([program], 'limits by command', () => {
  let redis: RedisParts;
  let environment: Record<string, string>;
  beforeAll(async () => {
    redis = await startRedis(program);
    environment = {
      TGEFD_ENV: 'development',
      TGEFD_REDIS_URL: redis.url,
      TGEFD_REDIS_TOKEN: redis.token,
      TGEFD_REDIS_TIMEOUT_MS: '5000',
      TGEFD_AUDIT_PSEUDONYM_KEY: 'one pseudonym key that all doors share',
      TGEFD_RATE_LIMIT_PER_MINUTE: '60',
      TGEFD_RATE_LIMIT_PER_DAY: '100',
      TGEFD_PLAN_CLAIM: 'plan',
      TGEFD_PLANS: '{"gold":{"general":{"per_day":500}}}',
    };
  });
  afterAll(() => redis?.stop());

  const run = async (...args: string[]) => {
    const [out, err]: [string[], string[]] = [[], []];
    const console = {
      env: environment,
      out: (line: string) => void out.push(line),
      err: (line: string) => void err.push(line),
    };
    const status = await main(['limits', ...args], console);
    return { status, out, err };
  };
  const left = async (...args: string[]) => {
    const { out } = await run('show', '--identity', 'alice', '--json', ...args);
    return Object.fromEntries(
      JSON.parse(out[0] ?? '[]').map((state: { name: string; remaining: number }) => [state.name, state.remaining]),
    );
  };

  test('shows what is left, grants beyond the quota, resets, and records each change once', async () => {
    expect(await left()).toEqual({ general: 60, 'general-day': 100 });
    expect(await left('--plan', 'gold')).toEqual({ general: 60, 'general-day': 500 });
    expect((await run('grant', '--identity', 'alice', '--budget', 'general-day', '--requests', '25')).status).toBe(0);
    expect(await left()).toEqual({ general: 60, 'general-day': 125 });
    expect((await run('grant', '--identity', 'alice', '--budget', 'general-day', '--requests', '5')).status).toBe(0);
    expect(await left()).toEqual({ general: 60, 'general-day': 130 });
    for (const key of await redis.client.keys('tgefd:v1:budget:*'))
      expect(await redis.client.pttl(key)).toBeGreaterThan(0);
    expect((await run('reset', '--identity', 'alice')).status).toBe(0);
    expect(await left()).toEqual({ general: 60, 'general-day': 100 });

    const entries = await redis.client.xrange('tgefd:v1:audit', '-', '+');
    const records = entries.map(([, fields]) => budgetChangeSchema.parse(JSON.parse(fields?.[1] ?? '')));
    expect(records.map(({ action, budgets, tokens }) => [action, budgets.join(), tokens])).toEqual([
      ['grant', 'general-day', 25],
      ['grant', 'general-day', 5],
      ['reset', 'general,general-day', null],
    ]);
    expect(JSON.stringify(entries)).not.toContain('alice');
  });

  test.each([
    [['show'], '--identity is needed'],
    [['grant', '--identity', 'a', '--requests', '5'], 'grant needs --budget'],
    [['grant', '--identity', 'a', '--budget', 'general-day'], '--requests is needed'],
    [['grant', '--identity', 'a', '--budget', 'general-day', '--requests', '0'], '--requests is a whole number'],
    [['reset', '--identity', 'a', '--requests', '5'], 'there is no option --requests'],
    [['show', '--identity', 'a', '--plan', 'x'], '--plan is no plan'],
  ])('%j is not understood', async (args, wanted) => {
    const { status, err } = await run(...args);
    expect(status).toBe(2);
    expect(err.join('\n')).toContain(wanted);
  });
});
