import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  BasePathMapping,
  CfnAuthorizer,
  DomainName,
  EndpointType,
  HttpIntegration,
  type IAuthorizer,
  IdentitySource,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  RequestAuthorizer,
  ResponseType,
  RestApi,
  SecurityPolicy,
  TokenAuthorizer,
} from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { METADATA_PATH } from '../../lib/respond/protected-resource.ts';
import { accessLogFormat } from './access-log.ts';
import { gatewayResponses, upstreamFields } from './gateway-responses.ts';
import { type ApiParts, credentialField } from './http-api.ts';
import { routesOf } from './routes.ts';
import type { CheckedDeployment } from './settings.ts';

const responseTypes: Readonly<Record<keyof typeof gatewayResponses, ResponseType>> = {
  UNAUTHORIZED: ResponseType.UNAUTHORIZED,
  ACCESS_DENIED: ResponseType.ACCESS_DENIED,
  AUTHORIZER_FAILURE: ResponseType.AUTHORIZER_FAILURE,
  AUTHORIZER_CONFIGURATION_ERROR: ResponseType.AUTHORIZER_CONFIGURATION_ERROR,
  MISSING_AUTHENTICATION_TOKEN: ResponseType.MISSING_AUTHENTICATION_TOKEN,
};

/**
 * A REST API whose resources are the endpoint table, with gateway responses that keep statuses, fields and problem bodies as
 * far as API Gateway can. Gives the URL that clients use.
 */
