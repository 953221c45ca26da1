import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setUp } from '../../infra/cloudflare/setup.ts';
import { r2Lifecycle, r2Locks } from '../../lib/storage/lifecycle.ts';
import { API_TOKEN, type CloudApis, startCloudApis } from '../support/cloud-apis.ts';

/* The setup command against stubs of Cloudflare's and Upstash's APIs on loopback, which keep their own state. */

const SECRETS = {
  TGEFD_AUDIT_PSEUDONYM_KEY: 'pseudonym-key-value',
  TGEFD_AUDIT_SIGNING_KEY: 'signing-key-value',
  TGEFD_ASSERTION_KEY: 'assertion-key-value',
};
const AGES = { hotDays: 7, warmDays: 30, coldDays: 180 };
const env = {
  CLOUDFLARE_ACCOUNT_ID: 'account',
  CLOUDFLARE_API_TOKEN: API_TOKEN,
  UPSTASH_EMAIL: 'a@example.com',
  UPSTASH_API_KEY: 'upstash-key',
};

let apis: CloudApis;
let folder: string;
let secrets: string;
beforeEach(async () => {
  apis = await startCloudApis();
  folder = await mkdtemp(join(tmpdir(), 'tgefd-setup-'));
  secrets = join(folder, 'secrets.json');
  await writeFile(secrets, JSON.stringify(SECRETS));
});
afterEach(async () => {
  await apis.close();
  await rm(folder, { recursive: true, force: true });
});

