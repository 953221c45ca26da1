import { boolean, document, integer, oneOf, seconds, text, url } from '../../kinds.ts';
import { secret, setting } from '../../variable.ts';

/** Chapter “Archive” of the configuration. */
export const archive = {
  auditBucket: setting({
    name: 'TGEFD_AUDIT_BUCKET',
    kind: text('a bucket name'),
    fallback: null,
    meaning: 'Bucket that batches are written to.',
  }),
  auditS3Endpoint: setting({
    name: 'TGEFD_AUDIT_S3_ENDPOINT',
    kind: url,
    fallback: null,
    meaning:
      'S3 endpoint, where it is not AWS (R2, Google Cloud Storage interoperability). A path in it stands in front of every request.',
  }),
  auditS3Region: setting({
    name: 'TGEFD_AUDIT_S3_REGION',
    kind: text('a region'),
    fallback: 'auto',
    meaning: 'Region of the bucket.',
  }),
  auditS3Addressing: setting({
    name: 'TGEFD_AUDIT_S3_ADDRESSING',
    kind: oneOf('path', 'virtual'),
    fallback: null,
    meaning:
      'Where requests name the bucket: `path` (`https://host/bucket/key`) or `virtual` (`https://bucket.host/key`). Not given: `virtual` at AWS, `path` at an endpoint.',
  }),
  auditConditionalWrites: setting({
    name: 'TGEFD_AUDIT_CONDITIONAL_WRITES',
    kind: boolean,
    fallback: null,
    meaning:
      'Whether the store honours `If-None-Match: *` on a PUT; `audit bucket --check` tries it. Not given: `true`, `false` at Google Cloud Storage. With `false` the archive holds its lease whenever it writes an object, after looking that there is none.',
  }),
  auditS3AccessKeyId: secret({
    name: 'TGEFD_AUDIT_S3_ACCESS_KEY_ID',
    kind: text('an access key id'),
    meaning: 'Access key, only where no role or token exchange is to be had.',
  }),
  auditS3SecretAccessKey: secret({
    name: 'TGEFD_AUDIT_S3_SECRET_ACCESS_KEY',
    kind: text('a secret access key'),
    meaning: 'Its secret.',
  }),
  auditS3RoleArn: setting({
    name: 'TGEFD_AUDIT_S3_ROLE_ARN',
    kind: text('the ARN of a role'),
    fallback: null,
    meaning:
      'Role at AWS that the process assumes with a token of its own issuer (TGEFD_ISSUER_URL), where the platform gives it none.',
  }),
  auditGcsProvider: setting({
    name: 'TGEFD_AUDIT_GCS_PROVIDER',
    kind: text('`//iam.googleapis.com/projects/…/providers/…`'),
    fallback: null,
    meaning:
      'Workload identity provider at Google Cloud that takes tokens of TGEFD_ISSUER_URL; the endpoint is then `https://storage.googleapis.com`.',
  }),
  auditGcsServiceAccount: setting({
    name: 'TGEFD_AUDIT_GCS_SERVICE_ACCOUNT',
    kind: text('the address of a service account'),
    fallback: null,
    meaning: 'Service account to act as there; without it the federated identity itself.',
  }),
  auditPrefix: setting({
    name: 'TGEFD_AUDIT_PREFIX',
    kind: text('an object prefix'),
    fallback: 'audit',
    meaning: 'Prefix of every object.',
  }),
  auditSigningKey: secret({
    name: 'TGEFD_AUDIT_SIGNING_KEY',
    kind: document('a private JWK for EdDSA (Ed25519) or ES256'),
    meaning:
      'Key that signs batch manifests; required in production where the archive runs. The previous one may be its public half, and so may both on the console’s Worker, which only verifies.',
  }),
  auditAnchorBucket: setting({
    name: 'TGEFD_AUDIT_ANCHOR_BUCKET',
    kind: text('a bucket name'),
    fallback: null,
    meaning: 'Second bucket that hourly anchors are written to as well.',
  }),
  auditObjectLock: setting({
    name: 'TGEFD_AUDIT_OBJECT_LOCK',
    kind: oneOf('off', 'governance', 'compliance'),
    fallback: 'off' as const,
    meaning:
      'S3 Object Lock retention of every batch, manifest and anchor until it expires; the bucket must have Object Lock enabled.',
  }),
  auditArchiveIntervalSeconds: setting({
    name: 'TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC',
    only: 'node',
    kind: seconds(0, 3600),
    fallback: 60,
    meaning: 'How often the Node door drains the outbox when a bucket is configured; 0 is never.',
  }),
  auditHotDays: setting({
    name: 'TGEFD_AUDIT_HOT_DAYS',
    kind: integer(1, 36_500, 'days'),
    fallback: 7,
    meaning: 'Age until which records stay hot.',
  }),
  auditWarmDays: setting({
    name: 'TGEFD_AUDIT_WARM_DAYS',
    kind: integer(1, 36_500, 'days'),
    fallback: 30,
    meaning: 'Age until which they stay warm.',
  }),
  auditColdDays: setting({
    name: 'TGEFD_AUDIT_COLD_DAYS',
    kind: integer(1, 36_500, 'days'),
    fallback: 180,
    meaning: 'Age at which they expire.',
  }),
} as const;
