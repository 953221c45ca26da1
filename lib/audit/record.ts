import type { Decision } from '../decision/outcome.ts';
import type { Code, Reason } from '../decision/reason.ts';
import type { AuditRecord, EventRecord } from './schema.ts';
import { RECORD_VERSION } from './version.ts';

/** What a record says besides the decision; all of it worked out by the caller before the record is built. */
export interface RecordFacts {
  /** Pseudonym of the verified caller, or null. */
  readonly identity: string | null;
  /** Pseudonym of the caller's address, or null. */
  readonly clientAddress: string | null;
  /** Status of the decision: 200 for what was allowed. */
  readonly status: number | null;
  /** What the caller may learn of a denial; null when allowed. */
  readonly code: Code | null;
  /** Hash of the rules that decided. */
  readonly policy: string | null;
  /** Code that decided. */
  readonly build: string;
  /** What the shadow table would have decided, where that is something else. */
  readonly shadow: { readonly outcome: 'allowed' | 'denied'; readonly code: Code | null } | null;
  /** What a security event said and did; left out of every other decision. */
  readonly event?: EventRecord | undefined;
}

/**
 * Builds the one record of a decision from an allow-list of its facts: nothing that is not named here can reach a record.
 * Takes pseudonyms, never raw identities; leaves out path, query, header fields, issuer, subject, scopes and token ids.
 * Text that others chose (a key id, a request id, a method) is held to printable ASCII of bounded length, so that a record
 * is always one line (ASVS 16.4.1).
 */
export function auditRecord(decision: Decision, facts: RecordFacts): AuditRecord {
  const { principal, endpoint, wouldDeny } = decision;
  const denial = decision.denial ?? wouldDeny;
  return {
    type: 'audit',
    version: RECORD_VERSION,
    id: decision.id,
    request_id: decision.boundary.requestId,
    ts: new Date(decision.atMs).toISOString(),
    door: decision.door,
    identity: facts.identity,
    auth_method: decision.authMethod,
    action: endpoint === null ? null : printable(endpoint.action),
    method: knownMethod(decision),
    pattern: decision.pattern === null ? null : printable(decision.pattern),
    outcome: wouldDeny !== null ? 'would_deny' : denial === null ? 'allowed' : 'denied',
    status: facts.status,
    code: facts.code,
    reason: denial === null ? null : denial.reason,
    reason_detail: denial === null ? null : detailOf(denial),
    budgets: decision.budgets.map(({ name, remaining }) => ({ name, remaining })),
    degraded: [...decision.degraded],
    latency_ms: Math.round(decision.latencyMs * 1000) / 1000,
    client_address: facts.clientAddress,
    key_id: principal === null || principal.keyId === null ? null : printable(principal.keyId),
    policy: facts.policy,
    build: printable(facts.build),
    ...(facts.shadow === null ? {} : { shadow: facts.shadow }),
    ...(facts.event === undefined ? {} : { event: facts.event }),
  };
}

const standardMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'TRACE']);

/** A method that HTTP or the endpoint table knows; any other token is the caller's own text. */
function knownMethod({ method, endpoint }: Decision): string {
  return standardMethods.has(method) || method === endpoint?.method ? method : 'other';
}

const PRINTABLE_MAX_CHARACTERS = 256;
const isPrintable = /^[\x20-\x7e]{0,256}$/;

function printable(text: string): string {
  return isPrintable.test(text) ? text : text.slice(0, PRINTABLE_MAX_CHARACTERS).replace(/[^\x20-\x7e]/g, '?');
}

/** The one fact that goes with a reason. Exhaustive: a new reason does not compile until it is placed here. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of every reason, which the compiler holds complete
function detailOf(reason: Reason): string | null {
  switch (reason.reason) {
    case 'token_malformed':
      return reason.part;
    case 'token_header_refused':
      return reason.parameter;
    case 'token_key_unfit':
      return reason.check;
    case 'proof_invalid':
      return reason.check;
    case 'token_binding_refused':
      return reason.sent;
    case 'token_claim_missing':
    case 'token_claim_invalid':
      return reason.claim;
    case 'token_claim_refused':
      return printable(reason.path);
    case 'token_expired':
      return `${reason.secondsAgo} s ago`;
    case 'token_not_yet_valid':
      return `${reason.claim} ${reason.secondsAhead} s ahead`;
    case 'token_lifetime_too_long':
      return `${reason.lifetimeSeconds} s, at most ${reason.maximumSeconds} s`;
    case 'path_ambiguous':
    case 'ingress_proof_invalid':
    case 'mcp_body_invalid':
      return reason.problem;
    case 'mcp_field_invalid':
      return `${reason.field} ${reason.problem}`;
    case 'mcp_mismatch':
      return reason.field;
    case 'forwarded_invalid':
      return printable(reason.field);
    case 'credential_revoked':
      return reason.by;
    case 'scope_missing':
      return printable(reason.scope);
    case 'claim_mismatch':
      return printable(reason.claim);
    case 'step_up_needed':
      return printable(reason.acr.join(' ')) || `at most ${reason.maximumAgeSeconds} s`;
    case 'budget_exhausted':
      return printable(reason.budget);
    case 'event_refused':
      return printable(`${reason.error}: ${reason.check}`);
    case 'body_too_large':
      return `at most ${reason.limitBytes} bytes`;
    case 'credentials_missing':
    case 'credentials_duplicated':
    case 'credentials_oversized':
    case 'api_key_unknown':
    case 'token_algorithm_refused':
    case 'token_issuer_unknown':
    case 'token_inactive':
    case 'token_key_unknown':
    case 'token_key_ambiguous':
    case 'token_signature_invalid':
    case 'token_certificate_mismatch':
    case 'proof_nonce_needed':
    case 'proof_key_mismatch':
    case 'proof_replayed':
    case 'certificate_malformed':
    case 'certificate_unverified':
    case 'certificate_expired':
    case 'certificate_unnamed':
    case 'certificate_unmapped':
    case 'host_invalid':
    case 'transport_insecure':
    case 'authentication_throttled':
    case 'issuer_not_allowed':
    case 'endpoint_unknown':
    case 'method_unknown':
    case 'body_invalid':
    case 'body_unexpected':
    case 'request_stalled':
    case 'too_many_requests_under_way':
    case 'configuration_invalid':
    case 'keys_unavailable':
    case 'revocation_unavailable':
    case 'limits_unavailable':
    case 'audit_unavailable':
    case 'upstream_unreachable':
    case 'upstream_timeout':
    case 'internal_error':
      return null;
  }
}
