/**
 * The vocabulary of the house: what goes into a decision, what comes out of it, and the ports the decision stands on.
 * Types only; every room may import this file and no other room.
 */

/** The way in that a request took. The record and `explain` name it; the decision itself never depends on it. */
export type Door =
  | 'gateway'
  | 'nginx'
  | 'traefik'
  | 'caddy'
  | 'envoy'
  | 'lambda_rest_token'
  | 'lambda_rest_request'
  | 'lambda_http_1'
  | 'lambda_http_2';

/**
 * Header fields of one message. `get` takes a name in any letter case; a field sent more than once is one value joined
 * by `, ` in order of arrival (RFC 9110 §5.3). An adapter must never drop a repetition: the boundary looks for them.
 * The web `Headers` is one.
 */
export interface HeaderFields {
  get(name: string): string | null;
  [Symbol.iterator](): Iterator<[string, string]>;
}

/** What the platform itself vouches for about the connection a request came in on; nothing here was read from a header
 * that a caller can set. */
export interface Hop {
  /** Address of the peer (a socket's, or one that the platform guarantees), or null where there is none. */
  readonly peerAddress: string | null;
  /** Whether that connection was TLS; null where the platform does not tell. */
  readonly secure: boolean | null;
  /** A client certificate that the platform has verified itself. */
  readonly certificate: ClientCertificate | null;
  /** Why a certificate that the caller did present does not count; `certificate` is null then. */
  readonly certificateRefusal?: CredentialReason;
}

/** One request as a door received it, before anything about it is believed. */
export interface AccessRequest {
  readonly door: Door;
  /** Method token as received (RFC 9110 §9.1: case-sensitive). */
  readonly method: string;
  /** Request target in origin form, raw: path and query exactly as received. */
  readonly target: string;
  readonly headers: HeaderFields;
  readonly hop: Hop;
  /** Set by a door that could not make out what it is asked about: the decision is then this denial. */
  readonly refused?: Reason;
}

/** What the trust boundary made of a request: what may be believed about where it comes from. */
export interface Boundary {
  /** The message was spoken by a trusted proxy or carries a valid ingress proof. */
  readonly trustedHop: boolean;
  /** The header fields that may be believed for identity, certificates and forwarding: all of them behind a hop trusted
   * by its address, the signed ones behind an ingress proof, none otherwise. */
  readonly believed: HeaderFields;
  /** The caller's address in canonical text, or null. */
  readonly clientAddress: string | null;
  /** The address as a budget sees it: IPv4 whole, IPv6 by /64; null when there is no address. */
  readonly addressPartition: string | null;
  /** Whether the caller's own connection was TLS, as far as a believed hop tells; null when unknown. */
  readonly secure: boolean | null;
  /** Authority the caller asked for (Host, or the believed forwarded host), or null. */
  readonly host: string | null;
  readonly requestId: string;
  /** W3C trace context for the upstream: the caller's trace id, or a new one, our own span id, and whether the trace is
   * kept. */
  readonly traceparent: string;
  /** The caller's span in that trace; null where the trace is new. */
  readonly parentSpanId: string | null;
  /** The caller as named by a trusted ingress in `TGEFD_IDENTITY_HEADER`, or null. */
  readonly ingressIdentity: string | null;
}

export type BudgetClass = 'heavy' | 'read' | 'none';

/** A row of the endpoint table. */
export interface Endpoint {
  /** What the record calls it. */
  readonly action: string;
  readonly method: string;
  /** Path pattern; `{name}` stands for one non-empty segment. */
  readonly pattern: string;
  /** Scope that a caller must hold; null: any authenticated caller. */
  readonly scope: string | null;
  readonly budget: BudgetClass;
  /** Our own administrative endpoint: never forwarded, its scope is demanded even where `TGEFD_RBAC_ENABLED` is false. */
  readonly own: boolean;
}

/** What the endpoint table answers for a method and a canonical path. */
export type Route =
  | { readonly found: 'endpoint'; readonly endpoint: Endpoint }
  | {
      readonly found: 'other_methods';
      readonly allow: readonly string[];
      readonly pattern: string;
      /** As `Endpoint.own`. */
      readonly own: boolean;
    }
  | { readonly found: 'nothing' };

export type AuthMethod = 'api_key' | 'jwt' | 'mtls' | 'none';

/** A client certificate whose chain somebody we trust has verified. */
export interface ClientCertificate {
  /** Distinguished name as the source writes it (RFC 4514 or OpenSSL form); empty where the source gives none. */
  readonly subject: string;
  /** Subject alternative names, each `URI:…`, `DNS:…` or `email:…`. */
  readonly subjectAltNames: readonly string[];
  /** SHA-256 of the DER in base64url (RFC 8705 `x5t#S256`), or null where the source does not give the certificate. */
  readonly thumbprint: string | null;
  /** Validity limits in epoch seconds, where known. */
  readonly notBeforeSeconds: number | null;
  readonly notAfterSeconds: number | null;
}

