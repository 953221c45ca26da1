import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3Store, type S3Settings } from '../../lib/storage/s3/s3.ts';
import { createS3Client } from '../../lib/storage/s3/s3-client.ts';
import { createSignedPut } from '../../lib/storage/s3/s3-put.ts';
import { describeWith } from '../support/describe-with.ts';
import { cephPrograms, type Radosgw, startRadosgw } from '../support/radosgw.ts';
import { storeContract } from './store-suite.ts';

const programs = await cephPrograms();

describeWith(Object.values(programs), 'object storage over S3, on Ceph radosgw', () => {
  let ceph: Radosgw;
  let client: S3Client;
  beforeAll(async () => {
    ceph = await startRadosgw(programs);
    client = createS3Client({
      endpoint: ceph.endpoint,
      region: 'default',
      credentials: ceph.credentials,
      timeoutMs: 20_000,
    });
    await client.send(new CreateBucketCommand({ Bucket: 'plain' }));
    await client.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }));
  });
  afterAll(() => ceph?.stop());

  let prefixes = 0;
  const settings: S3Settings = { bucket: 'plain', conditionalWrites: true, retention: null, encryption: null };
  const store = (changes: Partial<S3Settings> = {}) =>
    createS3Store(client, { ...settings, ...changes }, { clock: Date.now });

  describe('with conditional writes', () => {
    storeContract(async () => ({ store: store(), prefix: `test-${++prefixes}` }));
  });

  describe('with Object Lock, without conditional writes (radosgw has not both)', () => {
    const locked = () =>
      store({
        bucket: 'locked',
        conditionalWrites: false,
        retention: { mode: 'COMPLIANCE', days: 2, isKept: (key) => !key.includes('/spill/') },
      });
    storeContract(async () => ({ store: locked(), prefix: `test-${++prefixes}` }), { atomicCreate: false });

    test('what is written cannot be destroyed or its retention shortened, and a removal only hides it', async () => {
      const Key = `test-${++prefixes}/batches/a`;
      await locked().create(Key, new TextEncoder().encode('content'), 'text/plain');
      const Bucket = 'locked';
      const { Retention } = await client.send(new GetObjectRetentionCommand({ Bucket, Key }));
      expect(Retention?.Mode).toBe('COMPLIANCE');
      expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThan(Date.now() + 1.9 * 86_400_000);
      const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
      const VersionId = Versions?.[0]?.VersionId;
      await expect(client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))).rejects.toMatchObject({
        name: 'AccessDenied',
      });
      const shorter = { Mode: 'COMPLIANCE' as const, RetainUntilDate: new Date(Date.now() + 60_000) };
      await expect(
        client.send(new PutObjectRetentionCommand({ Bucket, Key, VersionId, Retention: shorter })),
      ).rejects.toMatchObject({ name: 'AccessDenied' });
      await locked().remove(Key);
      expect(await locked().read(Key, 100)).toBeNull();
      const after = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
      expect(after.Versions?.map((version) => version.VersionId)).toEqual([VersionId]);
    });

    test('what is only on its way through is not retained', async () => {
      const Key = `test-${++prefixes}/spill/a`;
      await locked().create(Key, new TextEncoder().encode('content'), 'text/plain');
      await expect(client.send(new GetObjectRetentionCommand({ Bucket: 'locked', Key }))).rejects.toMatchObject({
        name: 'ObjectLockConfigurationNotFoundError',
      });
    });
  });

  test('the request on the wire carries hash, condition, lock and encryption', async () => {
    const seen: Record<string, string> = {};
    client.middlewareStack.add(
      (next) => (args) => {
        const { request } = args;
        if (typeof request === 'object' && request !== null && 'headers' in request)
          Object.assign(seen, request.headers);
        return next(args);
      },
      { step: 'finalizeRequest', name: 'watch', priority: 'low' },
    );
    const asking = store({
      retention: { mode: 'GOVERNANCE', days: 1, isKept: () => true },
      encryption: { algorithm: 'aws:kms', keyId: 'key-1' },
    });
    await asking.create(`test-${++prefixes}/a`, new TextEncoder().encode('content'), 'text/plain').catch(() => {});
    client.middlewareStack.remove('watch');
    expect(seen).toMatchObject({
      'if-none-match': '*',
      'x-amz-checksum-sha256': '7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=',
      'x-amz-object-lock-mode': 'GOVERNANCE',
      'x-amz-object-lock-retain-until-date': expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
    });
  });

  test('one PUT signed without the SDK creates once, and is refused with a wrong key', async () => {
    const put = (secretAccessKey = ceph.credentials.secretAccessKey) =>
      createSignedPut(
        {
          bucketUrl: `${ceph.endpoint}/plain`,
          region: 'default',
          conditionalWrites: true,
          credentials: () => ({ accessKeyId: ceph.credentials.accessKeyId, secretAccessKey }),
        },
        fetch,
        Date.now,
      );
    const key = `test-${++prefixes}/year=2026/hour=10/1795516800010-d (1)!*'.json`;
    expect(await put().create(key, new TextEncoder().encode('first'), 'application/json')).toBe('created');
    expect(await put().create(key, new TextEncoder().encode('second'), 'application/json')).toBe('exists');
    expect(new TextDecoder().decode((await store().read(key, 100)) ?? undefined)).toBe('first');
    await expect(put('wrong').create(key, new TextEncoder().encode('x'), 'text/plain')).rejects.toThrow(
      /: status 403$/,
    );
  });

  test('an outage rejects with operation and key, never with content or credentials', async () => {
    const nobody = createS3Client({
      endpoint: 'http://127.0.0.1:1',
      region: 'default',
      credentials: ceph.credentials,
      timeoutMs: 500,
    });
    const down = createS3Store(nobody, settings, { clock: Date.now });
    await expect(down.create('a/b', new TextEncoder().encode('secret content'), 'text/plain')).rejects.toThrow(
      /^PUT a\/b: /,
    );
    await expect(down.read('a/b', 10)).rejects.toThrow(/^GET a\/b: /);
    await expect(down.list('a/', null)).rejects.toThrow(/^LIST a\/: /);
    const wrong = createS3Client({
      endpoint: ceph.endpoint,
      region: 'default',
      credentials: { ...ceph.credentials, secretAccessKey: 'wrong' },
      timeoutMs: 5000,
    });
    await expect(createS3Store(wrong, settings, { clock: Date.now }).read('a/b', 10)).rejects.toThrow(
      /\(SignatureDoesNotMatch, 403\)$/,
    );
  });
});
