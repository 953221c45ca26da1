import { Stack } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { createAuditBucket, createLogBucket, shareAuditBucket } from './audit-bucket.ts';
import { bundleOf, createFunction, type FunctionSurroundings, type ProductSecret } from './functions.ts';
import { createSecret, rotateKeyPair } from './secrets.ts';
import { type CheckedDeployment, functionEnvironment } from './settings.ts';
import { createArchive, createKey } from './shared.ts';

/** What an authorizer for somebody's own API consists of. */
export interface EdgeParts {
  readonly authorizer: IFunction;
  readonly archive: IFunction;
  /** Publishes the keys of assertions; null without them. */
  readonly keySet: IFunction | null;
  readonly metadata: IFunction | null;
  readonly auditBucket: Bucket;
  readonly secrets: Readonly<Record<string, ISecret>>;
}

type Secrets = Readonly<Record<'redisToken' | 'pseudonyms' | 'signing', ProductSecret>>;

/** Creates functions, secrets, keys and the audit bucket below `scope`. */
export function createParts(
  scope: Construct,
  checked: CheckedDeployment,
  policy: string | null,
  network: FunctionSurroundings['network'],
): EdgeParts {
  const { settings } = checked.config;
  const key = createKey(scope, 'OperationsKey', 'Secrets, logs and variables of the authorizer');
  const auditKey = createKey(scope, 'AuditKey', 'Audit records');
  const around = { key, network };
  const secrets: Secrets = {
    redisToken: createSecret(scope, checked.name, 'TGEFD_REDIS_TOKEN', key),
    pseudonyms: createSecret(scope, checked.name, 'TGEFD_AUDIT_PSEUDONYM_KEY', key),
    signing: createSecret(scope, checked.name, 'TGEFD_AUDIT_SIGNING_KEY', key),
  };
  const prefix = settings.auditPrefix === '' ? '' : `${settings.auditPrefix}/`;
  const ages = { hotDays: settings.auditHotDays, warmDays: settings.auditWarmDays, coldDays: settings.auditColdDays };
  const accessLogs = createLogBucket(scope, 'AccessLogs', ages.coldDays);
  const auditBucket = createAuditBucket(scope, { key: auditKey, ages, prefix, lock: checked.auditLock, accessLogs });
  const { TGEFD_POLICY: _, ...variables } = checked.environment;
  const environment = {
    ...variables,
    ...functionEnvironment(checked),
    ...(policy !== null && { TGEFD_POLICY_FILE: '/var/task/policy.json' }),
    TGEFD_AUDIT_BUCKET: auditBucket.bucketName,
    TGEFD_AUDIT_S3_REGION: Stack.of(scope).region,
  };
  const made = createFunctions(scope, checked, { around, environment, secrets, policy });
  shareAuditBucket(auditBucket, auditKey, prefix, {
    archive: made.archive.role,
    authorizer: made.authorizer.role,
    outside: [],
  });
  return {
    authorizer: made.authorizer.fn,
    archive: made.archive.fn,
    keySet: made.keySet?.fn ?? null,
    metadata: made.metadata?.fn ?? null,
    auditBucket,
    secrets: {
      TGEFD_REDIS_TOKEN: secrets.redisToken.secret,
      TGEFD_AUDIT_PSEUDONYM_KEY: secrets.pseudonyms.secret,
      TGEFD_AUDIT_SIGNING_KEY: secrets.signing.secret,
    },
  };
}

interface FunctionParts {
  readonly around: FunctionSurroundings;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: Secrets;
  readonly policy: string | null;
}

function createFunctions(scope: Construct, checked: CheckedDeployment, parts: FunctionParts) {
  const { around, environment, secrets, policy } = parts;
  const { redisToken, pseudonyms, signing } = secrets;
  const assertion = checked.assertion ? createSecret(scope, checked.name, 'TGEFD_ASSERTION_KEY', around.key) : null;
  if (assertion) rotateKeyPair(scope, assertion, around);
  const code = (name: string) => bundleOf(name, policy === null ? undefined : { 'policy.json': policy });
  const common = { ...around, environment, memoryMb: 512, timeoutSeconds: 8 };
  const authorizer = createFunction(scope, 'Authorizer', {
    ...common,
    description: 'Decides about every request of the API',
    code: code('lambda-authorizer'),
    handler: 'lambda-authorizer.handler',
    secrets: [redisToken, pseudonyms, ...(assertion ? [assertion] : [])],
  });
  const { made: archive } = createArchive(scope, {
    ...common,
    description: 'Drains audit records into the bucket',
    code: code('lambda-archive'),
    handler: 'lambda-archive.handler',
    timeoutSeconds: 60,
    secrets: [redisToken, pseudonyms, signing],
    reservedConcurrency: 1,
  });
  const keySet =
    assertion &&
    createFunction(scope, 'KeySet', {
      ...common,
      description: 'Publishes the keys that verify identity assertions',
      code: code('lambda-authorizer'),
      handler: 'lambda-authorizer.jwks',
      memoryMb: 256,
      secrets: [redisToken, pseudonyms, assertion],
    });
  const metadata =
    checked.config.settings.resource &&
    createFunction(scope, 'Metadata', {
      ...common,
      description: 'Publishes the metadata of the protected resource',
      code: code('lambda-authorizer'),
      handler: 'lambda-authorizer.metadata',
      memoryMb: 256,
      secrets: [redisToken, pseudonyms, ...(assertion ? [assertion] : [])],
    });
  return { authorizer, archive, keySet, metadata };
}
