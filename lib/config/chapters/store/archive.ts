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
      'S3 endpoint outside AWS (R2, Google Cloud Storage interoperability). A path in it comes before the path of every request.',
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
      'Whether the store supports `If-None-Match: *` on a PUT; `audit bucket --check` tests it. Not given: `false` at Google Cloud Storage, otherwise `true`. With `false` the archive holds its lease during every write, and first checks that the object does not exist.',
  }),
  auditS3AccessKeyId: secret({
    name: 'TGEFD_AUDIT_S3_ACCESS_KEY_ID',
    kind: text('an access key id'),
    meaning: 'Access key, if no role and no token exchange is available.',
  }),
  auditS3SecretAccessKey: secret({
    name: 'TGEFD_AUDIT_S3_SECRET_ACCESS_KEY',
    kind: text('a secret access key'),
    meaning: 'Secret of the access key.',
  }),
  auditS3RoleArn: setting({
    name: 'TGEFD_AUDIT_S3_ROLE_ARN',
    kind: text('the ARN of a role'),
    fallback: null,
    meaning:
      'AWS role that the process assumes with a token of its own issuer (TGEFD_ISSUER_URL), if the platform gives it no role.',
  }),
  auditGcsProvider: setting({
    name: 'TGEFD_AUDIT_GCS_PROVIDER',
    kind: text('`//iam.googleapis.com/projects/…/providers/…`'),
    fallback: null,
    meaning:
      'Workload identity provider at Google Cloud that accepts tokens of TGEFD_ISSUER_URL. The endpoint is then `https://storage.googleapis.com`.',
  }),
  auditGcsServiceAccount: setting({
    name: 'TGEFD_AUDIT_GCS_SERVICE_ACCOUNT',
    kind: text('the address of a service account'),
    fallback: null,
    meaning: 'Service account that the process acts as. Not given: the federated identity itself.',
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
      'Key that signs batch manifests. Required in production if the archive runs. The previous key may be a public key. On the Worker of the console, which only verifies, both may be public keys.',
  }),
  auditAnchorBucket: setting({
    name: 'TGEFD_AUDIT_ANCHOR_BUCKET',
    kind: text('a bucket name'),
    fallback: null,
    meaning: 'Second bucket for the hourly anchors.',
  }),
  auditObjectLock: setting({
    name: 'TGEFD_AUDIT_OBJECT_LOCK',
    kind: oneOf('off', 'governance', 'compliance'),
    fallback: 'off' as const,
    meaning:
      'S3 Object Lock mode of every batch, manifest and anchor, until it expires. The bucket must have Object Lock enabled.',
  }),
  auditArchiveIntervalSeconds: setting({
    name: 'TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC',
    only: 'node',
    kind: seconds(0, 3600),
    fallback: 60,
    meaning: 'How often the Node gateway drains the outbox, if a bucket is configured; 0 is never.',
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
    meaning: 'Age until which records stay warm.',
  }),
  auditColdDays: setting({
    name: 'TGEFD_AUDIT_COLD_DAYS',
    kind: integer(1, 36_500, 'days'),
    fallback: 180,
    meaning: 'Age at which records expire.',
  }),
} as const;
