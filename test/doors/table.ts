import type { Code } from '../../lib/decision/reason.ts';

/** Credentials that the tests can bring, made by the real issuer or out of what it made. */
export type CredentialName =
  | 'everything'
  | 'evaluate only'
  | 'metrics only'
  | 'no scope'
  | 'analyst role'
  | 'reader role'
  | 'admin role'
  | 'star'
  | 'PS256'
  | 'ES256'
  | 'EdDSA'
  | 'expired'
  | 'not yet valid'
  | 'wrong audience'
  | 'wrong issuer'
  | 'no expiry'
  | 'no subject'
  | 'numeric subject'
  | 'tampered claims'
  | 'tampered signature'
  | 'truncated'
  | 'alg none'
  | 'HS256 with the public key'
  | 'embedded key'
  | 'unknown key'
  | 'crit'
  | 'wrong type'
  | 'scope of a wrong type'
  | 'a word'
  | 'oversized';

/** One request and the answer that every door owes it. */
export interface DoorCase {
  readonly name: string;
  readonly method?: string;
  /** Request target exactly as on the request line. */
  readonly target: string;
  readonly credential?: CredentialName;
  /** Further header fields, in order. */
  readonly fields?: readonly (readonly [string, string])[];
  readonly body?: string;
  readonly expect: {
    readonly status: number;
    readonly code?: Code;
    /** Value of `WWW-Authenticate`. */
    readonly challenge?: string;
    readonly allow?: string;
  };
  /** `gateway`: what only a door that reads the request line itself can be shown. */
  readonly only?: 'gateway';
}

const bearer = 'Bearer realm="tgefd"';
const invalid = `${bearer}, error="invalid_token"`;
function missingScope(scope: string) {
  return `${bearer}, error="insufficient_scope", scope="${scope}"`;
}

function allowed(name: string, method: string, target: string, credential: CredentialName): DoorCase {
  return {
    name,
    method,
    target,
    credential,
    ...(method === 'POST' ? { body: '{}' } : {}),
    expect: { status: 200 },
  };
}

function refused(name: string, credential: CredentialName): DoorCase {
  return {
    name,
    target: '/v1/metrics',
    credential,
    expect: { status: 401, code: 'credentials_invalid', challenge: invalid },
  };
}

function forbidden(name: string, method: string, target: string, credential: CredentialName, scope: string): DoorCase {
  return {
    name,
    method,
    target,
    credential,
    expect: { status: 403, code: 'insufficient_scope', challenge: missingScope(scope) },
  };
}

function ambiguous(name: string, target: string): DoorCase {
  return {
    name: `path with ${name}`,
    target,
    credential: 'everything',
    expect: { status: 400, code: 'request_invalid' },
    only: 'gateway',
  };
}

/**
 * Requests × expected answers, the same for every door. Configuration: key set of the real issuer, issuer and audience
 * enforced, RS256, PS256, ES256 and EdDSA listed, scopes enforced.
 */
