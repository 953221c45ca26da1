/** Why a request is denied: the reasons for the operator, and the codes for the caller. Types only. */

/** Everything that can be wrong with a credential. Told to the operator only. */
export type CredentialReason =
  | { readonly reason: 'credentials_missing' }
  | { readonly reason: 'credentials_duplicated' }
  | { readonly reason: 'credentials_oversized' }
  | { readonly reason: 'api_key_unknown' }
  | { readonly reason: 'token_malformed'; readonly part: 'shape' | 'header' | 'claims' | 'signature' }
  | { readonly reason: 'token_algorithm_refused' }
  | { readonly reason: 'token_header_refused'; readonly parameter: 'crit' | 'b64' | 'enc' | 'zip' | 'typ' | 'kid' }
  | { readonly reason: 'token_issuer_unknown' }
  /** The issuer says that an opaque token is not active, or nobody asks it any more for this address. */
  | { readonly reason: 'token_inactive' }
  | { readonly reason: 'token_key_unknown' }
  | { readonly reason: 'token_key_ambiguous' }
  | { readonly reason: 'token_key_unfit'; readonly check: KeyCheck }
  | { readonly reason: 'token_signature_invalid' }
  | { readonly reason: 'token_claim_missing'; readonly claim: ClaimName }
  | { readonly reason: 'token_claim_invalid'; readonly claim: ClaimName }
  /** A claim that the configuration requires has another value, or is absent. */
  | { readonly reason: 'token_claim_refused'; readonly path: string }
  | { readonly reason: 'token_expired'; readonly secondsAgo: number }
  | { readonly reason: 'token_not_yet_valid'; readonly claim: 'nbf' | 'iat'; readonly secondsAhead: number }
  | { readonly reason: 'token_lifetime_too_long'; readonly lifetimeSeconds: number; readonly maximumSeconds: number }
  | { readonly reason: 'token_certificate_mismatch' }
  /** The proof of possession (RFC 9449) is not one of this request. `nonce`: one to use from now on, where nonces are on. */
  | { readonly reason: 'proof_invalid'; readonly check: ProofCheck; readonly nonce: string | null }
  | { readonly reason: 'proof_nonce_needed'; readonly nonce: string }
  /** The proof was made with another key than the one that the token is bound to. */
  | { readonly reason: 'proof_key_mismatch' }
  /** A bound token was sent as Bearer, or one that is not bound as DPoP, or an unbound one where binding is demanded. */
  | { readonly reason: 'token_binding_refused'; readonly sent: 'bearer' | 'dpop' }
  | { readonly reason: 'certificate_malformed' }
  | { readonly reason: 'certificate_unverified' }
  | { readonly reason: 'certificate_expired' }
  | { readonly reason: 'certificate_unnamed' }
  | { readonly reason: 'certificate_unmapped' }
  /** Two believed sources name different certificates. */
  | { readonly reason: 'forwarded_invalid'; readonly field: string };

/** What a JWK (RFC 7517 §4, RFC 7518 §6) fails at: `value` is a member that is missing or malformed, `private` one that no
 * public key has. */
export type KeyCheck = 'kty' | 'use' | 'key_ops' | 'alg' | 'size' | 'curve' | 'value' | 'private';

/** What a proof (RFC 9449 §4.3) fails at. */
export type ProofCheck =
  | 'missing'
  | 'duplicated'
  | 'shape'
  | 'typ'
  | 'alg'
  | 'crit'
  | 'jwk'
  | 'jti'
  | 'htm'
  | 'htu'
  | 'ath'
  | 'iat'
  | 'exp'
  | 'nbf'
  | 'signature';

export type ClaimName = 'iss' | 'aud' | 'exp' | 'nbf' | 'iat' | 'jti' | 'sub' | 'scope' | 'role' | 'cnf' | 'events';

export type RevocationKind = 'jti' | 'sub' | 'kid' | 'thumbprint' | 'key_id';

