import type { Config } from '../../config/load.ts';
import type { Decision } from '../../decision/outcome.ts';
import type { Reason } from '../../decision/reason.ts';
import { certificateFacts, type DenialFacts, messageFacts, proofFacts } from './token-facts.ts';

export type { DenialFacts };

const LONGEST = 80;

/**
 * Completes what the steps of a decision told about a denial. Values are the caller's own text: escape them before
 * printing. Never holds a signature or a secret.
 *
 * @param denial - why the request is denied.
 * @param told - what the refusing step told, if anything.
 * @param decision - the decision.
 * @param config - the configuration that decided.
 * @returns all three facts, each at most 80 characters long.
 * @example
 * denialFacts({ reason: 'transport_insecure' }, {}, decision, config).set_by; // 'TGEFD_REQUIRE_TLS'
 */
export function denialFacts(
  denial: Reason,
  told: Partial<DenialFacts>,
  decision: Decision,
  config: Config,
): DenialFacts {
  const general = generalFacts(denial, decision, config);
  return {
    found: cut(told.found ?? general.found),
    wanted: cut(told.wanted ?? general.wanted),
    set_by: cut(told.set_by ?? general.set_by),
  };
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function facts(found: string, wanted: string, set_by: string): DenialFacts {
  return { found, wanted, set_by };
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of every reason, which the compiler holds complete
function generalFacts(denial: Reason, decision: Decision, { settings, ways }: Config): DenialFacts {
  const credential = ways.map((way) => credentialNames[way]).join(' or ');
  switch (denial.reason) {
    case 'credentials_missing':
      return facts('nothing', credential, 'TGEFD_AUTH_MODE');
    case 'credentials_duplicated':
      return facts('several credentials', 'exactly one', 'the request');
    case 'credentials_oversized':
      return facts('a longer credential', `at most ${settings.jwtMaximumBytes} bytes`, 'TGEFD_JWT_MAX_BYTES');
    case 'api_key_unknown':
      return facts('another key', 'a configured key', 'TGEFD_API_KEY');
    case 'token_certificate_mismatch':
      return facts('another certificate, or none', 'the one of cnf.x5t#S256', 'the issuer');
    case 'certificate_malformed':
    case 'certificate_unverified':
    case 'certificate_expired':
    case 'certificate_unnamed':
      return certificateFacts(denial.reason, decision.boundary.trustedHop);
    case 'certificate_unmapped':
      return facts('a certificate that no rule names', 'a rule that names it', 'TGEFD_MTLS_POLICY');
    case 'path_ambiguous':
      return facts(denial.problem, 'a path that every parser reads alike', 'the request');
    case 'host_invalid':
      return facts('no single valid host', 'one Host field', 'the request');
    case 'forwarded_invalid':
      return facts(denial.field, 'fields that agree with each other', 'TGEFD_TRUSTED_PROXIES');
    case 'ingress_proof_invalid':
      return facts(denial.problem, 'a valid ingress proof', 'TGEFD_INGRESS_SECRET');
    case 'transport_insecure':
      return facts('plain HTTP', 'TLS', 'TGEFD_REQUIRE_TLS');
    case 'authentication_throttled':
      return facts('too many failures of this address', 'fewer', 'TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE');
    case 'token_inactive':
      return facts('a token that its issuer calls inactive', 'an active token', 'the issuer (introspection)');
    case 'credential_revoked':
      return facts(`a revoked ${denial.by}`, 'a credential that is not revoked', `a revocation (${denial.by})`);
    case 'scope_missing':
      return facts(decision.principal?.scopes.join(' ') || 'no scope', denial.scope, rowOf(decision));
    case 'endpoint_unknown':
      return facts(`${decision.method} ${decision.path ?? ''}`, 'a row of the table', 'TGEFD_ENDPOINTS');
    case 'method_unknown':
      return facts(decision.method, denial.allow.join(' or '), 'TGEFD_ENDPOINTS');
    case 'budget_exhausted':
      return facts(`no token left in ${denial.budget}`, 'one token', budgetVariables[denial.budget] ?? 'the plan');
    case 'body_too_large':
      return facts(
        'a longer body',
        `at most ${denial.limitBytes} bytes`,
        denial.limitBytes === settings.maximumBodyBytes ? 'TGEFD_MAX_BODY_BYTES' : `${rowOf(decision, 'mcp')}`,
      );
    case 'keys_unavailable':
      return facts('no usable key', 'a key set that can be read', 'TGEFD_JWKS_URL or TGEFD_ISSUERS');
    case 'revocation_unavailable':
    case 'limits_unavailable':
    case 'audit_unavailable':
      return facts('no answer of Redis', 'an answer in time', 'TGEFD_REDIS_URL');
    case 'upstream_unreachable':
    case 'upstream_timeout':
      return facts('no answer of the upstream', 'an answer in time', 'TGEFD_UPSTREAM_URL');
    case 'proof_invalid':
    case 'proof_nonce_needed':
    case 'proof_key_mismatch':
    case 'proof_replayed':
    case 'token_binding_refused':
      return proofFacts(denial, settings);
    case 'mcp_field_invalid':
    case 'mcp_body_invalid':
    case 'mcp_mismatch':
      return messageFacts(denial, rowOf(decision, 'mcp'));
    default:
      return facts(denial.reason, credential, 'TGEFD_AUTH_MODE');
  }
}

const credentialNames = {
  jwt: 'a token',
  mtls: 'a client certificate',
  api_key: 'an API key',
  none: 'nothing',
} as const;

const budgetVariables: Readonly<Record<string, string>> = {
  general: 'TGEFD_RATE_LIMIT_PER_MINUTE',
  heavy: 'TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE',
  address: 'TGEFD_RATE_LIMIT_PER_MINUTE',
};

function rowOf({ endpoint, method, pattern }: Decision, member = 'scope'): string {
  const row = endpoint?.pattern ?? pattern;
  return row === null ? 'TGEFD_ENDPOINTS' : `row ${endpoint?.method ?? method} ${row}, member ${member}`;
}
