import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main } from '../../../../functions/cli.ts';
import { firstSecrets } from '../../../../lib/cli/secrets/first-secrets.ts';
import { secretNames } from '../../../../lib/config/sources.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-keys-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const console = { env: {}, out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) };
  return { status: await main(['keys', ...args], console), out, err };
}
const written = (name: string) => readFile(join(folder, 'keys', name), 'utf8');

describe('keys create', () => {
  test('knows every secret of the product', () => {
    const known = Object.values(firstSecrets).map(({ variable }) => variable);
    const secrets = secretNames.filter((name) => !name.endsWith('_PREVIOUS') && !name.startsWith('UPSTASH_'));
    expect(new Set(known), 'a new secret needs a row in lib/cli/secrets/first-secrets.ts').toEqual(new Set(secrets));
  });

  test('makes what production needs, in files that only their owner may read', async () => {
    const { status, out } = await run('create', '--out', join(folder, 'keys'));
    expect(status).toBe(0);
    expect((await readdir(join(folder, 'keys'))).sort()).toEqual([
      'assertion-key',
      'audit-pseudonym-key',
      'audit-signing-key',
    ]);
    expect((await stat(join(folder, 'keys'))).mode & 0o777).toBe(0o700);
    for (const name of await readdir(join(folder, 'keys'))) {
      expect((await stat(join(folder, 'keys', name))).mode & 0o777).toBe(0o600);
      expect(out.join('\n')).not.toContain(await written(name));
    }
    expect(Buffer.from(await written('audit-pseudonym-key'), 'base64url')).toHaveLength(32);
    expect(JSON.parse(await written('audit-signing-key'))).toMatchObject({ kty: 'OKP', alg: 'EdDSA', use: 'sig' });
  });

  test('never writes over a key that is there', async () => {
    await run('create', 'ingress-secret', '--out', join(folder, 'keys'));
    const before = await written('ingress-secret');
    expect((await run('create', 'ingress-secret', '--out', join(folder, 'keys'))).status).toBe(1);
    expect(await written('ingress-secret')).toBe(before);
  });

  test.each([
    ['/proc/tgefd-keys', 'the folder /proc/tgefd-keys cannot be made'],
    ['/dev/null/keys', '/dev/null is a file, not a folder'],
  ])('refuses the folder %s, which cannot be made', async (path, why) => {
    const { status, err } = await run('create', '--out', path);
    expect([status, err]).toEqual([1, [`--out: ${why}`]]);
  });

  test('makes a key pair of the algorithm that is asked for, with both halves', async () => {
    const { out } = await run('create', 'assertion-key', '--print', '--algorithm', 'ES256');
    const jwk = JSON.parse(out[0] ?? '');
    expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256' });
    expect(jwk.kid).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
    expect(key.type).toBe('private');
  });

  test('writes the shape of AWS Secrets Manager and of wrangler secret bulk', async () => {
    await run('create', 'audit-pseudonym-key', '--as', 'aws', '--out', join(folder, 'keys'));
    expect(JSON.parse(await written('audit_pseudonym_key.json'))).toEqual({
      current: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      previous: '',
    });
    await run('create', '--as', 'json', '--out', join(folder, 'keys'));
    expect(Object.keys(JSON.parse(await written('secrets.json')))).toEqual([
      'TGEFD_AUDIT_PSEUDONYM_KEY',
      'TGEFD_AUDIT_SIGNING_KEY',
      'TGEFD_ASSERTION_KEY',
    ]);
  });

  test('names the holder of an API key', async () => {
    const { out } = await run('create', 'api-key', '--print', '--id', 'alice');
    expect(out[0]).toMatch(/^alice:[A-Za-z0-9_-]{43}$/);
  });

  test.each([
    [['create', '--print'], 'one secret'],
    [['create'], '--out'],
    [['create', 'redis-token', '--print'], 'Upstash'],
    [['create', 'constructor', '--print'], 'SECRET is one of'],
    [['create', 'api-key', '--print', '--algorithm', 'HS256'], '--algorithm'],
    [['create', 'api-key', '--print', '--as', 'yaml'], '--as'],
    [['create', 'api-key', '--print', '--id', 'a b'], '--id'],
    [['make'], 'there is no command keys make'],
  ])('refuses %j', async (args, reason) => {
    const { status, err } = await run(...args);
    expect([status, err.join('\n')]).toEqual([2, expect.stringContaining(reason)]);
  });

  test('lists every secret, and where those come from that it does not make', async () => {
    const { out } = await run('list');
    expect(out).toHaveLength(Object.keys(firstSecrets).length);
    expect(out.find((line) => line.startsWith('redis-token'))).toContain('Upstash');
  });
});
