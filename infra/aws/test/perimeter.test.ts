import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Match } from 'aws-cdk-lib/assertions';
import { knownNames } from '../../../lib/config/load.ts';
import { s3Lifecycle } from '../../../lib/storage/lifecycle.ts';
import { deployment } from '../deployment.ts';
import { gatewayResponses } from '../gateway-responses.ts';
import type { Deployment } from '../settings.ts';
import { type DeploymentName, deployments, propertiesOf, synthesize, templateOf } from './templates.ts';

const names = Object.keys(deployments) as DeploymentName[];
const secretNames = /^TGEFD_(REDIS_TOKEN|AUDIT_PSEUDONYM_KEY|AUDIT_SIGNING_KEY|ASSERTION_KEY)(_PREVIOUS)?$/;
function variablesOf(properties: Record<string, unknown>): Record<string, unknown> {
  return (properties.Environment as { Variables?: Record<string, unknown> } | undefined)?.Variables ?? {};
}

for (const name of names) {
  test(`${name}: cdk-nag finds nothing that is not argued for`, () => {
    templateOf(name);
  });

  test(`${name}: no secret stands in the template, and every variable is one of the product`, () => {
    for (const properties of Object.values(propertiesOf(templateOf(name), 'AWS::Lambda::Function'))) {
      for (const [variable, value] of Object.entries(variablesOf(properties))) {
        if (secretNames.test(variable))
          assert.match(String(value), /^aws-sm:tgefd-perimeter\/[a-z_]+#(current|previous)$/);
        if (variable.startsWith('TGEFD_')) assert.ok(knownNames.has(variable), variable);
      }
    }
    const text = JSON.stringify(templateOf(name).toJSON());
    assert.doesNotMatch(text, /"d\\?":|PRIVATE KEY|stubstub/);
  });

  test(`${name}: every function logs under a key, to a log that ends, on the newest runtime`, () => {
    const template = templateOf(name);
    for (const properties of Object.values(propertiesOf(template, 'AWS::Lambda::Function'))) {
      assert.equal(properties.Runtime, 'nodejs24.x');
      assert.ok(properties.LoggingConfig);
      assert.ok(properties.KmsKeyArn);
    }
    for (const properties of Object.values(propertiesOf(template, 'AWS::Logs::LogGroup'))) {
      assert.ok(properties.KmsKeyId);
      assert.ok(properties.RetentionInDays);
    }
  });

  test(`${name}: the API has the routes of the endpoint table and no others, all behind the authorizer`, () => {
    const template = templateOf(name);
    const routes: readonly Route[] =
      deployments[name].api.kind === 'http'
        ? Object.values(propertiesOf(template, 'AWS::ApiGatewayV2::Route')).map(({ RouteKey, AuthorizationType }) => [
            String(RouteKey).replace(/^\S+ /, ''),
            AuthorizationType,
          ])
        : restRoutes(template);
    const own = routes.filter(([path]) => String(path).startsWith('/_authorizer'));
    assert.deepEqual(own, deployments[name].assertion ? [['/_authorizer/jwks.json', 'NONE']] : []);
    const others = routes.filter((route) => !own.includes(route));
    assert.deepEqual(
      new Set(others.map(([path]) => path)),
      new Set([
        '/v1/discover',
        '/v1/discover_async',
        '/v1/evaluate',
        '/v1/evaluate_async',
        '/v1/jobs/{job_id}',
        '/v1/metrics',
        '/metrics',
      ]),
    );
    assert.equal(others.length, 10);
    assert.ok(others.every(([, authorization]) => authorization === 'CUSTOM'));
  });
}

type Route = readonly [path: string, authorization: unknown];

function restRoutes(template: ReturnType<typeof templateOf>): readonly Route[] {
  const resources = propertiesOf(template, 'AWS::ApiGateway::Resource');
  const pathOf = (id: string | undefined): string => {
    const resource = id === undefined ? undefined : resources[id];
    if (resource === undefined) return '';
    return `${pathOf((resource.ParentId as { Ref?: string }).Ref)}/${resource.PathPart}`;
  };
  return Object.values(propertiesOf(template, 'AWS::ApiGateway::Method')).map(({ ResourceId, AuthorizationType }) => [
    pathOf((ResourceId as { Ref?: string }).Ref),
    AuthorizationType,
  ]);
}

test('records cannot be changed: versions, Object Lock, TLS 1.2, KMS, no public access, access logged', () => {
  const template = templateOf('REST, as delivered');
  template.hasResourceProperties('AWS::S3::Bucket', {
    ObjectLockEnabled: true,
    ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 180 } } },
    VersioningConfiguration: { Status: 'Enabled' },
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
    },
    LoggingConfiguration: { LogFilePrefix: 'audit-bucket/' },
  });
  template.hasResource('AWS::S3::Bucket', {
    DeletionPolicy: 'Retain',
    Properties: Match.objectLike({ ObjectLockEnabled: true }),
  });
  template.allResourcesProperties('AWS::S3::Bucket', {
    PublicAccessBlockConfiguration: { RestrictPublicBuckets: true },
    VersioningConfiguration: { Status: 'Enabled' },
  });
  template.allResourcesProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: Match.objectLike({
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        Match.objectLike({ Effect: 'Deny', Action: 's3:*', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } }),
      ]),
    }),
  });
});

