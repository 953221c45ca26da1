import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';

const program = await redisProgram();

describeWith([program], 'revoking from the command line, on a real Redis', () => {
  let redis: RedisParts;
  beforeAll(async () => {
    redis = await startRedis(program);
  });
  afterAll(() => redis?.stop());

  const run = async (...args: string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const env = {
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWT_SECRET: 'a secret of more than thirty-two bytes, for tests',
      TGEFD_REDIS_URL: redis.url,
      TGEFD_REDIS_TOKEN: redis.token,
      TGEFD_REDIS_TIMEOUT_MS: '2000',
      TGEFD_AUDIT_PSEUDONYM_KEY: 'one pseudonym key that all commands share',
    };
    const code = await main(args, { env, out: (line) => void out.push(line), err: (line) => void err.push(line) });
    return { code, out, err };
  };

  test.each([
    ['--jti', 'token-1', 'jti'],
    ['--kid', 'key-1', 'kid'],
    ['--thumbprint', 'A'.repeat(43), 'thumbprint'],
    ['--key-id', 'default', 'key-id'],
  ])('%s: told with the bound, listed, shown, taken back', async (option, id, kind) => {
    const revoked = await run('revoke', option, id, '--reason', 'leaked', '--expires-in', '3600');
    expect(revoked).toMatchObject({ code: 0, err: [] });
    expect(revoked.out.join('\n')).toContain('holds everywhere within 5 s');
    expect((await run('revocations', 'list')).out.join('\n')).toContain('"leaked"');
    expect(await run('revocations', 'show', kind, id)).toMatchObject({ code: 0 });
    expect(await run('revocations', 'remove', kind, id)).toMatchObject({ code: 0 });
    expect(await run('revocations', 'show', kind, id)).toMatchObject({ code: 1 });
  });

  test('a thumbprint counts in every form that openssl or a record gives it, and nothing else is taken for one', async () => {
    const hex = Buffer.from('7'.repeat(32)).toString('hex').toUpperCase();
    expect(await run('revoke', '--thumbprint', hex.match(/../g)?.join(':') ?? '')).toMatchObject({ code: 0 });
    const kept = Buffer.from('7'.repeat(32)).toString('base64url');
    for (const form of [hex, kept]) {
      const shown = await run('revocations', 'show', 'thumbprint', form);
      expect([shown.code, shown.out[0]?.includes(kept)]).toEqual([0, true]);
    }
    expect((await run('revoke', '--thumbprint', 'CN=machine')).code).toBe(2);
  });

  test('a subject is cut off from now on, and no raw name is kept', async () => {
    expect(await run('revoke', '--sub', 'mallory')).toMatchObject({ code: 0 });
    expect((await run('revocations', 'show', 'sub', 'mallory')).out.join('\n')).toContain('issued before');
    for (const key of await redis.client.keys('*'))
      expect((await redis.client.dumpBuffer(key))?.toString('latin1')).not.toContain('mallory');
  });

  test('a store that does not answer is said, and the exit code says no', async () => {
    await redis.setFault({ kind: 'refuse' });
    const refused = await run('revoke', '--jti', 'token-2');
    await redis.setFault(null);
    expect(refused.code).toBe(1);
    expect(refused.err.join('\n')).toMatch(/cannot be reached: .*\(unreachable\)/);
  });
});
