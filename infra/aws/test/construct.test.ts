import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { HttpIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpUrlIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { deployment } from '../deployment.ts';
import { EdgeAuthorizer, type EdgeAuthorizerProps } from '../index.ts';
import { checkDeployment, type Deployment } from '../settings.ts';
import { propertiesOf } from './templates.ts';

/* The construct on an API that belongs to somebody else's app, with an endpoint table of its own. */

const policyFile = new URL('policy.json', import.meta.url).pathname;
const { environment } = deployment;
const SERVICE = 'https://orders.example.com';

function httpStack(props: Partial<EdgeAuthorizerProps> = {}): Template {
  const stack = new Stack(new App(), 'orders');
  const edge = new EdgeAuthorizer(stack, 'Edge', {
    api: { kind: 'http', response: 'simple' },
    environment,
    policyFile,
    ...props,
  });
  const api = new HttpApi(stack, 'Api');
  for (const { method, path } of edge.routes) {
    api.addRoutes({
      path,
      methods: [HttpMethod[method as keyof typeof HttpMethod]],
      authorizer: edge.httpAuthorizer,
      integration: new HttpUrlIntegration(`${method}${path}`, `${SERVICE}${path}`, {
        parameterMapping: edge.identityMapping,
      }),
    });
  }
  edge.addKeySetRoute(api);
  edge.addMetadataRoutes(api);
  return Template.fromStack(stack);
}

test('an HttpApi of the user’s own has the rows of the policy as routes, all behind the authorizer', () => {
  const routes = Object.values(propertiesOf(httpStack(), 'AWS::ApiGatewayV2::Route'));
  assert.deepEqual(
    routes.map(({ RouteKey, AuthorizationType }) => [RouteKey, AuthorizationType]),
    [
      ['GET /orders/{order_id}', 'CUSTOM'],
      ['HEAD /orders/{order_id}', 'CUSTOM'],
      ['POST /orders', 'CUSTOM'],
    ],
  );
});

test('an HttpApi asks by payload 2.0 for simple answers and by 1.0 for policies, and keeps nothing unless told', () => {
  httpStack().hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
    AuthorizerPayloadFormatVersion: '2.0',
    EnableSimpleResponses: true,
    AuthorizerResultTtlInSeconds: 0,
    IdentitySource: [],
  });
  httpStack({ api: { kind: 'http', response: 'iam' }, authorizerTtlSeconds: 60 }).hasResourceProperties(
    'AWS::ApiGatewayV2::Authorizer',
    { AuthorizerPayloadFormatVersion: '1.0', IdentitySource: ['$request.header.authorization'] },
  );
});

test('the identity is set over whatever the caller sent', () => {
  httpStack().hasResourceProperties('AWS::ApiGatewayV2::Integration', {
    RequestParameters: { 'overwrite:header.x-auth-request-user': '$context.authorizer.subject' },
  });
});

test('each forwarded claim is set over what the caller sent under its name', () => {
  const forwarded = { ...environment, TGEFD_FORWARD_CLAIMS: '{"org.id":"x-auth-request-tenant-id"}' };
  httpStack({ environment: forwarded }).hasResourceProperties('AWS::ApiGatewayV2::Integration', {
    RequestParameters: { 'overwrite:header.x-auth-request-tenant-id': '$context.authorizer.claimTenantId' },
  });
  const edge = new EdgeAuthorizer(new Stack(new App(), 'rest'), 'Edge', {
    api: { kind: 'rest', authorizer: 'request' },
    environment: forwarded,
    policyFile,
  });
  assert.equal(
    edge.identityParameters['integration.request.header.x-auth-request-tenant-id'],
    'context.authorizer.claimTenantId',
  );
});

test('the policy travels with the functions, and no variable repeats it', () => {
  const functions = Object.values(propertiesOf(httpStack(), 'AWS::Lambda::Function'));
  const variables = functions.map((one) => (one.Environment as { Variables?: Record<string, string> }).Variables ?? {});
  const ours = variables.filter((one) => 'TGEFD_AUDIT_BUCKET' in one);
  assert.equal(ours.length, 2);
  for (const one of ours) {
    assert.equal(one.TGEFD_POLICY_FILE, '/var/task/policy.json');
    assert.equal(one.TGEFD_POLICY, undefined);
  }
});

