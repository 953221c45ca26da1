import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../../functions/cli.ts';
import product from '../../../package.json' with { type: 'json' };

const secret = 'a canary secret that nobody may ever see';
const hs256 = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_JWT_SECRET: secret,
  TGEFD_RBAC_ENABLED: 'true',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9000',
};

async function run(args: readonly string[], env: Record<string, string> = hs256) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(args, { env, out: (line) => void out.push(line), err: (line) => void err.push(line) });
  return { code, out, err, text: [...out, ...err].join('\n') };
}
async function mint(...args: string[]) {
  return (await run(['token', '--sub', 'alice', ...args])).out[0] ?? '';
}
function decode(token: string) {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

describe('the command line', () => {
  test('tells its commands, and its exit code tells whether it understood', async () => {
    expect(await run([])).toMatchObject({ code: 0 });
    expect((await run(['help'])).text).toContain('check-config');
    expect(await run(['nothing'])).toMatchObject({ code: 2, out: [] });
    expect(await run(['constructor'])).toMatchObject({ code: 2 });
    expect((await run(['explain', '--help'])).text).toContain('usage: tgefd-authorizer explain');
    expect(await run(['explain', '--unknown'])).toMatchObject({ code: 2 });
  });

  test.each([
    [['--help'], 'check-config'],
    [['-h'], 'check-config'],
    [['revoke', '-h'], 'usage: tgefd-authorizer revoke'],
    [['audit', 'verify', '--help'], 'audit verify'],
    [['--version'], product.version],
  ])('%j is answered on stdout, with exit code 0', async (args, told) => {
    const { code, out, err } = await run(args, {});
    expect([code, err]).toEqual([0, []]);
    expect(out.join('\n')).toContain(told);
  });
});

test('a reader that has seen enough ends a command quietly, and never with a yes', () => {
  const cli = join(import.meta.dirname, '../../../functions/cli.ts');
  const line = 'set -o pipefail; "$0" "$1" check-config | true';
  const { status, stderr } = spawnSync('bash', ['--norc', '-c', line, process.execPath, cli], {
    env: hs256,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([141, '']);
});

describe('check-config', () => {
  const few = {
    TGEFD_ENV: 'development',
    TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
    TGEFD_UPSTREAM_TIMEOUT_MILLIS: '5',
  };

  test('says warnings first, and the table only on request', async () => {
    const { code, text } = await run(['check-config'], few);
    expect(code).toBe(0);
    const [first, second] = text.split('\n');
    expect(first).toBe('configuration valid, 1 warning');
    expect(second).toBe(
      'warning: TGEFD_UPSTREAM_TIMEOUT_MILLIS: found an unknown name; accepted: nearest known name: TGEFD_UPSTREAM_TIMEOUT_SEC',
    );
    expect(text).not.toContain('TGEFD_UPSTREAM_URL=');
    expect((await run(['check-config', '--all'], few)).text).toContain('TGEFD_UPSTREAM_URL=http://127.0.0.1:9');
  });

  test('says warnings behind the problems of an invalid configuration', async () => {
    const { code, err } = await run(['check-config'], { ...few, TGEFD_RATE_LIMIT_MODE: 'sometimes' });
    expect(code).toBe(1);
    expect(err.join('\n')).toMatch(
      /TGEFD_RATE_LIMIT_MODE: found "sometimes".*\n.*warning: TGEFD_UPSTREAM_TIMEOUT_MILLIS/s,
    );
  });

  test('suggests no name that is far away', async () => {
    const { text } = await run(['check-config'], { ...hs256, TGEFD_COLOUR: 'blue' });
    expect(text).toContain('TGEFD_COLOUR: found an unknown name; accepted: a name of docs/reference/configuration.md');
  });

  test('prints every problem at once, and exits with 1', async () => {
    const { code, err } = await run(['check-config'], {
      ...hs256,
      TGEFD_JWT_SECRET: 'short',
      TGEFD_RBAC_ENABLED: 'yes',
      TGEFD_JWT_ISUER: 'x',
    });
    expect(code).toBe(1);
    expect(err.join('\n')).toMatch(/TGEFD_RBAC_ENABLED[\s\S]*TGEFD_JWT_ISUER[\s\S]*TGEFD_JWT_ISSUER/);
    expect(err.join('\n')).toContain('TGEFD_JWT_SECRET: found 5 bytes; accepted: at least 32 bytes');
    expect(err.join('\n')).not.toContain('short');
  });

  test('prints what is in force with secrets masked, and how strong it is', async () => {
    const { code, text } = await run(['check-config', '--all']);
    expect(code).toBe(0);
    expect(text).toContain('TGEFD_JWT_SECRET=[40 bytes]');
    expect(text).toContain('TGEFD_JWT_CLOCK_SKEW_SEC=60  (default)');
    for (const heading of ['Enforced:', 'Weak:', 'What an attacker would try first:']) expect(text).toContain(heading);
    expect(text).not.toContain(secret);
  });
});

describe('token', () => {
  test('mints what was asked for', async () => {
    expect(decode(await mint('--scope', 'discover jobs', '--ttl', '60', '--claim', 'tenant="a"'))).toMatchObject({
      sub: 'alice',
      scope: 'discover jobs',
      tenant: 'a',
      jti: expect.any(String),
    });
  });

  test('never in production', async () => {
    const { code, out } = await run(['token', '--sub', 'alice'], { ...hs256, TGEFD_ENV: 'production' });
    expect([code, out]).toEqual([1, []]);
  });

  test('only of an issuer on this machine', async () => {
    expect(await run(['token', '--sub', 'a', '--issuer', 'https://issuer.example'])).toMatchObject({ code: 2 });
  });
});

describe('explain', () => {
  const explain = (token: string, ...args: string[]) =>
    run(['explain', '--path', '/v1/discover', '--method', 'POST', '--token', token, ...args]);

  test('walks the decision: each step, what was found, what was decided', async () => {
    const token = await mint('--scope', 'discover');
    const { code, out, text } = await explain(token);
    expect(code).toBe(0);
    const steps = out.map((line) => line.split(' ')[0]).filter(Boolean);
    expect(steps).toEqual([
      'boundary',
      'endpoint',
      'credential',
      'shape',
      'header',
      'issuer',
      'signature',
      'claims',
      'subject',
      'grant',
      'authenticate',
      'authorize',
      'admit',
      'decide',
      'row',
      'allowed',
    ]);
    for (const part of token.split('.')) expect(text).not.toContain(part);
    expect(text).not.toContain(secret);
  });

  test('tells what was found, what was wanted and what decides, as lines and as JSON', async () => {
    const token = await mint('--scope', 'jobs', '--claim', 'exp=1');
    const lines = await explain(token);
    expect(lines.out.slice(-3).map((line) => line.slice(0, 10))).toEqual(['  found   ', '  wanted  ', '  set by  ']);
    expect(lines.text).toContain('1970-01-01T00:00:01Z');
    const { out } = await explain(await mint('--scope', 'jobs'), '--json');
    expect(JSON.parse(out[0] ?? '')).toMatchObject({
      outcome: 'denied',
      reason: 'scope_missing',
      found: 'jobs',
      wanted: 'discover',
      set_by: 'row POST /v1/discover, member scope',
      row: { scope: 'discover' },
    });
  });

  test.each<[string, () => Promise<string>, string]>([
    ['a missing scope', () => mint('--scope', 'jobs'), '403 insufficient_scope, because scope_missing'],
    [
      'an expired token',
      () => mint('--scope', 'discover', '--claim', 'exp=1'),
      '401 credentials_invalid, because token_expired',
    ],
    ['a tampered token', async () => `${await mint('--scope', 'discover')}x`, '401 credentials_invalid'],
    ['no token at all', async () => '', '401 credentials_missing'],
  ])('%s', async (_, token, verdict) => {
    const { text } = await explain(await token());
    expect(text).toContain(verdict);
  });

  test('an emergency revocation', async () => {
    const token = await mint('--scope', 'discover');
    const { jti } = decode(token);
    const revoked = await run(['explain', '--path', '/v1/discover', '--method', 'POST', '--token', token], {
      ...hs256,
      TGEFD_REVOKED_JTIS: jti,
    });
    expect(revoked.text).toContain('denied: 401 credentials_invalid, because credential_revoked');
  });

  test('nothing that a caller wrote can move the terminal', async () => {
    const { text } = await explain(await mint('--claim', 'sub="a\\u001b[31mb"'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });
});

describe('revoke', () => {
  test('needs a store that the authorizers share, and exactly one thing to revoke', async () => {
    expect(await run(['revoke', '--jti', 'x'])).toMatchObject({
      code: 1,
      err: [expect.stringContaining('TGEFD_REDIS_URL')],
    });
    expect(await run(['revoke'])).toMatchObject({ code: 2 });
    expect(await run(['revoke', '--jti', 'x', '--sub', 'y'])).toMatchObject({ code: 2 });
    expect(await run(['revoke', '--jti', 'x', '--before', '1'])).toMatchObject({ code: 2 });
  });
});
