import { createHmac } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { describeWith } from '../support/describe-with.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { recordAt, signingJwk, T0 } from '../unit/archive/fixtures.ts';

const program = await redisProgram();
const KEY = 'a pseudonym key that only tests know of';
const PREVIOUS = 'the pseudonym key before it, from the last quarter';

function pseudonym(key: string, name: string): string {
  const mac = (text: string) => createHmac('sha256', key).update(text).digest();
  const id = mac('tgefd pseudonym key id').subarray(0, 4).toString('hex');
  return `${id}.${mac(`tgefd pseudonym\nidentity\n${name}`).subarray(0, 16).toString('base64url')}`;
}

const configured = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'none',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
  TGEFD_AUDIT_BUCKET: 'audit',
  TGEFD_AUDIT_PSEUDONYM_KEY: KEY,
  TGEFD_AUDIT_PSEUDONYM_KEY_PREVIOUS: PREVIOUS,
  TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
};
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await main(['audit', ...args], {
    env: { ...configured, ...env },
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
  });
  return { code, out, err };
}

describe('tgefd-authorizer audit, with a configuration', () => {
  test('pseudonym: one for each key, the current one first', async () => {
    const { code, out } = await run(['pseudonym', '--identity', 'alice']);
    expect([code, out]).toEqual([0, [pseudonym(KEY, 'alice'), pseudonym(PREVIOUS, 'alice')]]);
  });

  test('keys: public halves only', async () => {
    const { code, out } = await run(['keys']);
    expect(code).toBe(0);
    const { keys } = JSON.parse(out.join('\n'));
    expect(keys).toEqual([
      { kty: 'OKP', crv: 'Ed25519', x: signingJwk.x, kid: signingJwk.kid, use: 'sig', alg: 'EdDSA' },
    ]);
  });

  test('bucket --print: the rules for other tools', async () => {
    const { out } = await run(['bucket', '--print', 's3-lifecycle']);
    expect(JSON.parse(out.join('\n')).Rules[0]).toMatchObject({
      Filter: { Prefix: 'audit/' },
      Expiration: { Days: 180 },
    });
    expect(JSON.parse((await run(['bucket', '--print', 'r2-locks'])).out.join('\n')).rules).toHaveLength(3);
    expect((await run(['bucket', '--check', '--apply'])).code).toBe(2);
  });

  test('tail says when there is nothing shared to look at', async () => {
    const { code, err } = await run(['tail', '--for', '1']);
    expect([code, err.at(-1)]).toEqual([1, 'there is no shared outbox to look at: TGEFD_REDIS_URL is not set']);
  });
});

describeWith([program], 'tgefd-authorizer audit tail', () => {
  let redis: RedisParts;
  beforeAll(async () => {
    redis = await startRedis(program);
  });
  afterAll(() => redis?.stop());

  test('shows decisions as they come, readable, for one caller if asked, and takes nothing away', async () => {
    const env = { TGEFD_REDIS_URL: redis.url, TGEFD_REDIS_TOKEN: redis.token };
    const append = (id: string, name: string) =>
      redis.client.xadd(
        'tgefd:v1:audit',
        '*',
        'r',
        JSON.stringify({ ...recordAt(id, T0), identity: pseudonym(KEY, name) }),
      );
    await append('d-0', 'alice');
    const [all, one] = [
      run(['tail', '--for', '3'], env),
      run(['tail', '--json', '--identity', 'bob', '--for', '3'], env),
    ];
    await pass(1500);
    await append('d-1', 'alice');
    await append('d-2', 'bob');
    await redis.client.xadd('tgefd:v1:audit', '*', 'other', 'thing');
    const [everybody, bob] = [await all, await one];
    expect(everybody.out).toHaveLength(2);
    expect(everybody.out[0]).toMatch(/^2026-11-24T10:00:00\.000Z {2}allowed/);
    expect(everybody.err).toContain('an outbox entry is no audit record');
    expect(bob.out.map((line) => JSON.parse(line).id)).toEqual(['d-2']);
    expect(await redis.client.xlen('tgefd:v1:audit')).toBe(4);
  });
});