test('the tiers are those of the one description', () => {
  const [bucket] = Object.values(propertiesOf(templateOf('REST, as delivered'), 'AWS::S3::Bucket')).filter(
    ({ ObjectLockEnabled }) => ObjectLockEnabled === true,
  );
  assert.ok(bucket);
  const { Rules } = bucket.LifecycleConfiguration as { Rules: Record<string, unknown>[] };
  const described = s3Lifecycle({ hotDays: 7, warmDays: 30, coldDays: 180 }, 'audit/');
  assert.deepEqual(
    Rules.map(
      ({ Id, Prefix, Transitions, ExpirationInDays, ExpiredObjectDeleteMarker, NoncurrentVersionExpiration }) => ({
        Id,
        Prefix,
        Transitions,
        days: ExpirationInDays,
        marker: ExpiredObjectDeleteMarker,
        noncurrent: NoncurrentVersionExpiration,
      }),
    ),
    described.map((rule) => ({
      Id: rule.ID,
      Prefix: rule.Filter.Prefix,
      Transitions: rule.Transitions?.map(({ Days, StorageClass }) => ({ StorageClass, TransitionInDays: Days })),
      days: rule.Expiration && 'Days' in rule.Expiration ? rule.Expiration.Days : undefined,
      marker: rule.Expiration && 'ExpiredObjectDeleteMarker' in rule.Expiration ? true : undefined,
      noncurrent: rule.NoncurrentVersionExpiration,
    })),
  );
});

test('only the archive writes batches, manifests and anchors, and only it and the authorizer write at all', () => {
  templateOf('REST, as delivered').hasResourceProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: Match.objectLike({
      Statement: Match.arrayWith([
        Match.objectLike({ Sid: 'OnlyTheArchiveWrites', Effect: 'Deny', Action: Match.arrayWith(['s3:PutObject']) }),
        Match.objectLike({ Sid: 'NobodyElseWrites', Effect: 'Deny', Action: Match.arrayWith(['s3:PutObject']) }),
      ]),
    }),
  });
});

test('roles may do what their function does: exact actions, and none on every resource', () => {
  for (const name of names) {
    const policies = Object.entries(propertiesOf(templateOf(name), 'AWS::IAM::Policy'));
    const actionsOf = (id: string) => {
      const statements = policies
        .filter(([policy]) => policy.startsWith(id))
        .flatMap(([, { PolicyDocument }]) => (PolicyDocument as { Statement: Statement[] }).Statement);
      if (!deployments[name].network)
        assert.ok(statements.every(({ Resource }) => Resource !== '*' || id === 'RotationRole'));
      const actions = statements.flatMap(({ Action }) => Action).filter((action) => !action.startsWith('ec2:'));
      return [...new Set(actions)].sort();
    };
    assert.deepEqual(actionsOf('AuthorizerRole'), [
      'kms:GenerateDataKey',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:PutObject',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
    ]);
    assert.deepEqual(actionsOf('ArchiveRole'), [
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      's3:DeleteObject',
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
    ]);
  }
});
interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

test('the archive runs every minute, one at a time, and its failures wait in a queue', () => {
  const template = templateOf('REST, as delivered');
  template.hasResourceProperties('AWS::Lambda::Function', {
    Handler: 'lambda-archive.handler',
    ReservedConcurrentExecutions: 1,
  });
  template.hasResourceProperties('AWS::Events::Rule', {
    ScheduleExpression: 'rate(1 minute)',
    Targets: [
      Match.objectLike({
        DeadLetterConfig: Match.anyValue(),
        RetryPolicy: Match.objectLike({ MaximumRetryAttempts: 2 }),
      }),
    ],
  });
});

test('without caching no identity source keeps a request from being decided and recorded', () => {
  templateOf('REST, as delivered').hasResourceProperties('AWS::ApiGateway::Authorizer', {
    AuthorizerResultTtlInSeconds: 0,
    Type: 'REQUEST',
    IdentitySource: Match.absent(),
  });
  templateOf('HTTP, simple answers').hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
    AuthorizerResultTtlInSeconds: 0,
    EnableSimpleResponses: true,
    AuthorizerPayloadFormatVersion: '2.0',
    IdentitySource: [],
  });
});

