import { dirname, join } from 'node:path';
import { gatewayResponses, identityFields } from '../../infra/aws/gateway-responses.ts';
import { type Api, createApiGateway, type GatewayAnswer } from '../support/api-gateway.ts';
import type { ClientRequest } from '../support/api-gateway-events.ts';
import { lambdaClient } from '../support/lambda-client.ts';
import { type RunningFunction, startFunction } from '../support/lambda-runtime.ts';

const BUNDLE = join(dirname(dirname(import.meta.dirname)), 'dist/lambda-authorizer.mjs');
const client = await lambdaClient();

/** What runs the function, for the titles of suites: nobody shall take the stand-in for the real client. */
export const runtimeName =
  'path' in client ? 'aws-lambda-ric' : `a loop of our own [no aws-lambda-ric: ${client.missing}]`;

export type ApiName = 'REST TOKEN' | 'REST REQUEST' | 'HTTP 1.0' | 'HTTP 2.0 simple' | 'HTTP 2.0 IAM';

const proxied = [
  { method: 'ANY', path: '/' },
  { method: 'ANY', path: '/{proxy+}' },
];

/** The five APIs as an operator would set them up, without caching and with every path given to the authorizer. */
export const apis: Readonly<Record<ApiName, Api>> = {
  'REST TOKEN': rest('rest_token', ['method.request.header.Authorization']),
  'REST REQUEST': rest('rest_request', []),
  'HTTP 1.0': http('http_1', false),
  'HTTP 2.0 simple': http('http_2', true),
  'HTTP 2.0 IAM': http('http_2', false),
};

function rest(event: 'rest_token' | 'rest_request', identitySources: readonly string[]): Api {
  return { event, identitySources, routes: proxied, ttlSeconds: 0, gatewayResponses, requestFields: identityFields };
}

function http(event: 'http_1' | 'http_2', simpleResponses: boolean): Api {
  return { event, simpleResponses, identitySources: [], routes: proxied, ttlSeconds: 0, requestFields: identityFields };
}

export interface StartedApi {
  /** Sends a request whose target is written as the API's own path; the stage is put in front. */
  send(request: Partial<Omit<ClientRequest, 'target'>> & { readonly target: string }): Promise<GatewayAnswer>;
  /** Every request that reached the upstream, with the fields that were set over the caller's own. */
  readonly forwarded: { readonly request: ClientRequest; readonly fields: Readonly<Record<string, string>> }[];
  /** Events that the authorizer was asked about. */
  readonly events: unknown[];
  readonly lambda: RunningFunction;
  /** Moves the clock of API Gateway's cache. */
  passSeconds(seconds: number): void;
  stop(): Promise<void>;
}

/** Starts the built authorizer as Lambda runs it, with exactly this environment, behind an API of this kind. */
export async function startApi(api: Api, env: Readonly<Record<string, string>>): Promise<StartedApi> {
  const lambda = await startFunction({
    bundle: BUNDLE,
    handler: 'lambda-authorizer.handler',
    client: 'path' in client ? client.path : null,
    env: { TGEFD_AUTHORIZER_RESPONSE: api.simpleResponses ? 'simple' : 'iam', ...env },
  });
  const forwarded: StartedApi['forwarded'] = [];
  const events: unknown[] = [];
  let nowMs = 0;
  const gateway = createApiGateway(api, {
    nowMs: () => nowMs,
    invoke: (event) => {
      events.push(event);
      return lambda.invoke(event);
    },
    integrate: (request, fields) => {
      forwarded.push({ request, fields });
      return { status: 200, headers: new Headers(), body: 'from the upstream' };
    },
  });
  const prefix = api.domain ? `/${api.domain.basePath}`.replace(/\/$/, '') : `/${api.stage ?? 'live'}`;
  return {
    forwarded,
    events,
    lambda,
    passSeconds: (seconds) => {
      nowMs += seconds * 1000;
    },
    send: (request) =>
      gateway.handle({
        method: 'GET',
        headers: [],
        sourceIp: '198.51.100.7',
        ...request,
        target: `${prefix}${request.target}`,
      }),
    stop: () => lambda.stop(),
  };
}
