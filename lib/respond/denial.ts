import type { AuthMethod } from '../decision/principal.ts';
import type { Code, Reason } from '../decision/reason.ts';

/** What a caller may learn of a denial's reason. Exhaustive: a new reason does not compile until it is placed here. */
export function codeOf(reason: Reason): Code {
  switch (reason.reason) {
    case 'path_ambiguous':
    case 'host_invalid':
    case 'forwarded_invalid':
    case 'ingress_proof_invalid':
    case 'credentials_duplicated':
    case 'credentials_oversized':
    case 'body_invalid':
    case 'body_unexpected':
      return 'request_invalid';
    case 'credentials_missing':
      return 'credentials_missing';
    case 'api_key_unknown':
    case 'token_malformed':
    case 'token_algorithm_refused':
    case 'token_header_refused':
    case 'token_issuer_unknown':
    case 'token_key_unknown':
    case 'token_key_ambiguous':
    case 'token_key_unfit':
    case 'token_signature_invalid':
    case 'token_claim_missing':
    case 'token_claim_invalid':
    case 'token_claim_refused':
    case 'token_expired':
    case 'token_not_yet_valid':
    case 'token_lifetime_too_long':
    case 'token_certificate_mismatch':
    case 'certificate_malformed':
    case 'certificate_unverified':
    case 'certificate_expired':
    case 'certificate_unnamed':
    case 'credential_revoked':
      return 'credentials_invalid';
    case 'transport_insecure':
      return 'insecure_transport';
    case 'scope_missing':
    case 'issuer_not_allowed':
    case 'claim_mismatch':
    case 'certificate_unmapped':
      return 'insufficient_scope';
    case 'endpoint_unknown':
      return 'endpoint_unknown';
    case 'method_unknown':
      return 'method_not_allowed';
    case 'authentication_throttled':
    case 'budget_exhausted':
    case 'too_many_requests_under_way':
      return 'rate_limited';
    case 'request_stalled':
      return 'request_timeout';
    case 'body_too_large':
      return 'body_too_large';
    case 'upstream_unreachable':
      return 'upstream_unreachable';
    case 'upstream_timeout':
      return 'upstream_timeout';
    case 'configuration_invalid':
      return 'configuration_invalid';
    case 'keys_unavailable':
      return 'keys_unavailable';
    case 'revocation_unavailable':
      return 'revocation_unavailable';
    case 'limits_unavailable':
      return 'limits_unavailable';
    case 'audit_unavailable':
      return 'audit_unavailable';
    case 'internal_error':
      return 'internal_error';
  }
}

interface Wire {
  readonly status: number;
  readonly title: string;
  /** The words of the service's own checks, which clients already know. */
  readonly detail: string;
}

const wire: Readonly<Record<Code, Wire>> = {
  request_invalid: { status: 400, title: 'Bad request', detail: 'bad request' },
  credentials_missing: { status: 401, title: 'Credentials required', detail: 'unauthorized' },
  credentials_invalid: { status: 401, title: 'Credentials not accepted', detail: 'unauthorized' },
  insufficient_scope: { status: 403, title: 'Insufficient scope', detail: 'forbidden' },
  insecure_transport: { status: 403, title: 'Secure transport required', detail: 'forbidden' },
  endpoint_unknown: { status: 404, title: 'Unknown endpoint', detail: 'not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed', detail: 'method not allowed' },
  request_timeout: { status: 408, title: 'Request timed out', detail: 'request timeout' },
  body_too_large: { status: 413, title: 'Request body too large', detail: 'request too large' },
  rate_limited: { status: 429, title: 'Too many requests', detail: 'too many requests' },
  upstream_unreachable: { status: 502, title: 'Upstream unreachable', detail: 'bad gateway' },
  upstream_timeout: { status: 504, title: 'Upstream timed out', detail: 'gateway timeout' },
  configuration_invalid: { status: 503, title: 'Configuration invalid', detail: 'service unavailable' },
  keys_unavailable: { status: 503, title: 'Verification keys unavailable', detail: 'service unavailable' },
  revocation_unavailable: { status: 503, title: 'Revocation status unavailable', detail: 'service unavailable' },
  limits_unavailable: { status: 503, title: 'Rate limits unavailable', detail: 'service unavailable' },
  audit_unavailable: { status: 503, title: 'Audit unavailable', detail: 'service unavailable' },
  internal_error: { status: 503, title: 'Internal error', detail: 'service unavailable' },
};

/** Every code that a denial may tell. */
export const codes = Object.keys(wire) as readonly Code[];

/** An answer ready for any door: the body is text, or null where there is none. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | null;
}

/** The status a denial is told with. */
export function statusOf(reason: Reason): number {
  return wire[codeOf(reason)].status;
}

const schemes: Readonly<Record<AuthMethod, string>> = {
  jwt: 'Bearer',
  api_key: 'ApiKey',
  mtls: 'ClientCertificate',
  none: 'Bearer',
};

/**
 * The `WWW-Authenticate` value of a denial, or null where none is due: on every 401 (RFC 9110 §15.5.2), without `error`
 * when nothing was sent (RFC 6750 §3.1), and on a missing scope. Never says which check of a credential failed.
 */
export function challengeOf(reason: Reason, authMethod: AuthMethod): string | null {
  const scheme = `${schemes[authMethod]} realm="tgefd"`;
  const code = codeOf(reason);
  if (code === 'credentials_missing') return scheme;
  if (code === 'credentials_invalid') return `${scheme}, error="invalid_token"`;
  if (reason.reason === 'scope_missing') return `${scheme}, error="insufficient_scope", scope="${reason.scope}"`;
  if (reason.reason === 'issuer_not_allowed' || reason.reason === 'claim_mismatch')
    return `${scheme}, error="insufficient_scope"`;
  return null;
}

function retryAfterOf(reason: Reason): number | null {
  if ('retryAfterSeconds' in reason) return reason.retryAfterSeconds;
  return wire[codeOf(reason)].status === 503 ? 5 : null;
}

const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

/**
 * The answer to a denied request: problem details (RFC 9457) with `code` and `request_id`, the challenge, `Allow`
 * (RFC 9110 §15.5.6), `Retry-After` in whole seconds. Holds nothing of the request but its id. `extra` fields (RateLimit,
 * CORS) are appended as they are.
 */
export function denialAnswer(
  reason: Reason,
  told: { readonly requestId: string; readonly authMethod: AuthMethod },
  extra: readonly (readonly [string, string])[] = [],
): Answer {
  const code = codeOf(reason);
  const { status, title, detail } = wire[code];
  const problem: Record<string, unknown> = {
    type: reason.reason === 'budget_exhausted' ? quotaExceeded : `urn:problem-type:tgefd:${code}`,
    title,
    status,
    detail,
    code,
    request_id: told.requestId,
  };
  if (reason.reason === 'scope_missing') problem.scope = reason.scope;
  if (reason.reason === 'budget_exhausted') problem['violated-policies'] = [reason.budget];

  const headers: (readonly [string, string])[] = [
    ['content-type', 'application/problem+json'],
    ['cache-control', 'no-store'],
    ['x-request-id', told.requestId],
  ];
  const challenge = challengeOf(reason, told.authMethod);
  if (challenge) headers.push(['www-authenticate', challenge]);
  if (reason.reason === 'method_unknown') headers.push(['allow', reason.allow.join(', ')]);
  const retryAfter = retryAfterOf(reason);
  if (retryAfter !== null) headers.push(['retry-after', String(Math.max(1, Math.ceil(retryAfter)))]);
  return { status, headers: [...headers, ...extra], body: JSON.stringify(problem) };
}