/** Why a request was denied, with the facts an operator needs; never a part of a credential. */
export type Reason =
  | CredentialReason
  | { readonly reason: 'path_ambiguous'; readonly problem: PathProblem }
  | { readonly reason: 'host_invalid' }
  | { readonly reason: 'forwarded_invalid'; readonly field: string }
  | { readonly reason: 'ingress_proof_invalid'; readonly problem: 'malformed' | 'expired' | 'mismatch' }
  | { readonly reason: 'transport_insecure' }
  | { readonly reason: 'authentication_throttled'; readonly retryAfterSeconds: number }
  | { readonly reason: 'credential_revoked'; readonly by: RevocationKind }
  | { readonly reason: 'proof_replayed' }
  /** `scope` lists every scope that the row names, separated by spaces. */
  | { readonly reason: 'scope_missing'; readonly scope: string }
  /** A valid token of an issuer that the row does not list. */
  | { readonly reason: 'issuer_not_allowed' }
  /** The row demands another or a more recent authentication than the token tells of (RFC 9470). */
  | { readonly reason: 'step_up_needed'; readonly acr: readonly string[]; readonly maximumAgeSeconds: number | null }
  /** A claim that the row demands does not hold. `claim` is the path that the row names, never a value. */
  | { readonly reason: 'claim_mismatch'; readonly claim: string }
  /** `unknown`: the part of a message of MCP that no row takes; left out where no message decides. */
  | { readonly reason: 'endpoint_unknown'; readonly unknown?: UnknownMessage }
  | { readonly reason: 'method_unknown'; readonly allow: readonly string[] }
  | { readonly reason: 'budget_exhausted'; readonly budget: string; readonly retryAfterSeconds: number }
  | { readonly reason: 'body_too_large'; readonly limitBytes: number }
  /** The body of a request to one of our own endpoints says nothing that we understand. */
  | { readonly reason: 'body_invalid' }
  /** A field of MCP that cannot be read; `supported`: the versions that are, where that is what is wrong. */
  | {
      readonly reason: 'mcp_field_invalid';
      readonly field: McpField;
      readonly problem: McpFieldProblem;
      readonly supported?: readonly string[];
    }
  /** The body is no message of MCP that every parser reads alike. */
  | { readonly reason: 'mcp_body_invalid'; readonly problem: McpBodyProblem }
  /** A field of MCP says something else than the body. */
  | { readonly reason: 'mcp_mismatch'; readonly field: McpField }
  /** A security event token that does not count: its error of RFC 8935, and what it fails at. */
  | { readonly reason: 'event_refused'; readonly error: string; readonly check: string }
  /** A method that carries no body came with one. */
  | { readonly reason: 'body_unexpected' }
  /** The caller began a request and then sent nothing more. */
  | { readonly reason: 'request_stalled' }
  | { readonly reason: 'too_many_requests_under_way'; readonly retryAfterSeconds: number }
  | { readonly reason: 'configuration_invalid' }
  /** Null: waiting mends nothing, the configuration must change. */
  | { readonly reason: 'keys_unavailable'; readonly retryAfterSeconds: number | null }
  | { readonly reason: 'revocation_unavailable'; readonly retryAfterSeconds: number }
  | { readonly reason: 'limits_unavailable'; readonly retryAfterSeconds: number }
  | { readonly reason: 'audit_unavailable'; readonly retryAfterSeconds: number }
  | { readonly reason: 'upstream_unreachable' }
  | { readonly reason: 'upstream_timeout' }
  | { readonly reason: 'internal_error' };

/** A method that no row of the path takes, or a name that none of the rows of its method does. */
export type UnknownMessage = 'method' | 'name';

/** The fields that MCP mirrors from the body (revision 2026-07-28, Streamable HTTP, “Request Metadata”). */
export type McpField = 'mcp-protocol-version' | 'mcp-method' | 'mcp-name';

/** `ambiguous`: a name with a dot segment, which a server may read as another name. */
export type McpFieldProblem = 'missing' | 'repeated' | 'too_long' | 'malformed' | 'ambiguous' | 'unsupported';

/** `encoding`: compressed, or in another charset than UTF-8; `json`: malformed, too deep, or a member twice. */
export type McpBodyProblem = 'encoding' | 'json' | 'message';

/** What a caller may learn of a denial. */
export type Code =
  | 'request_invalid'
  | 'credentials_missing'
  | 'credentials_invalid'
  | 'step_up_required'
  | 'insufficient_scope'
  | 'insecure_transport'
  | 'endpoint_unknown'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'body_too_large'
  | 'rate_limited'
  | 'upstream_unreachable'
  | 'upstream_timeout'
  | 'configuration_invalid'
  | 'keys_unavailable'
  | 'revocation_unavailable'
  | 'limits_unavailable'
  | 'audit_unavailable'
  | 'internal_error';

/** Part of a path that two parsers could read differently. */
export type PathProblem =
  | 'not_origin_form'
  | 'too_long'
  | 'fragment'
  | 'encoded_separator'
  | 'encoded_dot'
  | 'encoded_nul'
  | 'backslash'
  | 'dot_segment'
  | 'empty_segment'
  | 'control_character'
  | 'invalid_percent_encoding'
  | 'invalid_utf8'
  | 'path_parameter'
  | 'not_ascii'
  | 'invalid_character'
  | 'double_encoding'
  /** Fine in itself, but a proxy that asks would forward the caller's spelling instead of the canonical one. */
  | 'not_canonical';

/** A guarantee that was weaker than usual for this one decision, told in its record. */
export type Degradation = 'limits_local' | 'limits_open' | 'revocation_open' | 'keys_stale' | 'audit_direct';
