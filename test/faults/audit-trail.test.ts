import { gunzipSync } from 'node:zlib';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createArchive } from '../../lib/archive/run.ts';
import { createSigner, createVerifier } from '../../lib/archive/signature.ts';
import { createRedisOutbox } from '../../lib/audit/outbox-redis.ts';
import { auditRecordSchema } from '../../lib/audit/schema.ts';
import { createMemoryObjectStore } from '../../lib/storage/memory.ts';
import { createS3Store } from '../../lib/storage/s3/s3.ts';
import { createS3Client } from '../../lib/storage/s3/s3-client.ts';
import { listAll, type ObjectStore } from '../../lib/storage/store.ts';
import { verifyArchive } from '../../lib/verify/verify.ts';
import { makeCredentials } from '../doors/credentials.ts';
import { type DoorCase, doorTable } from '../doors/table.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { cephPrograms, type Radosgw, startRadosgw } from '../support/radosgw.ts';
import { requestRaw } from '../support/raw-http.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import { layout, signingJwk } from '../unit/archive/fixtures.ts';

const STREAM = 'tgefd:v1:audit';
const redisServer = await redisProgram();
const ceph = await cephPrograms();

describeWith([redisServer], 'the audit trail behind real doors', () => {
  let issuer: Issuer;
  let upstream: Upstream;
  let redis: RedisParts;
  let credentials: Awaited<ReturnType<typeof makeCredentials>>;
  let door: StartedDoor | null = null;

  beforeAll(async () => {
    [issuer, upstream, redis] = await Promise.all([startIssuer(), startUpstream(), startRedis(redisServer)]);
    credentials = await makeCredentials(issuer);
  });
  afterAll(() => Promise.all([issuer?.stop(), upstream?.stop(), redis?.stop()]));
  afterEach(async () => {
    await door?.stop();
    door = null;
    await redis.setFault(null);
    await redis.client.flushall();
  });

  const environment = (): Record<string, string> => ({
    ...jwtEnvironment(issuer),
    TGEFD_JWT_ALLOWED_ALGS: 'RS256,PS256,ES256,EdDSA',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TOKEN: redis.token,
    TGEFD_REVOCATION_ON_ERROR: 'open',
    TGEFD_RATE_LIMIT_PER_MINUTE: '100000',
    TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '100000',
    TGEFD_AUDIT_MODE: 'strict',
    TGEFD_AUDIT_LOG: 'true',
    TGEFD_AUDIT_PSEUDONYM_KEY: 'a pseudonym key that only tests know of',
  });
  const send = (to: StartedDoor, request: DoorCase) =>
    requestRaw(
      to.port,
      `${request.method ?? 'GET'} ${request.target} HTTP/1.1`,
      [
        'Host: api.example',
        ...(request.credential ? [`Authorization: Bearer ${credentials[request.credential]}`] : []),
        ...(request.fields ?? []).map(([name, value]) => `${name}: ${value}`),
        ...(request.body === undefined ? [] : [`Content-Length: ${request.body.length}`]),
      ],
      request.body,
    );
  const metrics: DoorCase = {
    name: 'metrics',
    target: '/v1/metrics',
    credential: 'metrics only',
    expect: { status: 200 },
  };

  /** Everything that Redis holds, as text. */
  const everythingInRedis = async (): Promise<string> => {
    const parts: string[] = [];
    for (const key of await redis.client.keys('*')) {
      const type = await redis.client.type(key);
      const value =
        type === 'stream'
          ? await redis.client.xrange(key, '-', '+')
          : type === 'hash'
            ? await redis.client.hgetall(key)
            : type === 'zset'
              ? await redis.client.zrange(key, '0', '-1')
              : type === 'set'
                ? await redis.client.smembers(key)
                : await redis.client.get(key);
      parts.push(`${key} ${JSON.stringify(value)}`);
    }
    return parts.join('\n');
  };

  /** Archives the outbox as an archive ten minutes from now would, and gives the bucket. */
  const archived = async () => {
    const objects = new Map<string, Uint8Array<ArrayBuffer>>();
    const store = createMemoryObjectStore(objects);
    const outbox = createRedisOutbox(
      { stream: STREAM, maximumEntries: 1_000_000, timeoutMs: 5000, shareTrips: false },
      {
        async request({ body }) {
          const headers = { authorization: `Bearer ${redis.token}`, 'content-type': 'application/json' };
          return (await fetch(redis.url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
        },
      },
    );
    const verifier = createVerifier([signingJwk]);
    const archive = createArchive(
      { writer: 'main', settleMs: 0, spillSettleMs: 0, maximumAgeMs: 0, leaseMs: 60_000, runMs: 60_000 },
      {
        source: outbox,
        lease: outbox,
        store,
        copies: null,
        layout,
        signer: createSigner(signingJwk),
        verifier,
        clock: () => Date.now() + 600_000,
        newId: () => 'test',
        log: () => {},
      },
    );
    await archive.run();
    const report = await verifyArchive(
      { fromMs: null, toMs: null, expiredBeforeMs: 0 },
      { store, layout, verifier, copies: null },
    );
    const texts = [...objects].map(([key, bytes]) =>
      key.endsWith('.gz') ? gunzipSync(bytes).toString() : Buffer.from(bytes).toString(),
    );
    return { report, text: [...objects.keys(), ...texts].join('\n'), texts };
  };

  /** What must be nowhere: parts of tokens, names of callers, queries and bodies. */
  const forbidden = (): string[] => [
    ...Object.values(credentials).flatMap((token) => token.split('.').filter((part) => part.length > 12)),
    ...['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'],
    ...['verbose=1', 'query-secret', 'body-secret', 'sub-resource-secret'],
    redis.token,
    'a pseudonym key',
  ];

  describe.each([
    ['Node', startNodeDoor],
    ['workerd', startWorkerDoor],
  ])('on %s, over the whole door table', (_, start) => {
    test('one record a decision reaches the archive, and nothing of a caller is in Redis, a log or an object', async () => {
      door = await start(environment());
      const extra: DoorCase[] = [
        { ...metrics, target: '/v1/metrics?q=query-secret' },
        { ...metrics, method: 'POST', target: '/v1/evaluate', credential: 'everything', body: '{"x":"body-secret"}' },
        { ...metrics, target: '/v1/jobs/sub-resource-secret', credential: 'everything' },
      ];
      const table = [...doorTable, ...extra];
      for (const request of table) await send(door, request);
      const inRedis = await everythingInRedis();
      const { report, text, texts } = await archived();
      expect(report).toMatchObject({
        integrity: 'intact',
        completeness: 'intact',
        order: 'intact',
        records: table.length,
      });
      const lines = texts.flatMap((object) => object.split('\n')).filter((line) => line.startsWith('{"type":"audit",'));
      const records = lines.map((line) => {
        const { stream_id: _streamId, n: _n, ...record } = JSON.parse(line);
        return auditRecordSchema.parse(record);
      });
      expect(new Set(records.map(({ id }) => id)).size).toBe(table.length);
      for (const secret of forbidden()) {
        expect(inRedis, `${secret} in Redis`).not.toContain(secret);
        expect(text, `${secret} in the bucket`).not.toContain(secret);
        expect(door.lines.join('\n'), `${secret} in a log`).not.toContain(secret);
      }
    });

    test('strict: when the outbox fails and there is no bucket, the answer is 503 audit_unavailable', async () => {
      door = await start(environment());
      expect((await send(door, metrics)).status).toBe(200);
      await redis.setFault({ kind: 'refuse' });
      const answer = await send(door, metrics);
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'audit_unavailable' });
      expect(answer.field('retry-after')).toMatch(/^\d+$/);
      await expect.poll(() => door?.lines.join('\n'), { timeout: 5000 }).toContain('audit_record_refused');
    });

    test('relaxed: the answer leaves, and the loss is counted and logged', async () => {
      door = await start({ ...environment(), TGEFD_AUDIT_MODE: 'relaxed' });
      await send(door, metrics);
      await redis.setFault({ kind: 'refuse' });
      expect((await send(door, metrics)).status).toBe(200);
      await expect.poll(() => door?.lines.join('\n'), { timeout: 10_000 }).toContain('audit_record_lost');
    });
  });

  describeWith(Object.values(ceph), 'with a bucket (Ceph radosgw)', () => {
    let s3: Radosgw;
    let store: ObjectStore;
    beforeAll(async () => {
      s3 = await startRadosgw(ceph);
      const { endpoint, credentials: keys } = s3;
      const client = createS3Client({ endpoint, region: 'default', credentials: keys, timeoutMs: 20_000 });
      await client.send(new CreateBucketCommand({ Bucket: 'audit' }));
      const settings = { bucket: 'audit', conditionalWrites: true, retention: null, encryption: null };
      store = createS3Store(client, settings, { clock: Date.now });
    });
    afterAll(() => s3?.stop());

    test.each([
      ['Node', startNodeDoor],
      ['workerd', startWorkerDoor],
    ])(
      '%s: when the outbox fails the record goes straight to the bucket, says so, and the answer leaves',
      async (place, start) => {
        door = await start({
          ...environment(),
          TGEFD_AUDIT_BUCKET: 'audit',
          TGEFD_AUDIT_PREFIX: place.toLowerCase(),
          TGEFD_AUDIT_S3_ENDPOINT: s3.endpoint,
          TGEFD_AUDIT_S3_REGION: 'default',
          TGEFD_AUDIT_S3_ACCESS_KEY_ID: s3.credentials.accessKeyId,
          TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
          TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
        });
        await send(door, metrics);
        await redis.setFault({ kind: 'refuse' });
        expect((await send(door, metrics)).status).toBe(200);
        const keys: string[] = [];
        for await (const { key } of listAll(store, `${place.toLowerCase()}/`)) keys.push(key);
        expect(keys).toHaveLength(1);
        expect(keys[0]).toMatch(
          /\/spill\/year=\d{4}\/month=\d\d\/day=\d\d\/hour=\d\d\/minute=\d\d\/\d{13}-[0-9A-Z]{26}\.json$/,
        );
        const spilled = JSON.parse(new TextDecoder().decode((await store.read(keys[0] ?? '', 10_000)) ?? undefined));
        expect(auditRecordSchema.parse(spilled)).toMatchObject({ outcome: 'allowed', action: 'metrics' });
        expect(spilled.degraded).toContain('audit_direct');
      },
    );
  });
});
