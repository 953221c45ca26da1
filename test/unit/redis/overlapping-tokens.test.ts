import { describe, expect, test } from 'vitest';
import { overlappingTokens } from '../../../lib/redis/overlapping-tokens.ts';

function under(accepted: Set<string>) {
  let secret: { current: string; previous: string | null } = { current: 'new', previous: 'old' };
  const asked: string[] = [];
  const used: string[] = [];
  const exchange = overlappingTokens(
    (token) => async () => {
      asked.push(token);
      return { status: accepted.has(token) ? 200 : 401, text: token };
    },
    () => secret,
    (kind, slot) => used.push(`${kind} ${slot}`),
  );
  return {
    asked,
    used,
    ask: async () => (await exchange('["PING"]', AbortSignal.timeout(1000), false)).status,
    change: (next: typeof secret) => {
      secret = next;
    },
  };
}

describe('two tokens of Redis while one is rotated out', () => {
  test('the current one is used, and only it', async () => {
    const redis = under(new Set(['new', 'old']));
    expect([await redis.ask(), await redis.ask()]).toEqual([200, 200]);
    expect(redis.asked).toEqual(['new', 'new']);
    expect(redis.used).toEqual(['redis_token current', 'redis_token current']);
  });

  test('while Redis knows the old one only, a request costs one refusal once, and none fails', async () => {
    const accepted = new Set(['old']);
    const redis = under(accepted);
    expect([await redis.ask(), await redis.ask()]).toEqual([200, 200]);
    expect(redis.asked).toEqual(['new', 'old', 'old']);
    expect(redis.used).toEqual(['redis_token previous', 'redis_token previous']);
    accepted.clear();
    accepted.add('new');
    expect(await redis.ask()).toBe(200);
    expect(redis.used.at(-1)).toBe('redis_token current');
  });

  test('a token taken in later is tried first', async () => {
    const redis = under(new Set(['newer', 'new']));
    await redis.ask();
    redis.change({ current: 'newer', previous: 'new' });
    await redis.ask();
    expect(redis.asked).toEqual(['new', 'newer']);
  });

  test('a token that neither side knows stays refused', async () => {
    const redis = under(new Set());
    expect(await redis.ask()).toBe(401);
    redis.change({ current: 'new', previous: null });
    expect(await redis.ask()).toBe(401);
    expect(redis.used).toEqual([]);
  });
});
