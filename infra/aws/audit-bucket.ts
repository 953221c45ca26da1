import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  CfnBucket,
  type LifecycleRule,
  ObjectLockRetention,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { s3Lifecycle, type TierAges } from '../../lib/storage/lifecycle.ts';

export interface AuditBucketSettings {
  readonly key: IKey;
  readonly ages: TierAges;
  /** Prefix of every object of the archive, with its slash, or empty. */
  readonly prefix: string;
  readonly lock: 'COMPLIANCE' | 'GOVERNANCE';
  /** Where S3 writes who has accessed the bucket. */
  readonly accessLogs: Bucket;
}

/** What every bucket of ours is: versioned, closed to the public, TLS 1.2 or newer only, kept when the stack goes. */
const guarded = {
  versioned: true,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  removalPolicy: RemovalPolicy.RETAIN,
} as const;

/**
 * The archive of audit records: nothing in it can be changed or deleted before it expires (Object Lock), its tiers come from the
 * one description that `audit bucket --check` reads too. Access is logged elsewhere.
 */
export function createAuditBucket(scope: Construct, settings: AuditBucketSettings): Bucket {
  const retention = Duration.days(settings.ages.coldDays);
  const bucket = new Bucket(scope, 'AuditBucket', {
    ...guarded,
    encryption: BucketEncryption.KMS,
    encryptionKey: settings.key,
    bucketKeyEnabled: true,
    objectLockEnabled: true,
    objectLockDefaultRetention:
      settings.lock === 'COMPLIANCE'
        ? ObjectLockRetention.compliance(retention)
        : ObjectLockRetention.governance(retention),
    lifecycleRules: s3Lifecycle(settings.ages, settings.prefix).map(toRule),
    serverAccessLogsBucket: settings.accessLogs,
    serverAccessLogsPrefix: 'audit-bucket/',
  });
  return bucket;
}

/** A role for an archive outside AWS, and the folder of the bucket that is its own. */
export interface OutsideRole {
  readonly role: Role;
  /** Prefix of its objects, with its slash. */
  readonly prefix: string;
}

export interface AuditRoles {
  /** Drains the outbox: reads everything, writes batches, manifests and anchors, and takes spilled records away. */
  readonly archive: Role;
  /** Decides: may leave a record under `spill/` where the outbox has failed, and read nothing. */
  readonly authorizer: Role;
  /** Archives elsewhere, which drain and spill into folders of their own. */
  readonly outside: readonly OutsideRole[];
}

const KEPT = ['batches', 'manifests', 'anchors'];
const SPILL = 'spill';

/** Folders of one archive, below its prefix. */
export const ARCHIVE_FOLDERS: readonly string[] = [...KEPT, SPILL];

/**
 * Grants each role its part of the bucket, and denies writing to everybody else: who else in the account may write to S3 cannot
 * add a record. Nobody is granted to change a retention or to delete a version. Whoever drains lists the whole bucket: under a
 * condition on the prefix S3 might call an object that is not there forbidden, and names tell times only.
 */
export function shareAuditBucket(bucket: Bucket, key: IKey, prefix: string, roles: AuditRoles): void {
  const { archive, authorizer, outside } = roles;
  const objects = (own: string, folders: readonly string[]) =>
    folders.map((folder) => bucket.arnForObjects(`${own}${folder}/*`));
  const grant = (role: Role, actions: string[], resources: string[]) =>
    role.addToPolicy(new PolicyStatement({ actions, resources }));
  const grantDraining = (role: Role, own: string, ofSpill: string[]) => {
    grant(role, ['s3:ListBucket'], [bucket.bucketArn]);
    grant(role, ['s3:GetObject', 's3:PutObject'], objects(own, KEPT));
    grant(role, ofSpill, objects(own, [SPILL]));
    grant(role, ['kms:Decrypt', 'kms:GenerateDataKey'], [key.keyArn]);
  };
  grantDraining(archive, prefix, ['s3:GetObject', 's3:DeleteObject']);
  grant(authorizer, ['s3:PutObject'], objects(prefix, [SPILL]));
  grant(authorizer, ['kms:GenerateDataKey'], [key.keyArn]);
  // Its doors leave their spilled records under the same role.
  for (const { role, prefix: own } of outside)
    grantDraining(role, own, ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']);

  const drained = [archive, authorizer].map((role) => ({ role, prefix }));
  for (const { role, prefix: own } of [...drained, ...outside]) {
    acknowledgeObjects(
      role,
      bucket,
      ARCHIVE_FOLDERS.map((folder) => `${own}${folder}`),
    );
  }

  const deny = (sid: string, resource: string[], roles: readonly Role[]) =>
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:PutObject', 's3:PutObjectRetention', 's3:PutObjectLegalHold', 's3:BypassGovernanceRetention'],
        resources: resource,
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': roles.map(({ roleArn }) => roleArn) } },
      }),
    );
  deny('OnlyTheArchiveWrites', objects(prefix, KEPT), [archive]);
  outside.forEach(({ role, prefix: own }, index) => {
    deny(`OnlyOutsideWriter${index}Writes`, [bucket.arnForObjects(`${own}*`)], [role]);
  });
  deny('NobodyElseWrites', [bucket.arnForObjects('*')], [archive, authorizer, ...outside.map(({ role }) => role)]);
}

function acknowledgeObjects(role: Role, bucket: Bucket, folders: readonly string[]): void {
  const child = bucket.node.defaultChild;
  if (!(child instanceof CfnBucket)) throw new Error('a bucket without a resource');
  for (const folder of folders) {
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(bucket).getLogicalId(child)}.Arn>/${folder}/*]`,
      reason: 'Objects of one folder of one bucket, under names that are made as they are written.',
    });
  }
}

/** Where S3 and CloudTrail write what they saw. S3 can deliver access logs only to buckets without a key of one's own. */
export function createLogBucket(scope: Construct, id: string, days: number, key?: IKey): Bucket {
  const bucket = new Bucket(scope, id, {
    ...guarded,
    ...(key
      ? { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
      : { encryption: BucketEncryption.S3_MANAGED }),
    lifecycleRules: [{ expiration: Duration.days(days), noncurrentVersionExpiration: Duration.days(1) }],
  });
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason: 'It holds access logs itself: logging the access to it would never end.',
  });
  return bucket;
}

function toRule(rule: ReturnType<typeof s3Lifecycle>[number]): LifecycleRule {
  const { Transitions, Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload } = rule;
  return {
    id: rule.ID,
    prefix: rule.Filter.Prefix,
    ...(Transitions && {
      transitions: Transitions.map(({ Days, StorageClass: name }) => ({
        storageClass: new StorageClass(name),
        transitionAfter: Duration.days(Days),
      })),
    }),
    ...(Expiration && 'Days' in Expiration && { expiration: Duration.days(Expiration.Days) }),
    ...(Expiration && 'ExpiredObjectDeleteMarker' in Expiration && { expiredObjectDeleteMarker: true }),
    ...(NoncurrentVersionExpiration && {
      noncurrentVersionExpiration: Duration.days(NoncurrentVersionExpiration.NoncurrentDays),
    }),
    ...(AbortIncompleteMultipartUpload && {
      abortIncompleteMultipartUploadAfter: Duration.days(AbortIncompleteMultipartUpload.DaysAfterInitiation),
    }),
  };
}
