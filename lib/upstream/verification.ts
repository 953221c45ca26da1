/** The header field that carries the assertion. */
export const ASSERTION_FIELD = 'x-tgefd-assertion';

/** How a caller proved who they are to the authorizer. */
export const AUTH_METHODS = ['jwt', 'mtls', 'api_key', 'none'] as const;

/** Who calls, as the authorizer decided about exactly this request. */
export interface Caller {
  readonly subject: string;
  /** Issuer of the caller's token; null where there is none. */
  readonly idp: string | null;
  /** Claims that the authorizer forwards (`TGEFD_FORWARD_CLAIMS`), by their path; empty where it forwards none. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Granted scopes; `*` stands for every endpoint scope. */
  readonly scopes: readonly string[];
  readonly authMethod: (typeof AUTH_METHODS)[number];
  /** Id of the decision, the same as in the audit record. */
  readonly decisionId: string;
  readonly expiresAtSeconds: number;
}

/** Why an assertion was refused: for your log, not for the caller. */
export type Refusal =
  | 'missing'
  | 'oversized'
  | 'malformed'
  | 'signature'
  | 'key_unknown'
  | 'type'
  | 'algorithm'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'lifetime'
  | 'claim'
  | 'method'
  | 'path'
  | 'replayed';

/** What verification makes of an assertion. `unavailable`: the key set could not be had; that is our outage, a 503. */
export type Verification =
  | { readonly outcome: 'verified'; readonly caller: Caller }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  | { readonly outcome: 'unavailable' };

/** The request that an assertion came with. */
export interface ReceivedRequest {
  readonly method: string;
  /** Raw path as received, without query. */
  readonly path: string;
}

/** Remembers which assertions were used. For several instances of a service it must be one shared store. */
export interface ReplayCache {
  /** True the first time a `jti` comes by; it may be forgotten after `untilSeconds` (epoch). */
  first(jti: string, untilSeconds: number): boolean | Promise<boolean>;
}
