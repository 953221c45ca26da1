import { describe, expect, test } from 'vitest';
import { RedisFailure } from '../../../lib/redis/failure.ts';
import { createUpstashClient } from '../../../lib/redis/upstash-client.ts';

const { signal } = new AbortController();

function answering(result: unknown) {
  const sent: unknown[] = [];
  const client = createUpstashClient(async (body) => {
    sent.push(JSON.parse(body));
    return { status: 200, text: JSON.stringify({ result }) };
  });
  return { client, sent };
}

describe('Redis by the client of Upstash', () => {
  test('writes scripts and commands as Redis reads them', async () => {
    const { client, sent } = answering('OK');
    await client.evalsha('ab', ['k1', 'k2'], ['a', 1], signal);
    await client.eval('return 1', ['k'], [], signal);
    await client.command(['SET', 'k', 'v', 'PX', 5], signal);
    expect(sent).toEqual([
      ['evalsha', 'ab', 2, 'k1', 'k2', 'a', 1],
      ['eval', 'return 1', 1, 'k'],
      ['SET', 'k', 'v', 'PX', '5'],
    ]);
  });

  test.each([['{"a":1}'], ['123'], ['true'], [['1-1', ['r', '{"n":1.50}']]], [null], [0], [[]]])(
    'hands the reply %j on as it is',
    async (reply) => {
      const { client } = answering(reply);
      expect(await client.command(['GET', 'k'], signal)).toEqual(reply);
      expect(await client.evalsha('ab', [], [], signal)).toEqual(reply);
    },
  );

  test('gives each of several commands at once its own signal', async () => {
    const signals = new Map<string, AbortSignal>();
    const client = createUpstashClient(async (body, own) => {
      signals.set(JSON.parse(body)[1], own);
      return { status: 200, text: '{"result":1}' };
    });
    const own = ['a', 'b', 'c', 'd'].map((key) => [key, new AbortController().signal] as const);
    await Promise.all(own.map(([key, each]) => client.command(['GET', key], each)));
    expect([...signals].sort()).toEqual(own);
    for (const [key, each] of own) expect(signals.get(key)).toBe(each);
  });

  test.each([
    [400, { error: 'NOSCRIPT No matching script. secret' }, 'script_unknown'],
    [400, { error: 'ERR Error running script (call to f_ab): @user_script:1: -READONLY secret' }, 'read_only'],
    [401, { error: 'Unauthorized secret' }, 'token_refused'],
    [429, { error: 'secret' }, 'quota_exceeded'],
    [500, { error: 'secret' }, 'http_status'],
  ])('status %d with %j is a failure without its text', async (status, body, kind) => {
    const client = createUpstashClient(async () => ({ status, text: JSON.stringify(body) }));
    const failure = await client.command(['GET', 'secret'], signal).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RedisFailure);
    expect(failure).toMatchObject({ kind });
    expect(`${failure} ${(failure as Error).stack}`).not.toContain('secret');
  });
});