/** The authenticated caller. `subject` is a raw identity: it goes upstream and nowhere else. */
export interface Principal {
  readonly method: AuthMethod;
  readonly subject: string;
  readonly issuer: string | null;
  /** Scopes granted, roles already mapped; `*` stands for every endpoint scope. */
  readonly scopes: readonly string[];
  /** Roles by which scopes came, lower case; empty when scopes were explicit. */
  readonly roles: readonly string[];
  /** Key that vouched for the caller: `kid`, API key id or certificate thumbprint. */
  readonly keyId: string | null;
  readonly tokenId: string | null;
  readonly issuedAtSeconds: number | null;
  readonly expiresAtSeconds: number | null;
  /** Thumbprint of the certificate the caller presented, whatever the method. */
  readonly thumbprint: string | null;
}

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

/** Everything that can be wrong with a credential. Told to the operator only. */
export type CredentialReason =
  | { readonly reason: 'credentials_missing' }
  | { readonly reason: 'credentials_duplicated' }
  | { readonly reason: 'credentials_oversized' }
  | { readonly reason: 'api_key_unknown' }
  | { readonly reason: 'token_malformed'; readonly part: 'shape' | 'header' | 'claims' | 'signature' }
  | { readonly reason: 'token_algorithm_refused' }
  | { readonly reason: 'token_header_refused'; readonly parameter: 'crit' | 'b64' | 'typ' | 'kid' }
  | { readonly reason: 'token_issuer_unknown' }
  | { readonly reason: 'token_key_unknown' }
  | { readonly reason: 'token_key_ambiguous' }
  | { readonly reason: 'token_key_unfit'; readonly check: KeyCheck }
  | { readonly reason: 'token_signature_invalid' }
  | { readonly reason: 'token_claim_missing'; readonly claim: ClaimName }
  | { readonly reason: 'token_claim_invalid'; readonly claim: ClaimName }
  | { readonly reason: 'token_expired'; readonly secondsAgo: number }
  | { readonly reason: 'token_not_yet_valid'; readonly claim: 'nbf' | 'iat'; readonly secondsAhead: number }
  | { readonly reason: 'token_lifetime_too_long'; readonly lifetimeSeconds: number; readonly maximumSeconds: number }
  | { readonly reason: 'token_certificate_mismatch' }
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

export type ClaimName = 'iss' | 'aud' | 'exp' | 'nbf' | 'iat' | 'jti' | 'sub' | 'scope' | 'role' | 'cnf';

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
  | { readonly reason: 'scope_missing'; readonly scope: string }
  | { readonly reason: 'endpoint_unknown' }
  | { readonly reason: 'method_unknown'; readonly allow: readonly string[] }
  | { readonly reason: 'budget_exhausted'; readonly budget: string; readonly retryAfterSeconds: number }
  | { readonly reason: 'body_too_large'; readonly limitBytes: number }
  /** The body of a request to one of our own endpoints says nothing that we understand. */
  | { readonly reason: 'body_invalid' }
  | { readonly reason: 'configuration_invalid' }
  | { readonly reason: 'keys_unavailable'; readonly retryAfterSeconds: number }
  | { readonly reason: 'revocation_unavailable'; readonly retryAfterSeconds: number }
  | { readonly reason: 'limits_unavailable'; readonly retryAfterSeconds: number }
  | { readonly reason: 'audit_unavailable'; readonly retryAfterSeconds: number }
  | { readonly reason: 'upstream_unreachable' }
  | { readonly reason: 'upstream_timeout' }
  | { readonly reason: 'internal_error' };

/** What a caller may learn of a denial. */
export type Code =
  | 'request_invalid'
  | 'credentials_missing'
  | 'credentials_invalid'
  | 'insufficient_scope'
  | 'insecure_transport'
  | 'endpoint_unknown'
  | 'method_not_allowed'
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

/** What a verified credential may do, roles already mapped. */
export interface Grant {
  readonly scopes: readonly string[];
  /** Roles by which the scopes came, lower case; empty when scopes were explicit. */
  readonly roles: readonly string[];
}

/** What authentication makes of a request. `unavailable` is our outage, never the caller's fault. */
export type Authentication =
  | {
      readonly outcome: 'authenticated';
      readonly principal: Principal;
      /** `keys_stale` when the key came from a set past its lifetime, else empty. */
      readonly degraded: readonly Degradation[];
    }
  | { readonly outcome: 'refused'; readonly reason: CredentialReason }
  | { readonly outcome: 'unavailable'; readonly reason: 'keys_unavailable'; readonly retryAfterSeconds: number };

/** One quota of one principal: a token bucket of `burst` tokens that refills at `perMinute`. */
export interface Budget {
  /** `general`, `heavy` or `address`: what the RateLimit fields and the record call it. */
  readonly name: string;
  readonly perMinute: number;
  readonly burst: number;
  /** What decides while the shared store does not answer. */
  readonly onError: 'local' | 'closed' | 'open';
}

/** A budget after a decision. */
export interface BudgetState {
  readonly name: string;
  readonly perMinute: number;
  readonly burst: number;
  /** Whole tokens left. */
  readonly remaining: number;
  /** Whole seconds until it is full again, or, when exhausted, until one more request passes; at least 1. */
  readonly resetSeconds: number;
}

