import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { createFunction, type PerimeterFunction } from './functions.ts';

/** A key of ours, under which logs may be written too. Kept when the stack goes. */
export function createKey(scope: Construct, id: string, description: string): Key {
  const key = new Key(scope, id, { description, enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN });
  const { region, urlSuffix } = Stack.of(scope);
  key.grantEncryptDecrypt(new ServicePrincipal(`logs.${region}.${urlSuffix}`));
  return key;
}

/** Runs every minute, one at a time; a run that fails twice more lies in a queue until somebody looks. */
export function createArchive(
  scope: Construct,
  settings: Parameters<typeof createFunction>[2],
): { readonly made: PerimeterFunction; readonly failed: Queue } {
  const made = createFunction(scope, 'Archive', settings);
  const failed = new Queue(scope, 'FailedArchiveRuns', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
  Validations.of(failed).acknowledge({ id: 'AwsSolutions-SQS3', reason: 'It is a dead-letter queue itself.' });
  new Rule(scope, 'EveryMinute', {
    schedule: Schedule.rate(Duration.minutes(1)),
    targets: [
      new LambdaTarget(made.fn, { deadLetterQueue: failed, retryAttempts: 2, maxEventAge: Duration.minutes(5) }),
    ],
  });
  return { made, failed };
}