async function run(args: readonly string[], given: Record<string, string | undefined> = env) {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const status = await setUp(args, { env: given, fetch: apis.fetch, out: say, err: say });
  return { status, text: lines.join('\n') };
}
const changes = () => apis.seen.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`);
const deployed = () => {
  apis.workers.set('tgefd-authorizer', new Map());
  apis.workers.set('tgefd-authorizer-archive', new Map());
};

describe('the Cloudflare setup', () => {
  test('changes nothing without --apply, and says what it would change', async () => {
    deployed();
    const { status, text } = await run(['--secrets', secrets]);
    expect(status).toBe(0);
    expect(changes()).toEqual([]);
    expect(text).toContain('Dry run');
    expect(text).toContain('would   create tgefd-authorizer in eu-central-1, TLS, no eviction');
    expect(text).toContain('would   create tgefd-authorizer-audit');
    expect(text).toContain('would   set TGEFD_AUDIT_SIGNING_KEY');
  });

  test('makes database, bucket, locks, lifecycle and secrets, each secret where it is needed only', async () => {
    deployed();
    const { status, text } = await run(['--apply', '--secrets', secrets, '--location', 'weur']);
    expect([status, text]).toEqual([0, expect.stringContaining('TGEFD_REDIS_URL = "https://db-1.upstash.io"')]);
    expect(apis.databases).toMatchObject([
      {
        database_name: 'tgefd-authorizer',
        platform: 'aws',
        primary_region: 'eu-central-1',
        tls: true,
        eviction: false,
      },
    ]);
    const bucket = apis.buckets.get('tgefd-authorizer-audit');
    expect(bucket?.lock).toEqual(r2Locks(AGES, 'audit/'));
    expect(bucket?.lifecycle).toEqual([{ id: 'Default Multipart Abort Rule' }, ...r2Lifecycle(AGES, 'audit/')]);
    expect(Object.fromEntries(apis.workers.get('tgefd-authorizer') ?? [])).toEqual({
      TGEFD_REDIS_TOKEN: 'token-1',
      TGEFD_AUDIT_PSEUDONYM_KEY: SECRETS.TGEFD_AUDIT_PSEUDONYM_KEY,
      TGEFD_ASSERTION_KEY: SECRETS.TGEFD_ASSERTION_KEY,
    });
    expect(Object.fromEntries(apis.workers.get('tgefd-authorizer-archive') ?? [])).toEqual({
      TGEFD_REDIS_TOKEN: 'token-1',
      TGEFD_AUDIT_PSEUDONYM_KEY: SECRETS.TGEFD_AUDIT_PSEUDONYM_KEY,
      TGEFD_AUDIT_SIGNING_KEY: SECRETS.TGEFD_AUDIT_SIGNING_KEY,
    });
  });

  test('gives the console’s Worker the public half of the signing key, and only where a console is wanted', async () => {
    deployed();
    apis.workers.set('tgefd-authorizer-console', new Map());
    const key = { kty: 'OKP', crv: 'Ed25519', x: 'the-public-part', d: 'the-private-part', kid: 'archive-1' };
    await writeFile(secrets, JSON.stringify({ ...SECRETS, TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(key) }));
    await run(['--apply', '--secrets', secrets]);
    expect([...(apis.workers.get('tgefd-authorizer-console') ?? [])]).toEqual([]);
    const { text } = await run(['--apply', '--secrets', secrets, '--console']);
    expect(text).toContain('Secrets of the Worker tgefd-authorizer-console');
    expect(text).toContain('wrangler.console.toml');
    const { TGEFD_AUDIT_SIGNING_KEY: signing, ...others } = Object.fromEntries(
      apis.workers.get('tgefd-authorizer-console') ?? [],
    );
    const { d: _private, ...publicHalf } = key;
    expect(JSON.parse(signing ?? '')).toEqual(publicHalf);
    expect(Object.keys(others)).toEqual(['TGEFD_REDIS_TOKEN', 'TGEFD_AUDIT_PSEUDONYM_KEY']);
  });

  test('changes nothing when it is run again', async () => {
    deployed();
    await run(['--apply', '--secrets', secrets]);
    apis.seen.length = 0;
    const { status, text } = await run(['--apply', '--secrets', secrets]);
    expect([status, changes()]).toEqual([0, []]);
    expect(text).toContain('0 done');
  });

  test('never replaces a secret that a Worker has', async () => {
    deployed();
    apis.workers.get('tgefd-authorizer')?.set('TGEFD_AUDIT_PSEUDONYM_KEY', 'the key in force');
    await run(['--apply', '--secrets', secrets]);
    expect(apis.workers.get('tgefd-authorizer')?.get('TGEFD_AUDIT_PSEUDONYM_KEY')).toBe('the key in force');
  });

  test('switches eviction off and TLS on where a database is there already', async () => {
    deployed();
    const made = { database_id: 'x', database_name: 'tgefd-authorizer', endpoint: 'x.upstash.io', rest_token: 't' };
    apis.databases.push({ ...made, eviction: true, tls: false });
    await run(['--apply']);
    expect(apis.databases).toMatchObject([{ eviction: false, tls: true }]);
  });

  test('keeps the rules of others in a bucket, and mends what differs', async () => {
    const foreign = { id: 'theirs', enabled: true, prefix: 'x/', condition: { type: 'Indefinite' } };
    const weak = { ...r2Locks(AGES, 'audit/')[0], enabled: false };
    apis.buckets.set('tgefd-authorizer-audit', { lifecycle: [], lock: [foreign, weak], isPublic: true });
    const { text } = await run(['--apply']);
    expect(apis.buckets.get('tgefd-authorizer-audit')?.lock).toEqual([foreign, ...r2Locks(AGES, 'audit/')]);
    expect(text).toContain('by hand close the public r2.dev address');
  });

  test('leaves secrets of a Worker that was never deployed, and a database without keys, to the operator', async () => {
    const { status, text } = await run(['--apply'], { ...env, UPSTASH_API_KEY: undefined });
    expect(status).toBe(0);
    expect(text).toContain('by hand create it in the console (eviction off)');
    expect(text).toContain('by hand deploy tgefd-authorizer (wrangler deploy)');
  });

  test('gives staging names of its own', async () => {
    await run(['--apply', '--environment', 'staging']);
    expect([...apis.buckets.keys()]).toEqual(['tgefd-authorizer-staging-audit']);
    expect(apis.databases).toMatchObject([{ database_name: 'tgefd-authorizer-staging' }]);
    const asked = apis.seen.map(({ path }) => path).filter((path) => path.includes('/scripts/'));
    expect(asked.map((path) => path.split('/').at(-2))).toEqual([
      'tgefd-authorizer-staging',
      'tgefd-authorizer-archive-staging',
    ]);
  });

  test('ends with status 1 and the reason when a service refuses, without a credential in it', async () => {
    const { status, text } = await run(['--apply'], { ...env, CLOUDFLARE_API_TOKEN: 'a-wrong-token' });
    expect([status, text]).toEqual([1, expect.stringContaining('status 403, Authentication error')]);
    expect(text).not.toMatch(/a-wrong-token|upstash-key/);
  });

  test('never shows a secret or a token', async () => {
    deployed();
    const { text } = await run(['--apply', '--secrets', secrets]);
    for (const value of [...Object.values(SECRETS), API_TOKEN, 'token-1', 'upstash-key']) {
      expect(text).not.toContain(value);
    }
  });

  test.each([
    [['--apply', '--buckets', 'x'], '--buckets'],
    [['--bucket', 'Not_A_Bucket'], 'lower-case'],
    [['--ages', '30,7,180'], '--ages'],
    [['--location', 'moon'], '--location'],
    [['--secrets', '/nowhere'], 'cannot be read'],
  ])('refuses %j with status 2 before it calls anybody', async (args, reason) => {
    expect(await run(args)).toMatchObject({ status: 2, text: expect.stringContaining(reason) });
    expect(apis.seen).toEqual([]);
  });

  test('refuses a file that holds something else than secrets of the product', async () => {
    await writeFile(secrets, JSON.stringify({ TGEFD_AUTH_MODE: 'none' }));
    expect(await run(['--secrets', secrets])).toMatchObject({ status: 2 });
  });
});