test('simple answers that are kept are kept per route, policies are not, and the function knows for how long', () => {
  templateOf('HTTP, simple answers kept for a minute').hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
    AuthorizerResultTtlInSeconds: 60,
    IdentitySource: ['$request.header.authorization', '$context.routeKey'],
  });
  const policies = templateOf('HTTP, policies kept for a minute, in a network');
  policies.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
    AuthorizerPayloadFormatVersion: '1.0',
    IdentitySource: ['$request.header.authorization'],
  });
  policies.hasResourceProperties('AWS::Lambda::Function', {
    Handler: 'lambda-authorizer.handler',
    Environment: { Variables: Match.objectLike({ TGEFD_AUTHORIZER_TTL_SEC: '60' }) },
  });
  const [caching] = Object.values(policies.findOutputs('Caching'));
  assert.match(String(caching?.Value), /revoked or expired credential passes for up to 65 s more/);
  assert.match(String(caching?.Value), /with 10 a second 1 in 600/);
});

test('a REST API says what the tests of the doors have seen it say', () => {
  const template = templateOf('REST, as delivered');
  const made = Object.values(propertiesOf(template, 'AWS::ApiGateway::GatewayResponse'));
  assert.deepEqual(
    Object.fromEntries(
      made.map(({ ResponseType, StatusCode, ResponseParameters, ResponseTemplates }) => [
        ResponseType,
        { statusCode: Number(StatusCode), headers: ResponseParameters, template: ResponseTemplates },
      ]),
    ),
    Object.fromEntries(
      Object.entries(gatewayResponses).map(([type, { statusCode, headers, template: text }]) => [
        type,
        {
          statusCode,
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, value]) => [`gatewayresponse.header.${name}`, value]),
          ),
          template: { 'application/json': text },
        },
      ]),
    ),
  );
});

test('the identity that goes upstream is set over whatever the caller sent', () => {
  templateOf('HTTP, simple answers').hasResourceProperties('AWS::ApiGatewayV2::Integration', {
    RequestParameters: {
      'overwrite:header.x-auth-request-user': '$context.authorizer.subject',
      'overwrite:header.x-tgefd-assertion': '$context.authorizer.assertion',
    },
  });
  templateOf('REST, as delivered').hasResourceProperties('AWS::ApiGateway::Method', {
    Integration: {
      Type: 'HTTP_PROXY',
      Uri: 'https://tgefd.internal.example/v1/jobs/{job_id}',
      RequestParameters: {
        'integration.request.path.job_id': 'method.request.path.job_id',
        'integration.request.header.x-auth-request-user': 'context.authorizer.subject',
        'integration.request.header.authorization': "'withheld'",
      },
    },
  });
});

test('with client certificates there is no way around them', () => {
  const mutual = { TruststoreUri: 's3://trust/authorities.pem', TruststoreVersion: 'v1' };
  const rest = templateOf('REST, client certificates');
  rest.hasResourceProperties('AWS::ApiGateway::RestApi', { DisableExecuteApiEndpoint: true });
  rest.hasResourceProperties('AWS::ApiGateway::DomainName', {
    SecurityPolicy: 'TLS_1_2',
    MutualTlsAuthentication: mutual,
  });
  const http = templateOf('HTTP, client certificates');
  http.hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: true });
  http.hasResourceProperties('AWS::ApiGatewayV2::DomainName', { MutualTlsAuthentication: mutual });
});

test('in a network only named hosts have an address, and only port 443 leads out', () => {
  const template = templateOf('HTTP, policies kept for a minute, in a network');
  template.hasResourceProperties('AWS::Route53Resolver::FirewallDomainList', {
    Domains: Match.arrayWith(['issuer.example', 'keys.partner.example', 'example.upstash.io']),
  });
  template.hasResourceProperties('AWS::Route53Resolver::FirewallRuleGroup', {
    FirewallRules: [Match.objectLike({ Action: 'ALLOW' }), Match.objectLike({ Action: 'BLOCK' })],
  });
  template.hasResourceProperties('AWS::EC2::SecurityGroup', {
    GroupDescription: Match.stringLikeRegexp('HTTPS out'),
    SecurityGroupEgress: [Match.objectLike({ IpProtocol: 'tcp', FromPort: 443, ToPort: 443 })],
    SecurityGroupIngress: Match.absent(),
  });
  template.resourceCountIs('AWS::EC2::FlowLog', 1);
  template.hasResourceProperties('AWS::Lambda::Alias', {
    ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 },
  });
  template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'operator@example.org' });
});

