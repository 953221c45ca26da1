import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../../../functions/cli.ts';
import { parseApiKeys } from '../../../../lib/authenticate/api-key.ts';
import { usesBetween, usesIn } from '../../../../lib/cli/secrets/rotate-check.ts';
import { rotatedSecrets } from '../../../../lib/cli/secrets/rotations.ts';
import { createCredentialCounter } from '../../../../lib/observe/credentials.ts';
import { createMetrics } from '../../../../lib/observe/metrics.ts';
import { loadAssertionKey, parseAssertionKey } from '../../../../lib/respond/assertion-key.ts';
import { type LoopbackServer, listenOnLoopback } from '../../../support/loopback-server.ts';

async function run(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await main(['rotate', ...args], {
    env: {},
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out, err };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-rotate-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('rotate', () => {
  test.each(['jwt-secret', 'ingress-secret', 'pseudonym-key'])('%s is 32 random bytes', async (name) => {
    const [one, other] = [await run(name, '--print'), await run(name, '--print')];
    expect(Buffer.from(one.out.join(''), 'base64url')).toHaveLength(32);
    expect(one.out).not.toEqual(other.out);
  });

  test.each(['assertion-key', 'audit-signing-key'])('%s is a key pair that belongs together', async (name) => {
    const { out } = await run(name, '--print');
    const parsed = parseAssertionKey(out.join(''));
    expect(parsed.ok && (await loadAssertionKey(parsed.key))?.kid).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await importJWK(JSON.parse(out.join('')), 'EdDSA')).toBeDefined();
  });

  test('an API key may be for one holder', async () => {
    const { out } = await run('api-key', '--id', 'alice', '--print');
    expect(parseApiKeys({ current: out.join(''), previous: null }).keys.map(({ id }) => id)).toEqual(['alice']);
  });

  test('to a file: for its owner alone, once, and in no line', async () => {
    const path = join(folder, 'new');
    const { code, out, err } = await run('jwt-secret', '--out', path);
    const value = await readFile(path, 'utf8');
    expect([code, (await stat(path)).mode & 0o777]).toEqual([0, 0o600]);
    expect([...out, ...err].join('\n')).not.toContain(value);
    expect(out.join('\n')).toContain('TGEFD_JWT_SECRET_PREVIOUS');
    expect((await run('jwt-secret', '--out', path)).code).toBe(1);
    expect(await readFile(path, 'utf8')).toBe(value);
  });

  test('printed alone on stdout, with the steps beside it', async () => {
    const { out, err } = await run('ingress-secret', '--print');
    expect(out).toHaveLength(1);
    expect(err.join('\n')).toContain('every ingress');
  });

  test.each([
    [['jwt-secret']],
    [['jwt-secret', '--print', '--out', 'x']],
    [['redis-token', '--print']],
    [['nothing', '--print']],
    [['jwt-secret', '--id', 'a', '--print']],
    [['api-key', '--id', 'a:b', '--print']],
    [['jwt-secret', '--check']],
  ])('%j is not understood', async (args) => {
    expect((await run(...args)).code).toBe(2);
  });

  test('what is made elsewhere has its steps all the same', async () => {
    const { code, out } = await run('redis-token');
    expect([code, out.join('\n').includes('Upstash')]).toEqual([0, true]);
  });

  test.each(Object.entries(rotatedSecrets))('%s says how it ends', (_, { steps, overlap, bound }) => {
    expect([steps.length > 2, overlap !== '', bound !== '']).toEqual([true, true, true]);
  });
});

describe('rotate --check', () => {
  const metrics = createMetrics();
  const used = createCredentialCounter(metrics);
  let page: LoopbackServer;
  let each: (() => void) | null = null;
  beforeAll(async () => {
    page = await listenOnLoopback(
      createServer((_incoming, outgoing) => {
        outgoing.end(metrics.render());
        each?.();
      }),
    );
  });
  afterAll(() => page.down());
  const check = (name = 'jwt-secret') =>
    run(name, '--check', '--for', '0', '--metrics', `http://127.0.0.1:${page.port}/_authorizer/metrics`);

  test('says that the old value is still in use, and where to look', async () => {
    each = () => used('jwt_secret', 'previous');
    const { code, out } = await check();
    expect([code, out[0]]).toEqual([1, 'in 0 s, on 1 instance: 1 use of the old value, 0 of the new one']);
    expect(out[1]).toContain('audit query --key-id secret-previous');
  });

  test('says that it is not, only where somebody uses the new one', async () => {
    each = null;
    expect((await check()).code).toBe(1);
    each = () => used('jwt_secret', 'current');
    const { code, out } = await check();
    expect([code, out[1]]).toEqual([0, 'nobody uses the old value any more']);
    expect((await check('api-key')).code).toBe(1);
  });

  test('a page that cannot be read is no answer', async () => {
    const { code, err } = await run('jwt-secret', '--check', '--for', '0', '--metrics', 'http://127.0.0.1:1/');
    expect([code, err]).toEqual([1, ['no metrics page can be read at http://127.0.0.1:1/']]);
  });

  test('another page is no answer, also beside one that says what is wanted', async () => {
    each = () => used('jwt_secret', 'current');
    const other = await listenOnLoopback(createServer((_incoming, outgoing) => outgoing.end('up 1\n')));
    const urls = [page, other].map(({ port }) => `http://127.0.0.1:${port}/metrics`);
    const { code, err } = await run(
      'jwt-secret',
      '--check',
      '--for',
      '0',
      ...urls.flatMap((url) => ['--metrics', url]),
    );
    expect([code, err]).toEqual([1, [`no metrics page can be read at ${urls[1]}`]]);
    await other.down();
  });

  test('counts that were begun anew still count', () => {
    expect(usesBetween({ current: 100, previous: 5 }, { current: 3, previous: 1 })).toEqual({
      current: 3,
      previous: 1,
    });
    expect(usesIn(metrics.render(), 'ingress_secret')).toEqual({ current: 0, previous: 0 });
  });
});
