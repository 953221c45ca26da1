import { type App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Alias, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { egressTargets } from '../../lib/config/egress.ts';
import { createAlarms } from './alarms.ts';
import { createAuditBucket, createLogBucket, shareAuditBucket } from './audit-bucket.ts';
import { bundleOf, createFunction, type FunctionSurroundings, type PerimeterFunction } from './functions.ts';
import { createHttpApi } from './http-api.ts';
import { createNetwork } from './network.ts';
import { createOutsideRoles } from './outside-writers.ts';
import { createRestApi } from './rest-api.ts';
import { createSecret, rotateKeyPair } from './secrets.ts';
import { type CheckedDeployment, checkDeployment, type Deployment, functionEnvironment } from './settings.ts';
import { createArchive, createKey } from './shared.ts';
import { createTrail } from './trail.ts';

/** Access logs and trails are kept as long as the records that they are about. */
function logDays({ config }: CheckedDeployment) {
  return config.settings.auditColdDays;
}

/**
 * The whole perimeter as one stack: API, authorizer, archive, audit bucket, keys, secrets, trail and alarms. Throws with every
 * problem of the deployment at once.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: the resources of one stack in the order in which they need each other
export function createPerimeter(app: App, given: Deployment): Stack {
  const deployment = checkDeployment(given);
  const { settings } = deployment.config;
  const stack = new Stack(app, deployment.name, {
    description: 'Edge authorizer',
    terminationProtection: true,
    ...(deployment.region !== undefined && { env: { region: deployment.region } }),
  });

  const key = createKey(stack, 'OperationsKey', 'Secrets, logs and variables of the perimeter');
  const auditKey = createKey(stack, 'AuditKey', 'Audit records and the trail over them');
  const network = deployment.network ? createNetwork(stack, { key, hosts: hostsOf(deployment) }) : null;
  const around: FunctionSurroundings = { key, network };

  const redisToken = createSecret(stack, deployment.name, 'TGEFD_REDIS_TOKEN', key);
  const pseudonyms = createSecret(stack, deployment.name, 'TGEFD_AUDIT_PSEUDONYM_KEY', key);
  const signing = createSecret(stack, deployment.name, 'TGEFD_AUDIT_SIGNING_KEY', key);
  const assertion = deployment.assertion ? createSecret(stack, deployment.name, 'TGEFD_ASSERTION_KEY', key) : null;
  const rotation = assertion && rotateKeyPair(stack, assertion, around);

  const prefix = settings.auditPrefix === '' ? '' : `${settings.auditPrefix}/`;
  const accessLogs = createLogBucket(stack, 'AccessLogs', logDays(deployment));
  const audited = createAuditBucket(stack, {
    key: auditKey,
    ages: { hotDays: settings.auditHotDays, warmDays: settings.auditWarmDays, coldDays: settings.auditColdDays },
    prefix,
    lock: deployment.auditLock,
    accessLogs,
  });

  const environment = {
    ...deployment.environment,
    ...functionEnvironment(deployment),
    TGEFD_AUDIT_BUCKET: audited.bucketName,
    TGEFD_AUDIT_S3_REGION: stack.region,
  };
  const authorizer = createFunction(stack, 'Authorizer', {
    ...around,
    description: 'Decides about every request of the API',
    code: bundleOf('lambda-authorizer'),
    handler: 'lambda-authorizer.handler',
    memoryMb: 512,
    timeoutSeconds: 8,
    environment,
    secrets: [redisToken, pseudonyms, ...(assertion ? [assertion] : [])],
  });
  const archive = createArchive(stack, {
    ...around,
    description: 'Drains audit records into the bucket',
    code: bundleOf('lambda-archive'),
    handler: 'lambda-archive.handler',
    memoryMb: 512,
    timeoutSeconds: 60,
    environment,
    secrets: [redisToken, pseudonyms, signing],
    reservedConcurrency: 1,
  });
  const outside = createOutsideRoles(stack, deployment.outsideWriters, prefix);
  shareAuditBucket(audited, auditKey, prefix, { archive: archive.made.role, authorizer: authorizer.role, outside });
  const keySet =
    assertion &&
    createFunction(stack, 'KeySet', {
      ...around,
      description: 'Publishes the keys that verify identity assertions',
      code: bundleOf('lambda-authorizer'),
      handler: 'lambda-authorizer.jwks',
      memoryMb: 256,
      timeoutSeconds: 8,
      environment,
      secrets: [redisToken, pseudonyms, assertion],
    });

  const metadata =
    settings.resource &&
    createFunction(stack, 'Metadata', {
      ...around,
      description: 'Publishes the metadata of the protected resource',
      code: bundleOf('lambda-authorizer'),
      handler: 'lambda-authorizer.metadata',
      memoryMb: 256,
      timeoutSeconds: 8,
      environment,
      secrets: [redisToken, pseudonyms, ...(assertion ? [assertion] : [])],
    });

  const trailBucket = createLogBucket(stack, 'TrailBucket', logDays(deployment), auditKey);
  const trailLog = createTrail(stack, {
    key: auditKey,
    into: trailBucket,
    audited,
    everyRegion: outside.length > 0,
  });
  const readers = [authorizer, archive.made, keySet, metadata, rotation].filter((one) => one !== null);
  const alarms = createAlarms(stack, {
    authorizer,
    archive: archive.made,
    failedArchiveRuns: archive.failed,
    trailLog,
    secretReaders: readers.map(({ role }) => role.roleArn),
    secretPrefix: deployment.name,
    outboxMaximum: settings.auditStreamMaximum,
    email: deployment.alarmEmail,
  });

  const parts = {
    authorizer: readied(stack, authorizer, deployment),
    jwks: keySet?.fn ?? null,
    metadata: metadata?.fn ?? null,
    key,
  };
  const url =
    deployment.api.kind === 'http' ? createHttpApi(stack, deployment, parts) : createRestApi(stack, deployment, parts);

  new CfnOutput(stack, 'Url', { value: url });
  new CfnOutput(stack, 'AuditBucketName', { value: audited.bucketName });
  new CfnOutput(stack, 'AlarmTopic', { value: alarms });
  new CfnOutput(stack, 'TrailLogName', { value: trailLog.logGroupName });
  new CfnOutput(stack, 'Caching', { value: deployment.caching.join('; ') });
  return stack;
}

/** The function that API Gateway calls: the newest, or a version of which some instances are kept ready. */
function readied(scope: Construct, { fn }: PerimeterFunction, deployment: CheckedDeployment): IFunction {
  if (deployment.provisionedConcurrency === 0) return fn;
  return new Alias(scope, 'Live', {
    aliasName: 'live',
    version: fn.currentVersion,
    provisionedConcurrentExecutions: deployment.provisionedConcurrency,
  });
}

/** Hosts that the functions may call, without their ports. The bucket is among the services of the network already. */
function hostsOf({ config: { settings } }: CheckedDeployment): readonly string[] {
  const elsewhere = ['TGEFD_UPSTREAM_URL', 'TGEFD_AUDIT_BUCKET'];
  const called = egressTargets(settings, null).filter(({ variable }) => !elsewhere.includes(variable));
  return [...new Set(called.map(({ name }) => name))];
}
