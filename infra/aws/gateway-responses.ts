import { contextName } from '../../lib/adapter/lambda/answer.ts';

/**
 * What an API Gateway says of its own where the authorizer has refused, and what it tells the upstream where it has not.
 * Plain data: the infrastructure deploys it, and the tests serve it from an API Gateway of their own.
 */

/** Fields that the upstream believes, over the caller's own of the same name: field to variable. */
export const identityFields: Readonly<Record<string, string>> = {
  'x-auth-request-user': 'context.authorizer.subject',
  'x-auth-request-scopes': 'context.authorizer.scopes',
  'x-auth-request-method': 'context.authorizer.authMethod',
  'x-auth-request-issuer': 'context.authorizer.issuer',
  'x-request-id': 'context.authorizer.requestId',
  traceparent: 'context.authorizer.traceparent',
};

/** The signed assertion, where the authorizer has a key for it. */
export const assertionField: Readonly<Record<string, string>> = {
  'x-tgefd-assertion': 'context.authorizer.assertion',
};

/** Fields that the upstream believes, with those of `TGEFD_FORWARD_CLAIMS` and, where it is signed, the assertion. */
export function upstreamFields(
  forwardedClaims: readonly { readonly field: string }[],
  assertion: boolean,
): Readonly<Record<string, string>> {
  const claims = forwardedClaims.map(({ field }) => [field, `context.authorizer.${contextName(field)}`]);
  return { ...identityFields, ...Object.fromEntries(claims), ...(assertion && assertionField) };
}

export interface GatewayResponseText {
  readonly statusCode: number;
  /** Field to variable, or to a literal in single quotes. */
  readonly headers: Readonly<Record<string, string>>;
  /** Variables are put in as they are: everything the authorizer hands over is safe inside JSON. */
  readonly template: string;
}

/** Problem documents (RFC 9457) by the type of API Gateway's refusal. Only REST APIs can say them. */
export const gatewayResponses: Readonly<
  Record<
    | 'UNAUTHORIZED'
    | 'ACCESS_DENIED'
    | 'AUTHORIZER_FAILURE'
    | 'AUTHORIZER_CONFIGURATION_ERROR'
    | 'MISSING_AUTHENTICATION_TOKEN',
    GatewayResponseText
  >
> = {
  // One text for all: API Gateway cannot tell a missing credential from a refused one here. A challenge without `error` fits both.
  UNAUTHORIZED: {
    statusCode: 401,
    headers: { ...always(), 'WWW-Authenticate': `'Bearer realm="tgefd"'` },
    template: problem(401, 'credentials_invalid', 'Credentials not accepted', 'unauthorized'),
  },
  // A status cannot be chosen per answer: the true one is in `code`, and 429 keeps its Retry-After.
  ACCESS_DENIED: {
    statusCode: 403,
    headers: {
      ...always(),
      'WWW-Authenticate': 'context.authorizer.challenge',
      'Retry-After': 'context.authorizer.retryAfter',
      Allow: 'context.authorizer.allow',
      RateLimit: 'context.authorizer.rateLimit',
      'RateLimit-Policy': 'context.authorizer.rateLimitPolicy',
    },
    template: JSON.stringify({
      type: '$context.authorizer.denialType',
      title: '$context.authorizer.denialTitle',
      status: 403,
      detail: '$context.authorizer.denialDetail',
      code: '$context.authorizer.denialCode',
      request_id: '$context.requestId',
    }),
  },
  AUTHORIZER_FAILURE: unavailable(),
  AUTHORIZER_CONFIGURATION_ERROR: unavailable(),
  MISSING_AUTHENTICATION_TOKEN: {
    statusCode: 404,
    headers: always(),
    template: problem(404, 'endpoint_unknown', 'Unknown endpoint', 'not found'),
  },
};

function always(): Record<string, string> {
  return {
    'Content-Type': `'application/problem+json'`,
    'Cache-Control': `'no-store'`,
    'X-Request-Id': 'context.requestId',
  };
}

/** The authorizer could not decide: our outage, never the caller's fault. */
function unavailable(): GatewayResponseText {
  return {
    statusCode: 503,
    headers: { ...always(), 'Retry-After': `'5'` },
    template: problem(503, 'internal_error', 'Authorizer unavailable', 'service unavailable'),
  };
}

function problem(status: number, code: string, title: string, detail: string): string {
  return JSON.stringify({
    type: `urn:problem-type:tgefd:${code}`,
    title,
    status,
    detail,
    code,
    request_id: '$context.requestId',
  });
}