export function createRestApi(scope: Construct, deployment: CheckedDeployment, parts: ApiParts): string {
  const { domain, upstream, throttle } = deployment;
  const logs = new LogGroup(scope, 'ApiLogs', {
    encryptionKey: parts.key,
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const api = new RestApi(scope, 'RestApi', {
    restApiName: deployment.name,
    endpointTypes: [EndpointType.REGIONAL],
    disableExecuteApiEndpoint: domain !== undefined,
    cloudWatchRole: true,
    cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN,
    deployOptions: {
      stageName: 'live',
      metricsEnabled: true,
      loggingLevel: MethodLoggingLevel.ERROR,
      dataTraceEnabled: false,
      throttlingRateLimit: throttle.ratePerSecond,
      throttlingBurstLimit: throttle.burst,
      accessLogDestination: new LogGroupLogDestination(logs),
      accessLogFormat: AccessLogFormat.custom(accessLogFormat),
    },
  });
  addGatewayResponses(api);

  const authorizer = createAuthorizer(scope, deployment, parts);
  const fields = {
    ...upstreamFields(deployment.config.documents.forwardClaims, deployment.assertion),
    // A field cannot be left out of a proxied request, but its value can be another. HTTP APIs reserve this one.
    ...(!deployment.config.settings.forwardCredentials && { [credentialField(deployment)]: "'withheld'" }),
  };
  for (const { method, path } of routesOf(deployment)) {
    const names = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
    const fromPath = Object.fromEntries(
      names.map((name) => [`integration.request.path.${name}`, `method.request.path.${name}`]),
    );
    const fromContext = Object.fromEntries(
      Object.entries(fields).map(([name, variable]) => [`integration.request.header.${name}`, variable]),
    );
    api.root.resourceForPath(path).addMethod(
      method,
      new HttpIntegration(`${upstream}${path}`, {
        httpMethod: method,
        proxy: true,
        options: { requestParameters: { ...fromPath, ...fromContext }, timeout: Duration.seconds(29) },
      }),
      { authorizer, requestParameters: Object.fromEntries(names.map((name) => [`method.request.path.${name}`, true])) },
    );
  }
  if (parts.jwks) {
    const method = api.root
      .resourceForPath('/_authorizer/jwks.json')
      .addMethod('GET', new LambdaIntegration(parts.jwks));
    const reason = 'Public keys are for everybody.';
    Validations.of(method).acknowledge({ id: 'AwsSolutions-APIG4', reason }, { id: 'AwsSolutions-COG4', reason });
  }
  if (parts.metadata) {
    const reason = 'Metadata is for everybody.';
    for (const path of [METADATA_PATH, `${METADATA_PATH}/{proxy+}`])
      Validations.of(
        api.root.resourceForPath(path).addMethod('GET', new LambdaIntegration(parts.metadata)),
      ).acknowledge({ id: 'AwsSolutions-APIG4', reason }, { id: 'AwsSolutions-COG4', reason });
  }
  if (domain) mapDomain(scope, api, domain);
  acknowledge(api);
  return domain ? `https://${domain.name}` : api.url;
}

/** Lets a REST API answer denials with their problem documents, challenges and Retry-After. */
export function addGatewayResponses(api: RestApi): void {
  for (const type of Object.keys(responseTypes) as (keyof typeof responseTypes)[]) {
    const { statusCode, headers, template } = gatewayResponses[type];
    api.addGatewayResponse(type, {
      type: responseTypes[type],
      statusCode: String(statusCode),
      responseHeaders: headers,
      templates: { 'application/json': template },
    });
  }
}

function createAuthorizer(scope: Construct, deployment: CheckedDeployment, parts: ApiParts): IAuthorizer {
  const resultsCacheTtl = Duration.seconds(deployment.authorizerTtlSeconds);
  const field = credentialField(deployment);
  if (deployment.api.kind === 'rest' && deployment.api.authorizer === 'token') {
    return new TokenAuthorizer(scope, 'ApiAuthorizer', {
      handler: parts.authorizer,
      identitySource: IdentitySource.header(field),
      resultsCacheTtl,
    });
  }
  return createRequestAuthorizer(scope, deployment, parts.authorizer);
}

/** A REQUEST authorizer that is asked about every request unless answers are kept. */
export function createRequestAuthorizer(
  scope: Construct,
  deployment: CheckedDeployment,
  handler: ApiParts['authorizer'],
): IAuthorizer {
  const { authorizerTtlSeconds } = deployment;
  const authorizer = new RequestAuthorizer(scope, 'ApiAuthorizer', {
    handler,
    identitySources: authorizerTtlSeconds === 0 ? [] : [IdentitySource.header(credentialField(deployment))],
    resultsCacheTtl: Duration.seconds(authorizerTtlSeconds),
  });
  // CDK writes an empty string where there is no identity source; the property has to be absent.
  const resource = authorizer.node.defaultChild;
  if (authorizerTtlSeconds === 0 && resource instanceof CfnAuthorizer) {
    resource.addPropertyDeletionOverride('IdentitySource');
  }
  return authorizer;
}

function mapDomain(scope: Construct, api: RestApi, domain: NonNullable<CheckedDeployment['domain']>): void {
  const { truststore } = domain;
  const domainName = new DomainName(scope, 'Domain', {
    domainName: domain.name,
    certificate: Certificate.fromCertificateArn(scope, 'Certificate', domain.certificateArn),
    endpointType: EndpointType.REGIONAL,
    securityPolicy: SecurityPolicy.TLS_1_2,
    ...(truststore && {
      mtls: {
        bucket: Bucket.fromBucketName(scope, 'TruststoreBucket', new URL(truststore.uri).hostname),
        key: new URL(truststore.uri).pathname.slice(1),
        version: truststore.version,
      },
    }),
  });
  new BasePathMapping(scope, 'Mapping', { domainName, restApi: api });
}

function acknowledge(api: RestApi): void {
  Validations.of(api).acknowledge(
    {
      id: 'AwsSolutions-APIG2',
      reason: 'Bodies belong to the service behind the API; path and method are validated by the authorizer, strictly.',
    },
    {
      id: 'AwsSolutions-APIG3',
      reason:
        'Budgets are by verified identity, in the authorizer; a web ACL costs by the rule and is for the operator to choose.',
    },
    { id: 'AwsSolutions-COG4', reason: 'The authorizer is this product, not Cognito.' },
    {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
      reason: 'The one role of an account by which API Gateway writes its logs; AWS maintains its policy.',
    },
  );
}
