import { readFile } from 'node:fs/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLayout } from '../../lib/archive/layout.ts';
import { createVerifier } from '../../lib/archive/signature.ts';
import { createR2Store, type R2Binding } from '../../lib/storage/r2.ts';
import { createS3Store } from '../../lib/storage/s3/s3.ts';
import { createS3Client } from '../../lib/storage/s3/s3-client.ts';
import type { ObjectStore } from '../../lib/storage/store.ts';
import { type VerifyReport, verifyArchive } from '../../lib/verify/verify.ts';
import { describeWith } from '../support/describe-with.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { cephPrograms, type Radosgw, startRadosgw } from '../support/radosgw.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { recordAt, signingJwk } from '../unit/archive/fixtures.ts';

const STREAM = 'tgefd:v1:audit';
const HOUR_MS = 3_600_000;
const redisServer = await redisProgram();
const ceph = await cephPrograms();

/** The configuration of an archive in development, for whatever place. */
function environment(redis: RedisParts): Record<string, string> {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'none',
    TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TOKEN: redis.token,
    TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
  };
}

/** Puts records into the outbox as if they had been there for an hour. */
async function decide(redis: RedisParts, count: number) {
  const startMs = Date.now() - HOUR_MS;
  for (let n = 1; n <= count; n++) {
    const record = JSON.stringify(recordAt(`d-${n}`, startMs + n));
    await redis.client.xadd(STREAM, `${startMs + n}-0`, 'r', record);
  }
}

function verified(store: ObjectStore, prefix = 'audit'): Promise<VerifyReport> {
  return verifyArchive(
    { fromMs: null, toMs: null, expiredBeforeMs: 0 },
    { store, layout: createLayout(prefix), verifier: createVerifier([signingJwk]), copies: null },
  );
}

describeWith([redisServer], 'the archive’s places', () => {
  let redis: RedisParts;
  beforeAll(async () => {
    redis = await startRedis(redisServer);
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    await redis.client.flushall();
  });

  describe('a Worker on cron, with R2 by binding', () => {
    let worker: Miniflare;
    beforeAll(async () => {
      const options = {
        modules: true,
        script: await readFile('dist/worker-archive.js', 'utf8'),
        compatibilityDate: '2026-10-01',
        r2Buckets: ['AUDIT_BUCKET'],
        bindings: environment(redis),
      };
      worker = new Miniflare(convertV4MiniflareOptions(options));
    });
    afterAll(() => worker?.dispose());

    test('drains the outbox into batches that verify, and nothing is left', async () => {
      await decide(redis, 2500);
      const archive = await worker.getWorker();
      expect(await archive.scheduled({})).toMatchObject({ outcome: 'ok' });
      expect(await redis.client.xlen(STREAM)).toBe(0);
      const store = createR2Store((await worker.getR2Bucket('AUDIT_BUCKET')) as unknown as R2Binding);
      const report = await verified(store);
      expect(report).toMatchObject({ integrity: 'intact', completeness: 'intact', order: 'intact', records: 2500 });
      expect(report.anchors).toBe(1);
      expect(await archive.scheduled({})).toMatchObject({ outcome: 'ok' });
      expect(await verified(store)).toMatchObject({ records: 2500, batches: report.batches });
    });

    test('an outage of Redis is a failed invocation, and the next one goes on', async () => {
      await decide(redis, 10);
      const archive = await worker.getWorker();
      await redis.setFault({ kind: 'status', status: 502 });
      expect(await archive.scheduled({})).toMatchObject({ outcome: 'exception' });
      await redis.setFault(null);
      expect(await archive.scheduled({})).toMatchObject({ outcome: 'ok' });
      expect(await redis.client.xlen(STREAM)).toBe(0);
    });
  });

  describeWith(Object.values(ceph), 'with a bucket over S3 (Ceph radosgw)', () => {
    let s3: Radosgw;
    let store: ObjectStore;
    beforeAll(async () => {
      s3 = await startRadosgw(ceph);
      const { endpoint, credentials } = s3;
      const client = createS3Client({ endpoint, region: 'default', credentials, timeoutMs: 20_000 });
      await client.send(new CreateBucketCommand({ Bucket: 'audit' }));
      const settings = { bucket: 'audit', conditionalWrites: true, retention: null, encryption: null };
      store = createS3Store(client, settings, { clock: Date.now });
    });
    afterAll(() => s3?.stop());

    const withBucket = (prefix: string) => ({
      ...environment(redis),
      TGEFD_AUDIT_BUCKET: 'audit',
      TGEFD_AUDIT_S3_ENDPOINT: s3.endpoint,
      TGEFD_AUDIT_S3_REGION: 'default',
      TGEFD_AUDIT_S3_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
      TGEFD_AUDIT_PREFIX: prefix,
    });

    test('a Node door drains it by its own timer, and ends its run when it is told to end', async () => {
      await decide(redis, 2500);
      const door = await startNodeDoor({ ...withBucket('node'), TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC: '1' });
      try {
        await expect.poll(() => redis.client.xlen(STREAM), { timeout: 20_000 }).toBe(0);
      } finally {
        await door.stop();
      }
      expect(await door.exited).toBe('exit code 0');
      expect(door.lines.join('\n')).toContain('"event":"audit_archived"');
      expect(await verified(store, 'node')).toMatchObject({
        integrity: 'intact',
        completeness: 'intact',
        order: 'intact',
        records: 2500,
      });
    });

    test('the Lambda bundle drains it, once for each call', async () => {
      await decide(redis, 2500);
      Object.assign(process.env, withBucket('trail'));
      const bundle = '../../dist/lambda-archive.mjs';
      const { handler } = (await import(/* @vite-ignore */ bundle)) as { handler: () => Promise<unknown> };
      expect(await handler()).toMatchObject({ outcome: 'drained', records: 2500, entriesLeft: 0 });
      expect(await verified(store, 'trail')).toMatchObject({
        integrity: 'intact',
        completeness: 'intact',
        order: 'intact',
        records: 2500,
      });
    });
  });
});
