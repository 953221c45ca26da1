import * as z from 'zod/mini';
import { type Arrival, arnOf, type ClientRequest, type EventShape, eventOf, pathOf } from './api-gateway-events.ts';
import { readPolicy } from './iam-policy.ts';

/** An API in front of an authorizer and an integration, by the fields of CloudFormation that matter here. */
export interface Api {
  readonly event: EventShape;
  /** HTTP API 2.0: `EnableSimpleResponses`. */
  readonly simpleResponses?: boolean;
  readonly stage?: string;
  /** A custom domain with its base path (`''` for none); otherwise the API's own endpoint, with the stage in the path. */
  readonly domain?: { readonly name: string; readonly basePath: string };
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  /** `method.request.header.X` (REST), `$request.header.X` or `$context.routeKey` (HTTP). */
  readonly identitySources: readonly string[];
  readonly ttlSeconds: number;
  /** REST only. */
  readonly gatewayResponses?: Readonly<Partial<Record<GatewayResponseType, GatewayResponse>>>;
  /** Fields set on the integration request, over the client's own: name to `context.authorizer.…`. */
  readonly requestFields?: Readonly<Record<string, string>>;
}

export type GatewayResponseType =
  | 'UNAUTHORIZED'
  | 'ACCESS_DENIED'
  | 'AUTHORIZER_FAILURE'
  | 'AUTHORIZER_CONFIGURATION_ERROR'
  | 'MISSING_AUTHENTICATION_TOKEN';

export interface GatewayResponse {
  readonly statusCode?: number;
  /** Name to `'literal'` or `context.…`, as `gatewayresponse.header.Name` maps it. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly template?: string;
}

export interface GatewayAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface ApiParts {
  /** Invokes the function; rejects with an error of the function's own message when that failed. */
  readonly invoke: (event: unknown) => Promise<unknown>;
  /** What stands behind the API. */
  readonly integrate: (request: ClientRequest, fields: Readonly<Record<string, string>>) => GatewayAnswer;
  readonly nowMs: () => number;
}

const MAXIMUM_ANSWER_BYTES = 8192;
const MAXIMUM_ARN_BYTES = 1600;
const DEFAULTS: Readonly<Record<GatewayResponseType, { readonly statusCode: number; readonly message: string }>> = {
  UNAUTHORIZED: { statusCode: 401, message: 'Unauthorized' },
  ACCESS_DENIED: { statusCode: 403, message: 'User is not authorized to access this resource' },
  AUTHORIZER_FAILURE: { statusCode: 500, message: 'Internal server error' },
  AUTHORIZER_CONFIGURATION_ERROR: { statusCode: 500, message: 'Internal server error' },
  MISSING_AUTHENTICATION_TOKEN: { statusCode: 403, message: 'Missing Authentication Token' },
};

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const policyAnswer = z.object({
  principalId: z.string(),
  policyDocument: z.unknown(),
  context: z.optional(z.record(z.string(), scalar)),
});
const simpleAnswer = z.object({ isAuthorized: z.boolean(), context: z.optional(z.record(z.string(), z.unknown())) });

/** What an authorizer has answered, as API Gateway keeps it: judged anew on every resource. */
interface Authorization {
  readonly permits: (arn: string) => boolean;
  readonly context: Readonly<Record<string, unknown>>;
}

type Failed = Extract<GatewayResponseType, 'UNAUTHORIZED' | 'AUTHORIZER_CONFIGURATION_ERROR'>;

/**
 * A small API Gateway: routes, identity sources (a missing one is a 401 without a call), the authorizer's event, its answer
 * and limits, the cache by identity sources and time to live, policies judged on each request's own ARN, `context` as scalars,
 * gateway responses. Written from AWS's documentation; where that is silent, as the comments say. Leaves out throttling,
 * usage plans, resource policies, WebSocket APIs, CORS and VTL.
 */