export const doorTable: readonly DoorCase[] = [
  allowed('discover', 'POST', '/v1/discover', 'everything'),
  allowed('discover, asynchronously', 'POST', '/v1/discover_async', 'everything'),
  allowed('evaluate', 'POST', '/v1/evaluate', 'evaluate only'),
  allowed('evaluate, asynchronously', 'POST', '/v1/evaluate_async', 'evaluate only'),
  allowed('a job', 'GET', '/v1/jobs/42', 'everything'),
  allowed('a job with a query', 'GET', '/v1/jobs/42?verbose=1&x=%2e%2e', 'everything'),
  allowed('metrics', 'GET', '/v1/metrics', 'metrics only'),
  allowed('metrics by their short path', 'GET', '/metrics', 'metrics only'),
  allowed('HEAD where GET is allowed', 'HEAD', '/v1/metrics', 'metrics only'),
  allowed('PS256', 'GET', '/v1/metrics', 'PS256'),
  allowed('ES256', 'GET', '/v1/metrics', 'ES256'),
  allowed('EdDSA', 'GET', '/v1/metrics', 'EdDSA'),
  allowed('the analyst role on a heavy endpoint', 'POST', '/v1/discover', 'analyst role'),
  allowed('the reader role on a job', 'GET', '/v1/jobs/1', 'reader role'),
  allowed('the admin role', 'POST', '/v1/evaluate', 'admin role'),
  allowed('the scope *', 'POST', '/v1/evaluate', 'star'),

  {
    name: 'nothing sent',
    target: '/v1/metrics',
    expect: { status: 401, code: 'credentials_missing', challenge: bearer },
  },
  {
    name: 'another scheme',
    target: '/v1/metrics',
    fields: [['authorization', 'Basic YWxpY2U6c2VjcmV0']],
    expect: { status: 401, code: 'credentials_missing', challenge: bearer },
  },
  {
    name: 'the scheme in another letter case',
    target: '/v1/nothing-here',
    fields: [['authorization', 'BEARER x.y.z']],
    expect: { status: 401, code: 'credentials_invalid', challenge: invalid },
  },
  refused('an expired token', 'expired'),
  refused('a token from the future', 'not yet valid'),
  refused('a token for another audience', 'wrong audience'),
  refused('a token of another issuer', 'wrong issuer'),
  refused('a token that never expires', 'no expiry'),
  refused('a token without a subject', 'no subject'),
  refused('a subject that is a number', 'numeric subject'),
  refused('claims changed after signing', 'tampered claims'),
  refused('a signature changed', 'tampered signature'),
  refused('a token cut short', 'truncated'),
  refused('alg none', 'alg none'),
  refused('the public key as an HMAC secret', 'HS256 with the public key'),
  refused('a key that the token brings itself', 'embedded key'),
  refused('a key that the issuer never had', 'unknown key'),
  refused('a critical extension nobody knows', 'crit'),
  refused('a token of another type', 'wrong type'),
  refused('something that is no token', 'a word'),
  {
    name: 'a token of more than 8 KiB',
    target: '/v1/metrics',
    credential: 'oversized',
    expect: { status: 400, code: 'request_invalid' },
  },
  {
    name: 'two tokens in one field',
    target: '/v1/metrics',
    fields: [['authorization', 'Bearer a.b.c, Bearer d.e.f']],
    expect: { status: 400, code: 'request_invalid' },
  },
  {
    name: 'two Authorization fields',
    target: '/v1/metrics',
    fields: [
      ['authorization', 'Bearer a.b.c'],
      ['authorization', 'Bearer d.e.f'],
    ],
    expect: { status: 400, code: 'request_invalid' },
    only: 'gateway',
  },
  {
    name: 'a token in the query counts for nothing',
    target: '/v1/metrics?access_token=a.b.c',
    expect: { status: 401, code: 'credentials_missing', challenge: bearer },
  },

  forbidden('discover without its scope', 'POST', '/v1/discover', 'evaluate only', 'discover'),
  forbidden('evaluate without its scope', 'POST', '/v1/evaluate', 'metrics only', 'evaluate'),
  forbidden('a job without its scope', 'GET', '/v1/jobs/42', 'metrics only', 'jobs'),
  forbidden('metrics without their scope', 'GET', '/metrics', 'evaluate only', 'metrics'),
  forbidden('a token without any scope', 'GET', '/v1/metrics', 'no scope', 'metrics'),
  forbidden('a scope claim that is a number', 'GET', '/v1/metrics', 'scope of a wrong type', 'metrics'),
  forbidden('the reader role on a heavy endpoint', 'POST', '/v1/evaluate', 'reader role', 'evaluate'),

  {
    name: 'an unknown path without credentials tells nothing',
    target: '/v1/secret',
    expect: { status: 401, code: 'credentials_missing', challenge: bearer },
  },
  {
    name: 'an unknown path',
    target: '/v1/secret',
    credential: 'everything',
    expect: { status: 404, code: 'endpoint_unknown' },
  },
  { name: 'the root', target: '/', credential: 'everything', expect: { status: 404, code: 'endpoint_unknown' } },
  {
    name: 'a trailing slash is another path',
    target: '/v1/metrics/',
    credential: 'everything',
    expect: { status: 404, code: 'endpoint_unknown' },
  },
  {
    name: 'another letter case is another path',
    target: '/V1/metrics',
    credential: 'everything',
    expect: { status: 404, code: 'endpoint_unknown' },
  },
  {
    name: 'one segment more',
    target: '/v1/jobs/42/output',
    credential: 'everything',
    expect: { status: 404, code: 'endpoint_unknown' },
  },
  {
    name: 'another method',
    method: 'GET',
    target: '/v1/discover',
    credential: 'everything',
    expect: { status: 405, code: 'method_not_allowed', allow: 'POST' },
  },
  {
    name: 'another method of a readable path',
    method: 'DELETE',
    target: '/v1/jobs/42',
    credential: 'everything',
    expect: { status: 405, code: 'method_not_allowed', allow: 'GET, HEAD' },
  },
  {
    name: 'another method without credentials tells nothing',
    method: 'DELETE',
    target: '/v1/jobs/42',
    expect: { status: 401, code: 'credentials_missing', challenge: bearer },
  },
  {
    name: 'a method override is not heard',
    method: 'GET',
    target: '/v1/discover',
    credential: 'everything',
    fields: [['x-http-method-override', 'POST']],
    expect: { status: 405, code: 'method_not_allowed', allow: 'POST' },
  },

  ambiguous('an encoded slash', '/v1/jobs/a%2Fb'),
  ambiguous('an encoded slash in lower case', '/v1/jobs/a%2fb'),
  ambiguous('an encoded backslash', '/v1/jobs/a%5Cb'),
  ambiguous('a backslash', '/v1/jobs/a\\b'),
  ambiguous('an encoded NUL', '/v1/jobs/a%00b'),
  ambiguous('encoded dots', '/v1/jobs/%2e%2e/metrics'),
  ambiguous('one encoded dot', '/v1/jobs/a%2Eb'),
  ambiguous('an empty segment', '/v1//metrics'),
  ambiguous('an empty first segment', '//v1/metrics'),
  ambiguous('a parameter', '/v1/metrics;a=b'),
  ambiguous('an encoded parameter', '/v1/metrics%3Ba=b'),
  ambiguous('invalid UTF-8', '/v1/jobs/%ff%fe'),
  ambiguous('an overlong encoding', '/v1/jobs/%c0%ae%c0%ae'),
  ambiguous('half a percent-encoding', '/v1/jobs/a%2'),
  ambiguous('a percent-encoding that is none', '/v1/jobs/a%zz'),
  ambiguous('a double encoding', '/v1/jobs/a%252fb'),
  ambiguous('an encoded line break', '/v1/jobs/a%0d%0ab'),
  {
    name: 'an ambiguous path without credentials is refused before anybody asks for them',
    target: '/v1/jobs/a%2Fb',
    expect: { status: 400, code: 'request_invalid' },
    only: 'gateway',
  },
  {
    name: 'an unreserved character that was encoded is itself',
    target: '/v1/%6Detrics',
    credential: 'metrics only',
    expect: { status: 200 },
    only: 'gateway',
  },

  {
    name: 'identity headers of the caller change nothing',
    target: '/v1/metrics',
    credential: 'evaluate only',
    fields: [
      ['x-auth-request-user', 'admin'],
      ['x-auth-request-scopes', '*'],
      ['x-ssl-client-subject', 'CN=admin'],
      ['x-forwarded-client-cert', 'Subject="CN=admin"'],
      ['x-forwarded-for', '127.0.0.1'],
      ['x-original-uri', '/healthz'],
    ],
    expect: { status: 403, code: 'insufficient_scope', challenge: missingScope('metrics') },
    only: 'gateway',
  },
  {
    name: 'identity headers without credentials are no credentials',
    target: '/v1/metrics',
    fields: [
      ['x-auth-request-user', 'admin'],
      ['x-ssl-client-subject', 'CN=admin'],
    ],
    expect: { status: 401, code: 'credentials_missing', challenge: bearer },
  },
];
