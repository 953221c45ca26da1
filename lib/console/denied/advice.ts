/** What an operator does next about a denial, by its reason; short, since it stands in a table. */
const BY_REASON: Readonly<Record<string, string>> = {
  credentials_missing: 'The caller sends no credential: check its client, or the proxy that strips it.',
  token_expired: 'The caller must fetch a new token. Many callers at once: compare clocks.',
  token_not_yet_valid: 'Compare the clocks of issuer and authorizer.',
  token_issuer_unknown: 'Add the issuer, or send the caller to the right one.',
  token_key_unknown: 'New signing key? Health shows the age of the key set.',
  token_signature_invalid: 'Wrong key or a forged token. Many from one address: look at it.',
  token_algorithm_refused: 'Allow the algorithm for this issuer, if it is meant to sign with it.',
  token_claim_invalid: 'Compare the claim with the setting: Why shows both.',
  token_claim_missing: 'The issuer leaves out a claim: Why shows which.',
  token_lifetime_too_long: 'Shorten tokens at the issuer, or raise TGEFD_JWT_MAX_TTL_SEC.',
  scope_missing: 'Grant the scope to the caller, or change the row.',
  claim_mismatch: 'The row demands another claim value.',
  issuer_not_allowed: 'The row takes tokens of other issuers.',
  step_up_needed: 'The caller must sign in again, more strongly.',
  credential_revoked: 'Revoked on purpose: the screen Revoke lists it.',
  budget_exhausted: 'The caller asks too often: grant more (limits grant, on the command line), or let it be.',
  authentication_throttled: 'Many failures from one address: look at what runs there.',
  endpoint_unknown: 'No row names the path: add one, or correct the caller.',
  method_unknown: 'Correct the caller’s method, or add a row for it.',
  path_ambiguous: 'The path could mean two things: correct the caller.',
  body_too_large: 'Send less, or raise TGEFD_MAX_BODY_BYTES.',
  keys_unavailable: 'Our outage: the issuer’s keys cannot be read. See Health.',
  revocation_unavailable: 'Our outage: the store does not answer. See Health.',
  limits_unavailable: 'Our outage: the store does not answer. See Health.',
  audit_unavailable: 'Our outage: records cannot be stored. See Health.',
  configuration_invalid: 'Our outage: the configuration is invalid.',
  internal_error: 'A bug of ours: look for decision_failed in the log.',
  upstream_unreachable: 'The service behind is down.',
  upstream_timeout: 'The service behind is slow.',
};

/** The next step about a denial. */
export function adviceFor(reason: string): string {
  return BY_REASON[reason] ?? 'Why decides such a request again, step by step.';
}

/** Whether a denial is our outage, and never the caller's fault. */
export function isOurs(status: number | null): boolean {
  return status !== null && status >= 500;
}
