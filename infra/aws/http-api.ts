import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  DomainName,
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
  MappingValue,
  type MTLSConfig,
  ParameterMapping,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration, HttpUrlIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { METADATA_PATH } from '../../lib/respond/protected-resource.ts';
import { accessLogFormat } from './access-log.ts';
import { upstreamFields } from './gateway-responses.ts';
import { routesOf } from './routes.ts';
import type { CheckedDeployment } from './settings.ts';

export interface ApiParts {
  readonly authorizer: IFunction;
  /** Publishes the keys of the assertion, or null where there is none. */
  readonly jwks: IFunction | null;
  readonly metadata: IFunction | null;
  readonly key: IKey;
}

/**
 * An HTTP API whose routes are the endpoint table. With simple answers and caching the route is part of what an answer is kept
 * under, for such an answer is right for one route only. Gives the URL that clients use.
 */
export function createHttpApi(scope: Construct, deployment: CheckedDeployment, parts: ApiParts): string {
  const { domain, upstream, authorizerTtlSeconds, throttle } = deployment;
  const simple = deployment.api.kind === 'http' && deployment.api.response === 'simple';
  const api = new HttpApi(scope, 'HttpApi', {
    apiName: deployment.name,
    createDefaultStage: false,
    disableExecuteApiEndpoint: domain !== undefined,
  });
  const logs = new LogGroup(scope, 'ApiLogs', {
    encryptionKey: parts.key,
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const domainName = domain && createDomain(scope, domain);
  const stage = new HttpStage(scope, 'Stage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    detailedMetricsEnabled: true,
    throttle: { rateLimit: throttle.ratePerSecond, burstLimit: throttle.burst },
    accessLogSettings: {
      destination: new LogGroupLogDestination(logs),
      format: AccessLogFormat.custom(accessLogFormat),
    },
    ...(domainName && { domainMapping: { domainName } }),
  });

  const authorizer = new HttpLambdaAuthorizer('ApiAuthorizer', parts.authorizer, {
    responseTypes: [simple ? HttpLambdaResponseType.SIMPLE : HttpLambdaResponseType.IAM],
    resultsCacheTtl: Duration.seconds(authorizerTtlSeconds),
    identitySource:
      authorizerTtlSeconds === 0
        ? []
        : [`$request.header.${credentialField(deployment)}`, ...(simple ? ['$context.routeKey'] : [])],
  });
  const mapping = new ParameterMapping();
  const fields = upstreamFields(deployment.config.documents.forwardClaims, deployment.assertion);
  for (const [name, variable] of Object.entries(fields)) {
    mapping.overwriteHeader(name, MappingValue.contextVariable(variable.replace('context.', '')));
  }
  for (const [number, { method, path }] of routesOf(deployment).entries()) {
    api.addRoutes({
      path,
      methods: [methodOf(method)],
      authorizer,
      integration: new HttpUrlIntegration(`Upstream${number}`, `${upstream}${path}`, { parameterMapping: mapping }),
    });
  }
  if (parts.jwks) {
    const [route] = api.addRoutes({
      path: '/_authorizer/jwks.json',
      methods: [HttpMethod.GET],
      integration: new HttpLambdaIntegration('KeySet', parts.jwks),
    });
    if (route)
      Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason: 'Public keys are for everybody.' });
  }
  if (parts.metadata) {
    const integration = new HttpLambdaIntegration('Metadata', parts.metadata);
    for (const path of [METADATA_PATH, `${METADATA_PATH}/{proxy+}`])
      for (const route of api.addRoutes({ path, methods: [HttpMethod.GET], integration }))
        Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason: 'Metadata is for everybody.' });
  }
  return domain ? `https://${domain.name}` : stage.url;
}

/** The header that carries the credential, and so tells callers apart where answers are kept. */
export function credentialField({ config }: CheckedDeployment): string {
  return config.settings.jwtHeader;
}

function methodOf(method: string): HttpMethod {
  const found = Object.values(HttpMethod).find((one) => one === method);
  if (found === undefined) throw new Error(`API Gateway has no method ${method}`);
  return found;
}

function createDomain(scope: Construct, domain: NonNullable<CheckedDeployment['domain']>): DomainName {
  const { truststore } = domain;
  const mtls: MTLSConfig | undefined = truststore && {
    bucket: Bucket.fromBucketName(scope, 'TruststoreBucket', new URL(truststore.uri).hostname),
    key: new URL(truststore.uri).pathname.slice(1),
    version: truststore.version,
  };
  return new DomainName(scope, 'Domain', {
    domainName: domain.name,
    certificate: Certificate.fromCertificateArn(scope, 'Certificate', domain.certificateArn),
    securityPolicy: SecurityPolicy.TLS_1_2,
    ...(mtls && { mtls }),
  });
}
