import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { type Aspect, createManagedBucket, type ManagedBucket } from '../bucket.ts';
import { s3Lifecycle, type TierAges } from '../lifecycle.ts';
import { statusOf, storageCause } from '../storage-failure.ts';

export interface S3BucketSettings {
  readonly bucket: string;
  /** Prefix of every object, with its slash, or empty. */
  readonly prefix: string;
  readonly ages: TierAges;
  /** Default retention of new objects, until they expire; null: Object Lock is not asked for. */
  readonly lockMode: 'COMPLIANCE' | 'GOVERNANCE' | null;
  /** Partition of AWS in ARNs (default `aws`). */
  readonly partition?: string;
}

const TLS_STATEMENT = 'AuditTlsOnly';

/**
 * An S3 bucket as the archive wants it: versions kept, Object Lock with a default retention, encrypted, closed to the public,
 * reached by TLS only, with the lifecycle of the tiers. `apply` changes what differs and nothing else; policy statements and
 * lifecycle rules of others stay. Object Lock can only be switched on for a versioned bucket, and never off.
 */
export function createS3Bucket(client: S3Client, settings: S3BucketSettings): ManagedBucket {
  const { bucket, prefix, ages, lockMode, partition = 'aws' } = settings;
  return createManagedBucket([
    versioning(client, bucket),
    ...(lockMode === null ? [] : [objectLock(client, bucket, lockMode, ages.coldDays)]),
    encryption(client, bucket),
    publicAccess(client, bucket),
    tlsPolicy(client, bucket, partition),
    lifecycle(client, bucket, s3Lifecycle(ages, prefix)),
  ]);
}

/** The answer, or null where the bucket has no such setting. */
async function absent<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === 404 && storageCause(error) !== 'no_bucket') return null;
    throw error;
  }
}

function versioning(client: S3Client, Bucket: string): Aspect {
  return {
    name: 'versioning',
    wanted: 'Enabled',
    read: async () => (await client.send(new GetBucketVersioningCommand({ Bucket }))).Status ?? null,
    write: () =>
      client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
  };
}

function objectLock(client: S3Client, Bucket: string, mode: 'COMPLIANCE' | 'GOVERNANCE', days: number): Aspect {
  return {
    name: 'object lock',
    wanted: { mode, days },
    async read() {
      const answer = await absent(client.send(new GetObjectLockConfigurationCommand({ Bucket })));
      const retention = answer?.ObjectLockConfiguration?.Rule?.DefaultRetention;
      return retention ? { mode: retention.Mode, days: retention.Days } : null;
    },
    write: () =>
      client.send(
        new PutObjectLockConfigurationCommand({
          Bucket,
          ObjectLockConfiguration: {
            ObjectLockEnabled: 'Enabled',
            Rule: { DefaultRetention: { Mode: mode, Days: days } },
          },
        }),
      ),
  };
}

function encryption(client: S3Client, Bucket: string): Aspect {
  return {
    name: 'encryption',
    wanted: true,
    async read() {
      const answer = await absent(client.send(new GetBucketEncryptionCommand({ Bucket })));
      const rules = answer?.ServerSideEncryptionConfiguration?.Rules ?? [];
      return rules.some((rule) => rule.ApplyServerSideEncryptionByDefault?.SSEAlgorithm !== undefined);
    },
    write: () =>
      client.send(
        new PutBucketEncryptionCommand({
          Bucket,
          ServerSideEncryptionConfiguration: {
            Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
          },
        }),
      ),
  };
}

function publicAccess(client: S3Client, Bucket: string): Aspect {
  const closed = {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  };
  return {
    name: 'public access block',
    wanted: closed,
    async read() {
      const answer = await absent(client.send(new GetPublicAccessBlockCommand({ Bucket })));
      return answer?.PublicAccessBlockConfiguration ?? null;
    },
    write: () => client.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: closed })),
  };
}

function tlsPolicy(client: S3Client, Bucket: string, partition: string): Aspect {
  const tlsOnly: Statement = {
    Sid: TLS_STATEMENT,
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [`arn:${partition}:s3:::${Bucket}`, `arn:${partition}:s3:::${Bucket}/*`],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  const statements = async (): Promise<readonly Statement[]> => {
    const answer = await absent(client.send(new GetBucketPolicyCommand({ Bucket })));
    const policy: unknown = answer?.Policy === undefined ? null : JSON.parse(answer.Policy);
    const held = typeof policy === 'object' && policy !== null && 'Statement' in policy ? policy.Statement : [];
    return Array.isArray(held) ? held.filter(isStatement) : [];
  };
  return {
    name: 'TLS-only policy',
    wanted: tlsOnly,
    read: async () => (await statements()).find(({ Sid }) => Sid === TLS_STATEMENT) ?? null,
    async write() {
      const others = (await statements()).filter(({ Sid }) => Sid !== TLS_STATEMENT);
      const document = { Version: '2012-10-17', Statement: [...others, tlsOnly] };
      return client.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(document) }));
    },
  };
}

function lifecycle(client: S3Client, Bucket: string, wanted: ReturnType<typeof s3Lifecycle>): Aspect {
  const ours = new Set<string | undefined>(wanted.map(({ ID }) => ID));
  const rules = async () =>
    (await absent(client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))))?.Rules ?? [];
  return {
    name: 'lifecycle',
    wanted,
    read: async () => (await rules()).filter(({ ID }) => ours.has(ID)),
    async write() {
      const others = (await rules()).filter(({ ID }) => !ours.has(ID));
      const Rules = [...others, ...wanted.map((rule) => ({ ...rule, Transitions: [...(rule.Transitions ?? [])] }))];
      return client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
    },
  };
}

interface Statement {
  readonly Sid?: string;
  readonly [member: string]: unknown;
}

function isStatement(value: unknown): value is Statement {
  return typeof value === 'object' && value !== null;
}