/** What a revocation can name about a credential. */
export interface RevocationHandles {
  readonly tokenId: string | null;
  readonly subject: string | null;
  readonly issuedAtSeconds: number | null;
  /** `kid` of a token. */
  readonly keyId: string | null;
  readonly thumbprint: string | null;
  readonly apiKeyId: string | null;
}

export interface AdmissionQuestion {
  /** Whose budgets: a pseudonym, never a raw identity; null when no budget applies. */
  readonly partition: string | null;
  /** Budgets to spend one token from: all of them, or none. Empty when no budget applies. */
  readonly budgets: readonly Budget[];
  /** What to look up among the revocations; null when the caller presented no credential. */
  readonly revocation: RevocationHandles | null;
}

/** A guarantee that was weaker than usual for this one decision, told in its record. */
export type Degradation = 'limits_local' | 'limits_open' | 'revocation_open' | 'keys_stale' | 'audit_direct';

export type AdmissionAnswer =
  | {
      readonly outcome: 'admitted';
      readonly budgets: readonly BudgetState[];
      readonly degraded: readonly Degradation[];
    }
  | { readonly outcome: 'revoked'; readonly by: RevocationKind }
  | {
      readonly outcome: 'exhausted';
      /** The budget that refused. */
      readonly budget: string;
      readonly budgets: readonly BudgetState[];
      readonly retryAfterSeconds: number;
      readonly degraded: readonly Degradation[];
    }
  | { readonly outcome: 'unavailable'; readonly what: 'revocation' | 'limits'; readonly retryAfterSeconds: number };

/**
 * Step 5 as one port: is the credential revoked, and do all budgets have a token left? At most one trip to a shared
 * store. A revoked credential spends nothing; a request that one budget refuses spends from none. Answers without a
 * promise when nothing had to be asked. Never throws: an outage is an answer.
 */
export interface Admission {
  admit(question: AdmissionQuestion, context: RequestContext): AdmissionAnswer | Promise<AdmissionAnswer>;
}

/** What was decided, and everything the record, the answer and the upstream need to know of it. */
export interface Decision {
  readonly id: string;
  /** When the decision began, epoch milliseconds. */
  readonly atMs: number;
  readonly latencyMs: number;
  readonly door: Door;
  readonly method: string;
  /** The canonical path that was matched and is forwarded, or null where the path was refused. */
  readonly path: string | null;
  /** Query including `?`, or an empty string. Goes upstream, never into a record. */
  readonly query: string;
  readonly endpoint: Endpoint | null;
  /** Pattern of the row that matched the path, also where the method did not match. */
  readonly pattern: string | null;
  readonly boundary: Boundary;
  readonly authMethod: AuthMethod;
  readonly principal: Principal | null;
  readonly denial: Reason | null;
  readonly budgets: readonly BudgetState[];
  readonly degraded: readonly Degradation[];
}

/** What a decision may use of the request it belongs to. On Workers a promise belongs to its request: nothing here may be
 * kept in module scope. */
export interface RequestContext {
  /** Let a promise finish after the answer has left (`waitUntil`). */
  defer(promise: Promise<unknown>): void;
  /** Present only where somebody asked how a decision comes about (the CLI's `explain`). */
  readonly explain?: Explain;
}

/**
 * Told at each step of a decision what was found, in the contract's order. Nothing secret is ever told (no token, no
 * signature, no key), but facts may hold text that the caller chose (`kid`, `iss`): escape it before printing.
 */
export type Explain = (
  step: string,
  finding: string,
  facts?: Readonly<Record<string, string | number | boolean | null>>,
) => void;

/** The steps of a decision whose time is taken. */
export type Stage = 'boundary' | 'authenticate' | 'admit' | 'record';

/** Who looks on at one decision, for metrics and traces. Must not throw. */
export interface Watch {
  /** A stage has just ended; it began where the one before it did. */
  mark(stage: Stage): void;
  /** The decision stands; how its record fared is known later. */
  decided(decision: Decision, recorded: Promise<'recorded' | 'unavailable'> | null, context: RequestContext): void;
  /** The answer's status is known, after the upstream's where it was asked (`upstreamMs`: until its answer began). */
  answered(decision: Decision, status: number, upstreamMs: number | null, context: RequestContext): void;
}

/** Secrets that callers or we present while two values of them are accepted. */
export type CredentialKind = 'jwt_secret' | 'api_key' | 'ingress_secret' | 'redis_token';

/** Told which of two accepted values was used, so that it can be seen when nobody uses the old one any more. */
export type CredentialUsed = (kind: CredentialKind, slot: 'current' | 'previous') => void;

/** Milliseconds since the epoch. Handed in; lib never reads a clock itself. */
export type Clock = () => number;

/** A fresh, unguessable, time-ordered identifier of `[A-Za-z0-9._-]{1,128}`. */
export type NewId = () => string;

/** Where operational events go, one JSON line each. Facts hold no credential, no raw identity and no caller's text. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  event: string,
  facts?: Readonly<Record<string, string | number | boolean | null>>,
) => void;

/** The part of `fetch` that lib uses. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;
