import { CreateBucketCommand, GetBucketPolicyCommand, PutBucketPolicyCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createS3Bucket } from '../../lib/storage/s3/s3-bucket.ts';
import { createS3Client } from '../../lib/storage/s3/s3-client.ts';
import { describeWith } from '../support/describe-with.ts';
import { cephPrograms, type Radosgw, startRadosgw } from '../support/radosgw.ts';

const programs = await cephPrograms();
const settings = {
  prefix: 'audit/',
  ages: { hotDays: 7, warmDays: 30, coldDays: 180 },
  lockMode: 'COMPLIANCE' as const,
};

describeWith(Object.values(programs), 'a bucket set and checked on Ceph radosgw', () => {
  let ceph: Radosgw;
  let client: S3Client;
  let Bucket: string;
  let buckets = 0;
  beforeAll(async () => {
    ceph = await startRadosgw(programs);
    client = createS3Client({
      endpoint: ceph.endpoint,
      region: 'default',
      credentials: ceph.credentials,
      timeoutMs: 20_000,
    });
  });
  afterAll(() => ceph?.stop());
  beforeEach(async () => {
    Bucket = `audit-${++buckets}`;
    await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  });

  test('what differs is set and then differs no more; what the endpoint cannot do is told and stops nothing else', async () => {
    const bucket = createS3Bucket(client, { ...settings, bucket: Bucket });
    const applied = (await bucket.apply()).map(({ name, refused }) => [name, refused]);
    expect(applied).toEqual([
      ['object lock', null],
      ['encryption', expect.any(String)], // radosgw 16 has no bucket encryption.
      ['public access block', null],
      ['TLS-only policy', null],
      ['lifecycle', null],
    ]);
    expect((await bucket.check()).filter(({ name }) => name !== 'encryption')).toEqual([]);
    expect((await bucket.apply()).map(({ name }) => name)).toEqual(['encryption']);
  });

  test('versioning is switched on where Object Lock is not wanted', async () => {
    const plain = `plain-${buckets}`;
    await client.send(new CreateBucketCommand({ Bucket: plain }));
    const bucket = createS3Bucket(client, { ...settings, bucket: plain, lockMode: null });
    expect((await bucket.apply()).map(({ name, refused }) => [name, refused])).toContainEqual(['versioning', null]);
    expect((await bucket.check()).map(({ name }) => name)).not.toContain('versioning');
  });

  test('statements of others stay in the policy', async () => {
    const theirs = {
      Sid: 'Theirs',
      Effect: 'Deny',
      Principal: '*',
      Action: ['s3:DeleteBucket'],
      Resource: [`arn:aws:s3:::${Bucket}`],
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [theirs] });
    await client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    await createS3Bucket(client, { ...settings, bucket: Bucket }).apply();
    const held = await client.send(new GetBucketPolicyCommand({ Bucket }));
    const { Statement } = JSON.parse(held.Policy ?? '');
    expect(Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(['Theirs', 'AuditTlsOnly']);
  });
});
