import type { Code, Reason } from '../decision/reason.ts';

/** What a caller may learn of a denial's reason. Exhaustive: a new reason does not compile until it is placed here. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of every reason, which the compiler holds complete
export function codeOf(reason: Reason): Code {
  switch (reason.reason) {
    case 'path_ambiguous':
    case 'host_invalid':
    case 'forwarded_invalid':
    case 'ingress_proof_invalid':
    case 'credentials_duplicated':
    case 'credentials_oversized':
    case 'body_invalid':
    case 'mcp_field_invalid':
    case 'mcp_body_invalid':
    case 'mcp_mismatch':
    case 'event_refused':
    case 'body_unexpected':
      return 'request_invalid';
    case 'credentials_missing':
      return 'credentials_missing';
    case 'api_key_unknown':
    case 'token_malformed':
    case 'token_algorithm_refused':
    case 'token_header_refused':
    case 'token_issuer_unknown':
    case 'token_inactive':
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
    case 'proof_invalid':
    case 'proof_nonce_needed':
    case 'proof_key_mismatch':
    case 'proof_replayed':
    case 'token_binding_refused':
    case 'certificate_malformed':
    case 'certificate_unverified':
    case 'certificate_expired':
    case 'certificate_unnamed':
    case 'credential_revoked':
      return 'credentials_invalid';
    case 'step_up_needed':
      return 'step_up_required';
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
