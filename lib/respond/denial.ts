import type { Decision } from '../decision/outcome.ts';
import type { Code, Reason } from '../decision/reason.ts';
import { type ChallengeFacts, challengeOf } from './challenge.ts';
import { codeOf } from './code.ts';
import { messageError } from './message-error.ts';

export { challengeOf, codeOf };

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
  step_up_required: { status: 401, title: 'Further authentication required', detail: 'unauthorized' },
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

/** What an answer needs to know beside its reason. */
export interface Told extends ChallengeFacts {
  readonly requestId: string;
}

/** The same of a decision, whatever the way in. */
export function toldOf(decision: Decision): Told {
  const { boundary, authMethod, challenge, byProof, endpoint } = decision;
  return { requestId: boundary.requestId, authMethod, challenge, byProof, scope: endpoint?.scope ?? null };
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
export function denialAnswer(reason: Reason, told: Told, extra: readonly (readonly [string, string])[] = []): Answer {
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
  if (reason.reason.startsWith('mcp_') || reason.reason === 'endpoint_unknown')
    Object.assign(problem, messageError(reason));
  if (reason.reason === 'scope_missing') problem.scope = reason.scope;
  if (reason.reason === 'budget_exhausted') problem['violated-policies'] = [reason.budget];

  const headers: (readonly [string, string])[] = [
    ['content-type', 'application/problem+json'],
    ['cache-control', 'no-store'],
    ['x-request-id', told.requestId],
  ];
  const challenge = challengeOf(reason, told);
  if (challenge) headers.push(['www-authenticate', challenge]);
  if ('nonce' in reason && reason.nonce !== null) headers.push(['dpop-nonce', reason.nonce]);
  if (reason.reason === 'method_unknown') headers.push(['allow', reason.allow.join(', ')]);
  const retryAfter = retryAfterOf(reason);
  if (retryAfter !== null) headers.push(['retry-after', String(Math.max(1, Math.ceil(retryAfter)))]);
  return { status, headers: [...headers, ...extra], body: JSON.stringify(problem) };
}