test('the audit bucket is locked, and only the archive writes batches', () => {
  const template = httpStack();
  template.hasResourceProperties('AWS::S3::Bucket', {
    ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 180 } } },
  });
  template.hasResourceProperties('AWS::S3::BucketPolicy', {
    PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Sid: 'OnlyTheArchiveWrites' })]) },
  });
});

test('with assertions the key is made and rotated, and its page has no authorizer', () => {
  const template = httpStack({ assertion: true, upstream: SERVICE });
  template.resourceCountIs('AWS::SecretsManager::RotationSchedule', 1);
  template.hasResourceProperties('AWS::ApiGatewayV2::Route', {
    RouteKey: 'GET /_authorizer/jwks.json',
    AuthorizationType: 'NONE',
  });
});

test('with a resource its metadata has routes without an authorizer', () => {
  const template = httpStack({ environment: { ...environment, TGEFD_RESOURCE: 'https://api.example.com/orders' } });
  for (const path of ['', '/{proxy+}'])
    template.hasResourceProperties('AWS::ApiGatewayV2::Route', {
      RouteKey: `GET /.well-known/oauth-protected-resource${path}`,
      AuthorizationType: 'NONE',
    });
  template.hasResourceProperties('AWS::Lambda::Function', { Handler: 'lambda-authorizer.metadata' });
});

function restStack(authorizer: 'request' | 'token'): Template {
  const stack = new Stack(new App(), 'orders');
  const edge = new EdgeAuthorizer(stack, 'Edge', { api: { kind: 'rest', authorizer }, environment, policyFile });
  const api = new RestApi(stack, 'Api');
  edge.addGatewayResponses(api);
  for (const { method, path } of edge.routes) {
    const requestParameters = edge.identityParameters;
    api.root
      .resourceForPath(path)
      .addMethod(
        method,
        new HttpIntegration(`${SERVICE}${path}`, { httpMethod: method, options: { requestParameters } }),
        {
          authorizer: edge.restAuthorizer,
        },
      );
  }
  return Template.fromStack(stack);
}

test('a RestApi of the user’s own is asked for each request, and answers with problem documents', () => {
  const template = restStack('request');
  template.hasResourceProperties('AWS::ApiGateway::Authorizer', {
    Type: 'REQUEST',
    AuthorizerResultTtlInSeconds: 0,
    IdentitySource: Match.absent(),
  });
  template.resourceCountIs('AWS::ApiGateway::GatewayResponse', 5);
  const methods = Object.values(propertiesOf(template, 'AWS::ApiGateway::Method'));
  assert.equal(methods.filter(({ AuthorizationType }) => AuthorizationType === 'CUSTOM').length, 3);
  restStack('token').hasResourceProperties('AWS::ApiGateway::Authorizer', { Type: 'TOKEN' });
});

test('each authorizer is for its own kind of API', () => {
  const stack = new Stack(new App(), 'orders');
  const edge = new EdgeAuthorizer(stack, 'Edge', { api: { kind: 'http', response: 'iam' }, environment, policyFile });
  assert.throws(() => edge.restAuthorizer, /api.kind 'rest'/);
});

test('an API of kind http without response is a type error, and a problem where types are stripped', () => {
  // @ts-expect-error response is missing
  const api: Deployment['api'] = { kind: 'http' };
  assert.throws(() => checkDeployment({ ...deployment, api }), /api\.response: 'simple' or 'iam' with kind 'http'/);
  assert.throws(() => httpStack({ api }), /api\.response/);
  // @ts-expect-error authorizer is missing
  const rest: Deployment['api'] = { kind: 'rest' };
  assert.throws(() => checkDeployment({ ...deployment, api: rest }), /api\.authorizer/);
  // @ts-expect-error there is no such kind
  assert.throws(() => checkDeployment({ ...deployment, api: { kind: 'websocket' } }), /api\.kind/);
});

test('every problem of the configuration is told while the app is made', () => {
  assert.throws(() => httpStack({ environment: { ...environment, TGEFD_AUTH_MODE: 'none' } }), /TGEFD_AUTH_MODE/);
  assert.throws(() => httpStack({ assertion: true }), /upstream: needed with assertion/);
  const secret = { ...environment, TGEFD_REDIS_TOKEN: 'x' };
  assert.throws(() => httpStack({ environment: secret }), /a secret stands in Secrets Manager only/);
});
