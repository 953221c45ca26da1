import { type RawResponse, requestRaw } from './raw-http.ts';

/** A caller's request as it reached the proxy. */
export interface CallerRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
}

/** A question as a proxy puts it on the wire. */
export interface Question {
  readonly line: string;
  readonly fields: readonly string[];
}

/** A proxy that cannot be run here: what it asks, as its source builds the question, and what it makes of an answer. */
export interface RecordedProxy {
  readonly door: 'traefik' | 'envoy';
  question(request: CallerRequest): Question;
  /** `forwarded` with the fields set on the request, or what the caller gets. */
  outcome(answer: RawResponse): Outcome;
}

export type Outcome =
  | { readonly forwarded: Readonly<Record<string, string>> }
  | { readonly status: number; readonly fields: RawResponse['fields']; readonly body: string };

const caller = '203.0.113.7';
const identityFields = [
  'x-auth-request-user',
  'x-auth-request-scopes',
  'x-auth-request-method',
  'x-auth-request-issuer',
  'x-tgefd-assertion',
  'x-request-id',
  'traceparent',
];

function copied(request: CallerRequest, names: readonly string[]) {
  return request.fields
    .filter(([name]) => names.includes(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}`);
}

function identityOf(answer: RawResponse) {
  return Object.fromEntries(identityFields.map((name) => [name, answer.field(name) ?? 'MISSING']));
}

/**
 * Traefik's forwardAuth with `authRequestHeaders: [Authorization, Traceparent]` and `trustForwardHeader: false` (pkg/middlewares/auth/
 * forward.go): a GET by Go's client, the caller's allowed fields, and five fields of its own. Any 2xx forwards.
 */
const traefik: RecordedProxy = {
  door: 'traefik',
  question: (request) => ({
    line: 'GET /_authorizer/check HTTP/1.1',
    fields: [
      'Host: authorizer.internal:8080',
      'User-Agent: Go-http-client/1.1',
      ...copied(request, ['authorization', 'traceparent']),
      `X-Forwarded-For: ${caller}`,
      'X-Forwarded-Host: api.example',
      `X-Forwarded-Method: ${request.method}`,
      'X-Forwarded-Proto: https',
      `X-Forwarded-Uri: ${request.target}`,
      'Accept-Encoding: gzip',
    ],
  }),
  outcome: (answer) =>
    answer.status >= 200 && answer.status < 300
      ? { forwarded: identityOf(answer) }
      : { status: answer.status, fields: answer.fields, body: answer.body },
};

/**
 * Envoy's ext_authz over HTTP as documented in docs/proxies (ext_authz_http_impl.cc and the asynchronous client): the caller's
 * method, the prefix before the path, Host of the caller, `content-length: 0`, the allowed fields, and the client's own.
 * Only 200 forwards; a 5xx is an outage, told as `status_on_error` without the body.
 */
const envoy: RecordedProxy = {
  door: 'envoy',
  question: (request) => ({
    line: `${request.method} /_authorizer/ext-authz${request.target} HTTP/1.1`,
    fields: [
      'host: api.example',
      'content-length: 0',
      ...copied(request, ['authorization', 'traceparent']),
      `x-forwarded-for: ${caller},127.0.0.1`,
      'x-forwarded-proto: https',
      'x-request-id: 4d3ee6a4-4b3e-4f1c-9c3e-2c6d5a1f0b6e',
      'x-envoy-internal: true',
      'x-envoy-expected-rq-timeout-ms: 200',
    ],
  }),
  outcome: (answer) => {
    if (answer.status === 200) return { forwarded: identityOf(answer) };
    if (answer.status >= 500) return { status: 503, fields: [], body: '' };
    return { status: answer.status, fields: answer.fields, body: answer.body };
  },
};

export const recordedProxies: readonly RecordedProxy[] = [traefik, envoy];

/** Puts a question to an authorizer on a loopback port, as the proxy would. */
export function ask(port: number, { line, fields }: Question): Promise<RawResponse> {
  return requestRaw(port, line, fields);
}