test('the trail sees every object of the audit bucket and every secret that is read', () => {
  const template = templateOf('REST, as delivered');
  template.hasResourceProperties('AWS::CloudTrail::Trail', {
    EnableLogFileValidation: true,
    EventSelectors: Match.arrayWith([
      Match.objectLike({ IncludeManagementEvents: true, ReadWriteType: 'All' }),
      Match.objectLike({ DataResources: [Match.objectLike({ Type: 'AWS::S3::Object' })] }),
    ]),
  });
  template.hasOutput('TrailLogName', {});
  const filters = JSON.stringify(propertiesOf(template, 'AWS::Logs::MetricFilter'));
  assert.match(filters, /GetSecretValue.*\*tgefd-perimeter\/\*/);
});

test('somebody is woken for all that the plan names', () => {
  const alarms = Object.keys(propertiesOf(templateOf('REST, as delivered'), 'AWS::CloudWatch::Alarm'));
  for (const name of [
    'DenialSpike',
    'DegradedDecisions',
    'UnavailableDecisions',
    'OutboxFilling',
    'ArchiveLag',
    'ArchiveSilent',
    'ArchiveFailing',
    'ArchiveRunsLost',
    'UnverifiedBatches',
    'SecretReadByOthers',
    'AuthorizerThrottled',
  ]) {
    assert.ok(
      alarms.some((id) => id.startsWith(name)),
      name,
    );
  }
});

test('the key of assertions rotates every 30 days, beginning at once', () => {
  templateOf('REST, as delivered').hasResourceProperties('AWS::SecretsManager::RotationSchedule', {
    RotateImmediatelyOnUpdate: true,
    RotationRules: { ScheduleExpression: 'rate(30 days)' },
  });
});

test("the authorizer's bundle carries no AWS SDK", () => {
  const bundle = readFileSync(new URL('../../../dist/lambda-authorizer.mjs', import.meta.url), 'utf8');
  assert.doesNotMatch(bundle, /S3Client|smithy|aws-sdk-js/);
});

const refusals: readonly [string, Partial<Deployment>, RegExp][] = [
  [
    'a kept answer beside client certificates',
    {
      authorizerTtlSeconds: 60,
      assertion: false,
      domain: { name: 'a.example', certificateArn: 'arn', truststore: { uri: 's3://a/b', version: '1' } },
    },
    /authorizerTtlSeconds: 0 with client certificates/,
  ],
  ['a kept assertion', { authorizerTtlSeconds: 60 }, /authorizerTtlSeconds: 0 with assertions/],
  [
    'certificates that nobody checks',
    { environment: { ...deployment.environment, TGEFD_AUTH_MODE: 'mtls' } },
    /domain\.truststore/,
  ],
  ['an upstream without TLS', { upstream: 'http://tgefd.internal.example' }, /upstream/],
  [
    'a time to live that API Gateway does not take',
    { authorizerTtlSeconds: 4000, assertion: false },
    /TGEFD_AUTHORIZER_TTL_SEC/,
  ],
  [
    'a typing error in a variable',
    { environment: { ...deployment.environment, TGEFD_JWT_ISUER: 'x' } },
    /TGEFD_JWT_ISUER: .*probably meant: TGEFD_JWT_ISSUER/,
  ],
  [
    'a secret in clear',
    { environment: { ...deployment.environment, TGEFD_REDIS_TOKEN: 'abc' } },
    /TGEFD_REDIS_TOKEN: .*secret/,
  ],
  [
    'more rows than a policy holds',
    {
      environment: {
        ...deployment.environment,
        TGEFD_ENDPOINTS: JSON.stringify(
          Array.from({ length: 90 }, (_, row) => ({
            method: 'GET',
            path: `/v2/${row}`,
            scope: 'jobs',
            budget: 'read',
          })),
        ),
      },
    },
    /needs a policy of \d+ bytes and API Gateway takes 8192/,
  ],
  [
    'rows that no policy can tell apart, kept',
    {
      assertion: false,
      authorizerTtlSeconds: 60,
      environment: {
        ...deployment.environment,
        TGEFD_ENDPOINTS: JSON.stringify([
          { method: 'GET', path: '/v1/jobs/{id}/output', scope: 'jobs', budget: 'read' },
        ]),
      },
    },
    /authorizerTtlSeconds: 0 with these endpoints/,
  ],
];
for (const [what, change, problem] of refusals) {
  test(`a deployment is refused before it exists: ${what}`, () => {
    assert.throws(() => synthesize({ ...deployment, ...change }), problem);
  });
}
