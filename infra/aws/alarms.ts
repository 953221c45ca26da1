import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, type ILogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PerimeterFunction } from './functions.ts';

export interface AlarmParts {
  readonly authorizer: PerimeterFunction;
  readonly archive: PerimeterFunction;
  readonly failedArchiveRuns: IQueue;
  /** Log of CloudTrail, where reading a secret shows. */
  readonly trailLog: ILogGroup;
  /** ARNs of the roles that may read secrets. */
  readonly secretReaders: readonly string[];
  readonly secretPrefix: string;
  readonly outboxMaximum: number;
  readonly email: string | null;
}

const FIVE_MINUTES = Duration.minutes(5);
/** An archive run is due every minute, a batch after five: three of them missed is a standstill. */
const ARCHIVE_LAG_MS = 15 * 60_000;

/** What an operator has to be woken for, and a topic that wakes them. Gives the topic's ARN. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of alarms
export function createAlarms(scope: Construct, parts: AlarmParts): string {
  const key = new Key(scope, 'AlarmKey', {
    description: 'Alarm messages in transit',
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  key.grantEncryptDecrypt(new ServicePrincipal('cloudwatch.amazonaws.com'));
  const topic = new Topic(scope, 'Alarms', { masterKey: key, enforceSSL: true });
  if (parts.email) topic.addSubscription(new EmailSubscription(parts.email));

  const alarm = (
    id: string,
    description: string,
    props: Omit<AlarmProps, 'evaluationPeriods' | 'comparisonOperator'> & Partial<AlarmProps>,
  ) => {
    const made = new Alarm(scope, id, {
      alarmDescription: description,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...props,
    });
    made.addAlarmAction(new SnsAction(topic));
    made.addOkAction(new SnsAction(topic));
  };
  const decided = (metricName: string) =>
    new Metric({
      namespace: 'Tgefd/Authorizer',
      metricName,
      statistic: 'Sum',
      period: FIVE_MINUTES,
      dimensionsMap: { FunctionName: parts.authorizer.fn.functionName },
    });
  const { stackName } = Stack.of(scope);
  /** A number that a line of a log tells, as a metric. */
  const logged = (metricName: string, logGroup: ILogGroup, pattern: string, metricValue = '1') =>
    new MetricFilter(scope, metricName, {
      logGroup,
      metricNamespace: `Tgefd/${stackName}`,
      metricName,
      metricValue,
      filterPattern: FilterPattern.literal(pattern),
    }).metric({ statistic: 'Maximum', period: FIVE_MINUTES });
  const archived = '{ $.event = "audit_archived" }';

  alarm(
    'DenialSpike',
    'More than half of at least 100 decisions in five minutes were denials: an attack, or a broken client.',
    {
      metric: new MathExpression({
        expression: 'IF(decisions >= 100, 100 * denials / decisions, 0)',
        usingMetrics: { decisions: decided('Decisions'), denials: decided('Denials') },
        period: FIVE_MINUTES,
        label: 'Denials, %',
      }),
      threshold: 50,
      evaluationPeriods: 2,
    },
  );
  alarm('DegradedDecisions', 'Decisions were made in a degraded mode: Redis or the issuer does not answer.', {
    metric: decided('Degraded'),
    threshold: 1,
  });
  alarm('UnavailableDecisions', 'Requests were refused because a dependency of the authorizer does not answer (503).', {
    metric: decided('Unavailable'),
    threshold: 1,
  });
  alarm('AuthorizerThrottled', 'The authorizer ran out of concurrency: API Gateway answers 5xx meanwhile.', {
    metric: parts.authorizer.fn.metricThrottles({ period: FIVE_MINUTES }),
    threshold: 1,
  });
  alarm(
    'OutboxFilling',
    'Half of the audit outbox is full: the archive does not keep up; a full one stops decisions (strict).',
    {
      metric: logged('OutboxDepth', parts.archive.logGroup, archived, '$.entries_left'),
      threshold: Math.ceil(parts.outboxMaximum / 2),
    },
  );
  alarm('ArchiveLag', 'The oldest audit record has waited for fifteen minutes.', {
    metric: logged('ArchiveLagMs', parts.archive.logGroup, archived, '$.lag_ms'),
    threshold: ARCHIVE_LAG_MS,
  });
  alarm('ArchiveSilent', 'The archive has not run for fifteen minutes.', {
    metric: parts.archive.fn.metricInvocations({ period: FIVE_MINUTES }),
    comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    treatMissingData: TreatMissingData.BREACHING,
    evaluationPeriods: 3,
    threshold: 1,
  });
  alarm('ArchiveFailing', 'Archive runs fail.', {
    metric: parts.archive.fn.metricErrors({ period: FIVE_MINUTES }),
    threshold: 1,
    evaluationPeriods: 2,
  });
  alarm('ArchiveRunsLost', 'A run of the archive failed for good and lies in the dead-letter queue.', {
    metric: parts.failedArchiveRuns.metricApproximateNumberOfMessagesVisible({ period: FIVE_MINUTES }),
    threshold: 1,
  });
  alarm(
    'UnverifiedBatches',
    'The chain of audit manifests does not verify and is not continued: run `audit verify` now.',
    {
      metric: logged(
        'BrokenChains',
        parts.archive.logGroup,
        '{ ($.event = "audit_archived") && ($.outcome = "broken") }',
      ),
      threshold: 1,
    },
  );
  alarm('SecretReadByOthers', 'Somebody other than the functions has read a secret of the perimeter.', {
    metric: logged('SecretsReadByOthers', parts.trailLog, readByOthers(parts)),
    threshold: 1,
  });
  return topic.topicArn;
}

/** CloudTrail tells secrets by name or ARN, whichever the reader used. */
function readByOthers({ secretPrefix, secretReaders }: AlarmParts): string {
  const others = secretReaders.map((arn) => `($.userIdentity.sessionContext.sessionIssuer.arn != "${arn}")`);
  return `{ ${[
    '($.eventSource = "secretsmanager.amazonaws.com")',
    '($.eventName = "GetSecretValue")',
    `($.requestParameters.secretId = "*${secretPrefix}/*")`,
    ...others,
  ].join(' && ')} }`;
}
