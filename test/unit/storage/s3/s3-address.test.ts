import { Agent, createServer, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { type Holding, leasedStore } from '../../../../lib/archive/leased-store.ts';
import { awsPartition, awsS3Host, awsStsHost } from '../../../../lib/codec/aws-partition.ts';
import { egressTargets } from '../../../../lib/config/egress.ts';
import { loadConfig } from '../../../../lib/config/load.ts';
import { problemLine } from '../../../../lib/config/problem.ts';
import { probeConditionalWrites } from '../../../../lib/storage/conditional-probe.ts';
import { createMemoryObjectStore } from '../../../../lib/storage/memory.ts';
import { createR2Bucket } from '../../../../lib/storage/r2-bucket.ts';
import { createS3Store } from '../../../../lib/storage/s3/s3.ts';
import { bucketUrl, r2Place } from '../../../../lib/storage/s3/s3-address.ts';
import { createS3Client } from '../../../../lib/storage/s3/s3-client.ts';
import { createSignedPut } from '../../../../lib/storage/s3/s3-put.ts';
import { type LoopbackServer, listenOnLoopback } from '../../../support/loopback-server.ts';

describe('the URL of a bucket', () => {
  test.each([
    ['https://s3.example', 'path', 'https://s3.example/records'],
    ['https://s3.example', 'virtual', 'https://records.s3.example'],
    ['https://s3.example:9000/store/v1/', 'path', 'https://s3.example:9000/store/v1/records'],
    ['https://s3.example:9000/store/v1', 'virtual', 'https://records.s3.example:9000/store/v1'],
  ] as const)('at %s, %s', (endpoint, addressing, url) => {
    expect(bucketUrl(new URL(endpoint), 'records', addressing)).toBe(url);
  });
});

test.each([
  ['eu-central-1', 'aws', 's3.eu-central-1.amazonaws.com', 'sts.eu-central-1.amazonaws.com'],
  ['cn-north-1', 'aws-cn', 's3.cn-north-1.amazonaws.com.cn', 'sts.cn-north-1.amazonaws.com.cn'],
  ['us-gov-west-1', 'aws-us-gov', 's3.us-gov-west-1.amazonaws.com', 'sts.us-gov-west-1.amazonaws.com'],
  ['us-iso-east-1', 'aws-iso', 's3.us-iso-east-1.c2s.ic.gov', 'sts.us-iso-east-1.c2s.ic.gov'],
])('the region %s is of the partition %s', (region, partition, s3, sts) => {
  expect([awsPartition(region).name, awsS3Host(region), awsStsHost(region)]).toEqual([partition, s3, sts]);
});

describe('requests of the SDK and of the signed PUT', () => {
  let server: LoopbackServer | null = null;
  afterEach(() => server?.down());
  const seen: string[] = [];
  const start = async () => {
    seen.length = 0;
    const listener = createServer((request: IncomingMessage, response) => {
      seen.push(`${request.method} ${request.headers.host?.replace(/:\d+$/, '')}${request.url?.replace(/\?.*/, '')}`);
      request.resume().once('end', () => response.writeHead(200).end());
    });
    server = await listenOnLoopback(listener);
    return server.port;
  };
  const lookup = (_name: string, options: { all?: boolean }, done: (...answer: unknown[]) => void) =>
    options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);

  test.each([
    ['path', 's3.example/store/records/key'],
    ['virtual', 'records.s3.example/store/key'],
  ] as const)('name the bucket and the path of the endpoint: %s', async (addressing, place) => {
    const endpoint = `http://s3.example:${await start()}/store`;
    const http = new Agent({ lookup: lookup as never });
    const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
    const client = createS3Client({
      endpoint,
      addressing,
      region: 'auto',
      credentials,
      timeoutMs: 5_000,
      agents: { http, https: http },
    });
    const settings = { bucket: 'records', conditionalWrites: true, retention: null, encryption: null };
    await createS3Store(client, settings, { clock: Date.now }).create('key', new Uint8Array([1]), 'text/plain');
    const urls: string[] = [];
    const put = createSignedPut(
      {
        bucketUrl: bucketUrl(new URL(endpoint), 'records', addressing),
        region: 'auto',
        conditionalWrites: true,
        credentials: () => credentials,
      },
      async (url) => {
        urls.push(url.replace(/^http:\/\//, '').replace(/:\d+/, ''));
        return new Response(null, { status: 200 });
      },
      () => Date.now(),
    );
    await put.create('key', new Uint8Array([1]), 'text/plain');
    http.destroy();
    expect(seen).toEqual([`PUT ${place}`]);
    expect(urls).toEqual([place]);
  });
});

describe('the configuration', () => {
  const load = (more: Record<string, string>) =>
    loadConfig(
      {
        TGEFD_ENV: 'development',
        TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
        TGEFD_AUDIT_BUCKET: 'records',
        TGEFD_AUDIT_S3_ENDPOINT: 'https://s3.example/store',
        ...more,
      },
      { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false },
    );

  test('lets the process call the bucket’s own host where it is addressed so', () => {
    const hosts = (more: Record<string, string>) => {
      const loaded = load(more);
      if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
      return egressTargets(loaded.config.settings, null).map(({ host }) => host);
    };
    expect(hosts({})).not.toContain('records.s3.example');
    expect(hosts({ TGEFD_AUDIT_S3_ADDRESSING: 'virtual' })).toContain('records.s3.example');
  });

  test.each<[Record<string, string>, string]>([
    [{ TGEFD_AUDIT_S3_ADDRESSING: 'virtual', TGEFD_AUDIT_BUCKET: 'my.records' }, 'TGEFD_AUDIT_S3_ADDRESSING'],
    [
      { TGEFD_AUDIT_S3_ADDRESSING: 'virtual', TGEFD_AUDIT_S3_ENDPOINT: 'http://127.0.0.1:9000' },
      'TGEFD_AUDIT_S3_ADDRESSING',
    ],
    [{ TGEFD_AUDIT_S3_ENDPOINT: 'https://s3.example/?x=1' }, 'TGEFD_AUDIT_S3_ENDPOINT'],
    [{ TGEFD_AUDIT_CONDITIONAL_WRITES: 'maybe' }, 'TGEFD_AUDIT_CONDITIONAL_WRITES'],
  ])('refuses %j', (more, variable) => {
    const loaded = load(more);
    expect(loaded.ok ? [] : loaded.problems.map((problem) => problem.variable)).toEqual([variable]);
  });
});

test.each([
  ['https://abc123.r2.cloudflarestorage.com', { accountId: 'abc123', jurisdiction: null }, undefined],
  ['https://abc123.eu.r2.cloudflarestorage.com', { accountId: 'abc123', jurisdiction: 'eu' }, 'eu'],
  ['https://abc123.fedramp.r2.cloudflarestorage.com', { accountId: 'abc123', jurisdiction: 'fedramp' }, 'fedramp'],
])(
  'the host %s names the account and the jurisdiction, which Cloudflare’s API is told',
  async (endpoint, place, told) => {
    expect(r2Place(new URL(endpoint))).toEqual(place);
    const fields: (string | undefined)[] = [];
    const bucket = createR2Bucket(
      {
        ...place,
        apiToken: 't',
        bucket: 'records',
        prefix: 'audit/',
        ages: { hotDays: 7, warmDays: 30, coldDays: 180 },
      },
      async (_url, init) => {
        fields.push(new Headers(init?.headers).get('cf-r2-jurisdiction') ?? undefined);
        return Response.json({ result: { rules: [] } });
      },
    );
    await bucket.check();
    expect(new Set(fields)).toEqual(new Set([told]));
  },
);

test('a host of another store names no account', () => {
  expect(r2Place(new URL('https://s3.example'))).toBeNull();
  expect(r2Place(null)).toBeNull();
});

describe('a store without conditional writes', () => {
  const bytes = new Uint8Array([1]);

  test('is written only under the archive’s lease, renewed for each object', async () => {
    const holding: Holding = { holder: null };
    const asked: string[] = [];
    let free = true;
    const lease = {
      acquire: async (holder: string) => {
        asked.push(holder);
        return free;
      },
    };
    const store = leasedStore({ ...createMemoryObjectStore(), needsLease: true }, lease, { leaseMs: 60_000, holding });
    await expect(store.create('a', bytes, 'text/plain')).rejects.toThrow('the lease was lost');
    holding.holder = 'run-1';
    expect(await store.create('a', bytes, 'text/plain')).toBe('created');
    free = false;
    await expect(store.create('b', bytes, 'text/plain')).rejects.toThrow('the lease was lost');
    expect(await store.read('b', 10)).toBeNull();
    expect(asked).toEqual(['run-1', 'run-1']);
  });

  test('and a store with them is not touched', () => {
    const store = createMemoryObjectStore();
    expect(leasedStore(store, { acquire: async () => false }, { leaseMs: 1, holding: { holder: null } })).toBe(store);
  });

  test.each([
    ['honoured', createMemoryObjectStore()],
    ['ignored', { create: async () => 'created' as const, remove: async () => undefined }],
    [
      'refused',
      { create: () => Promise.reject(new Error('PUT x: … (NotImplemented, 501)')), remove: async () => undefined },
    ],
  ])('is found out: %s', async (found, store) => {
    expect(await probeConditionalWrites(store, 'audit/probe/conditional-write')).toBe(found);
  });
});
