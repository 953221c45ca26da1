import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { freePort } from '../support/child.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import type { RestFault } from '../support/upstash-face.ts';

const program = await redisProgram();
const CLI = join(import.meta.dirname, '../../functions/cli.ts');
const configured = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'none',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
  TGEFD_REDIS_TIMEOUT_MS: '1000',
  TGEFD_AUDIT_PSEUDONYM_KEY: 'a pseudonym key that only tests know of',
};
const error = (message: string): RestFault => ({ kind: 'error', message });

describeWith([program], 'a command whose store does not do what it asks', () => {
  let redis: RedisParts;
  beforeAll(async () => {
    redis = await startRedis(program);
  });
  afterAll(() => redis?.stop());

  test.each([
    ['token_refused', error('WRONGPASS invalid or missing auth token')],
    ['no_permission', error("NOPERM this user has no permissions to run the 'evalsha' command")],
    ['quota_exceeded', error('ERR max daily request limit exceeded. Limit: 10000, Usage: 10000')],
    ['out_of_memory', error("OOM command not allowed when used memory > 'maxmemory'.")],
    ['read_only', error("READONLY You can't write against a read only replica.")],
    ['unreachable', { kind: 'refuse' }],
    ['deadline', { kind: 'hang' }],
    ['http_status', { kind: 'status', status: 502 }],
  ] as const)('tells %s as one sentence with its repair, by REST (%o)', async (why, fault) => {
    const err: string[] = [];
    await redis.setFault(fault);
    const code = await main(['revoke', '--kid', 'old'], {
      env: { ...configured, TGEFD_REDIS_URL: redis.url, TGEFD_REDIS_TOKEN: redis.token },
      out: () => {},
      err: (line) => void err.push(line),
    });
    await redis.setFault(null);
    expect(code).toBe(1);
    expect(err.at(-1)).toMatch(new RegExp(`^\\S.+: .+ \\(${why}\\)$`));
  });

  /** Ends by itself, or never: then the test is over time. */
  async function overTcp(port: number, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { ...configured, ...env, TGEFD_REDIS_URL: `redis://127.0.0.1:${port}`, PATH: process.env.PATH },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [told, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    return { status, told: told.trim().split('\n').at(-1) };
  }

  test('tells the same by TCP, and ends though the connection is tried again', async () => {
    const revoke = ['revoke', '--kid', 'old'];
    const nothing = await freePort();
    expect(await overTcp(nothing, revoke)).toEqual({ status: 1, told: expect.stringContaining('(unreachable)') });
    await redis.client.config('SET', 'requirepass', 'right');
    const wrong = { TGEFD_REDIS_TOKEN: 'wrong' };
    expect(await overTcp(redis.port, revoke, wrong)).toEqual({
      status: 1,
      told: expect.stringContaining('(token_refused)'),
    });
    await redis.client.config('SET', 'requirepass', '');
    await redis.client.config('SET', 'maxmemory', '1'); // Less than it holds already.
    expect(await overTcp(redis.port, revoke)).toEqual({ status: 1, told: expect.stringContaining('(out_of_memory)') });
    await redis.client.config('SET', 'maxmemory', '0');
    await redis.client.replicaof('127.0.0.1', nothing);
    expect(await overTcp(redis.port, revoke)).toEqual({ status: 1, told: expect.stringContaining('(read_only)') });
    await redis.client.replicaof('NO', 'ONE');
  });

  test('ends with its work, and looks at an outbox that cannot be reached for a few seconds only', async () => {
    const nothing = await freePort();
    const begunMs = performance.now();
    expect(await overTcp(nothing, ['audit', 'tail', '--for', '60'])).toMatchObject({ status: 1 });
    expect(performance.now() - begunMs).toBeLessThan(5_000);
  });
});