export function createApiGateway(api: Api, parts: ApiParts) {
  const rest = api.event.startsWith('rest');
  const stage = api.stage ?? 'live';
  const domainName = api.domain?.name ?? 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com';
  const prefix = api.domain ? slashed(api.domain.basePath) : stage === '$default' ? '' : slashed(stage);
  const cache = new Map<string, { readonly authorization: Authorization; readonly untilMs: number }>();
  let requests = 0;

  async function handle(request: ClientRequest): Promise<GatewayAnswer> {
    const path = pathOf(request);
    const requestId = `gateway-${++requests}`;
    // Not documented: an HTTP API is taken to refuse a path that it cannot decode.
    if (!rest && decodeText(path) === null) return plain(400, 'Bad Request');
    const apiPath = path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : null;
    const route = apiPath === null ? null : findRoute(api.routes, request.method, apiPath, !rest);
    if (apiPath === null || route === null) return refuse('MISSING_AUTHENTICATION_TOKEN', requestId, {});
    const sources = api.identitySources.map((source) => identity(source, request, route));
    // AWS: a missing, null or empty identity source is a 401, and the function is not invoked.
    if (sources.some((source) => source === '')) return refuse('UNAUTHORIZED', requestId, {});
    const arrival: Arrival = {
      region: 'eu-central-1',
      accountId: '123456789012',
      apiId: 'a1b2c3d4e5',
      stage,
      domainName,
      route,
      apiPath,
      requestId,
      token: sources[0] ?? null,
      identitySources: sources,
    };
    const arn = arnOf(arrival, request.method, !rest);
    if (arn.length > MAXIMUM_ARN_BYTES) return plain(414, 'Request URI too long');
    const authorization = await authorize(request, arrival, sources);
    if (typeof authorization === 'string') return refuse(authorization, requestId, {});
    if (!authorization.permits(arn)) return refuse('ACCESS_DENIED', requestId, authorization.context);
    const fields = Object.entries(api.requestFields ?? {}).map(([name, source]) => [
      name,
      lookUp(source, requestId, authorization.context) ?? '',
    ]);
    return parts.integrate(request, Object.fromEntries(fields));
  }

  async function authorize(
    request: ClientRequest,
    arrival: Arrival,
    sources: readonly string[],
  ): Promise<Authorization | Failed> {
    const key = JSON.stringify(sources);
    const cached = cache.get(key);
    if (cached && api.ttlSeconds > 0 && parts.nowMs() < cached.untilMs) return cached.authorization;
    const authorization = await ask(eventOf(api.event, request, arrival));
    // Failures are not kept: only an answer that could be read is.
    if (typeof authorization !== 'string') {
      cache.set(key, { authorization, untilMs: parts.nowMs() + api.ttlSeconds * 1000 });
    }
    return authorization;
  }

  async function ask(event: unknown): Promise<Authorization | Failed> {
    let answer: unknown;
    try {
      answer = await parts.invoke(event);
    } catch (error) {
      return error instanceof Error && error.message === 'Unauthorized'
        ? 'UNAUTHORIZED'
        : 'AUTHORIZER_CONFIGURATION_ERROR';
    }
    try {
      if (JSON.stringify(answer).length > MAXIMUM_ANSWER_BYTES) return 'AUTHORIZER_CONFIGURATION_ERROR';
      if (api.event === 'http_2' && api.simpleResponses) {
        const { isAuthorized, context } = simpleAnswer.parse(answer);
        return { permits: () => isAuthorized, context: context ?? {} };
      }
      const { policyDocument, context } = policyAnswer.parse(answer);
      const judge = readPolicy(policyDocument);
      return { permits: (arn) => judge(arn) === 'allow', context: context ?? {} };
    } catch {
      return 'AUTHORIZER_CONFIGURATION_ERROR';
    }
  }

  function refuse(
    type: GatewayResponseType,
    requestId: string,
    context: Readonly<Record<string, unknown>>,
  ): GatewayAnswer {
    const usual = DEFAULTS[type];
    if (!rest) return httpRefusals[type];
    const custom = api.gatewayResponses?.[type] ?? {};
    const headers = new Headers({ 'content-type': 'application/json' });
    for (const [name, source] of Object.entries(custom.headers ?? {})) {
      // Not documented: a mapping whose source is absent is taken to set no field.
      const value = lookUp(source, requestId, context);
      if (value !== null) headers.set(name, value);
    }
    const template = custom.template ?? `{"message":"${usual.message}"}`;
    const body = template.replace(
      /\$(context\.[A-Za-z0-9_.]+)/g,
      (_, source: string) => lookUp(source, requestId, context) ?? '',
    );
    return { status: custom.statusCode ?? usual.statusCode, headers, body };
  }

  return { handle };
}

/** HTTP APIs have no gateway responses: these are fixed. */
const httpRefusals: Readonly<Record<GatewayResponseType, GatewayAnswer>> = {
  UNAUTHORIZED: plain(401, 'Unauthorized'),
  ACCESS_DENIED: plain(403, 'Forbidden'),
  AUTHORIZER_FAILURE: plain(500, 'Internal Server Error'),
  AUTHORIZER_CONFIGURATION_ERROR: plain(500, 'Internal Server Error'),
  MISSING_AUTHENTICATION_TOKEN: plain(404, 'Not Found'),
};

function plain(status: number, message: string): GatewayAnswer {
  return { status, headers: new Headers({ 'content-type': 'application/json' }), body: JSON.stringify({ message }) };
}

/** `'literal'`, or a variable of the context; null where it has no value. */
function lookUp(source: string, requestId: string, context: Readonly<Record<string, unknown>>): string | null {
  const literal = /^'(.*)'$/.exec(source);
  if (literal?.[1] !== undefined) return literal[1];
  if (source === 'context.requestId') return requestId;
  const name = /^context\.authorizer\.(\w+)$/.exec(source)?.[1];
  const value = name === undefined ? undefined : context[name];
  return value === undefined || value === null ? null : String(value);
}

function identity(source: string, request: ClientRequest, route: { method: string; path: string }): string {
  if (source === '$context.routeKey') return `${route.method} ${route.path}`;
  const name = /^(?:method|\$)\.?request\.header\.(.+)$/.exec(source)?.[1]?.toLowerCase();
  if (name === undefined) throw new Error(`an identity source this API Gateway does not know: ${source}`);
  const values = request.headers.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
  return values.join(',');
}

/** The most specific route: from the left, a literal beats `{name}`, that beats `{name+}`. */
function findRoute(routes: Api['routes'], method: string, path: string, decode: boolean) {
  const segments = path.split('/').map((segment) => (decode ? (decodeText(segment) ?? segment) : segment));
  const matching = routes.filter((route) => {
    if (route.method !== method && route.method !== 'ANY') return false;
    const template = route.path.split('/');
    const greedy = template.at(-1)?.endsWith('+}') === true;
    if (greedy ? segments.length < template.length : segments.length !== template.length) return false;
    return template.every(
      (part, place) =>
        part === segments[place] || part.endsWith('+}') || (part.startsWith('{') && segments[place] !== ''),
    );
  });
  const rank = (path: string) => path.replace(/\{[^}]*\+\}/g, '\uffff').replace(/\{[^}]*\}/g, '\ufffe');
  return matching.toSorted((one, other) => (rank(one.path) < rank(other.path) ? -1 : 1))[0] ?? null;
}

function decodeText(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function slashed(path: string): string {
  return path === '' ? '' : `/${path}`;
}
