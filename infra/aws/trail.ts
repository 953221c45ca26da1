import { RemovalPolicy } from 'aws-cdk-lib';
import { ReadWriteType, Trail } from 'aws-cdk-lib/aws-cloudtrail';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/**
 * Who has read or written which audit object (data events), and who has read which secret (Secrets Manager tells that as a
 * management event). With `everyRegion` also who has assumed a role (`AssumeRoleWithWebIdentity`), by whichever of AWS' token
 * services: a stolen token is good at each of them. Files are validated by digests; the last month is also in a log, where
 * alarms look.
 */
export function createTrail(
  scope: Construct,
  settings: { readonly key: IKey; readonly into: Bucket; readonly audited: Bucket; readonly everyRegion: boolean },
): LogGroup {
  const log = new LogGroup(scope, 'TrailLog', {
    encryptionKey: settings.key,
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const trail = new Trail(scope, 'Trail', {
    bucket: settings.into,
    encryptionKey: settings.key,
    enableFileValidation: true,
    includeGlobalServiceEvents: settings.everyRegion,
    isMultiRegionTrail: settings.everyRegion,
    managementEvents: ReadWriteType.ALL,
    sendToCloudWatchLogs: true,
    cloudWatchLogGroup: log,
  });
  trail.addS3EventSelector([{ bucket: settings.audited }]);
  return log;
}
