/**
 * Where the verification keys of access tokens come from, as a port: what the checks of a token ask, and what a key set
 * answers. Types only.
 */
import type { RequestContext } from '../../decision/ports.ts';
import type { CredentialReason } from '../../decision/reason.ts';

/** A public key fit for one algorithm, imported once. The token cache compares its identity, not its contents. */
export interface VerificationKey {
  /** `kid` of the JWK (RFC 7517 §4.5), or null where it has none. */
  readonly keyId: string | null;
  /** The one `alg` (RFC 7518 §3.1) it was imported for. */
  readonly algorithm: string;
  readonly key: CryptoKey;
}

/** Why a set that is usable holds no key for this token. */
export type KeyRefusal = Extract<
  CredentialReason,
  { reason: 'token_key_unknown' | 'token_key_ambiguous' | 'token_key_unfit' }
>;

export type KeyAnswer =
  /** The same JWK gives the same object across refreshes. `stale`: the set is past its lifetime and the issuer is down. */
  | { readonly found: 'key'; readonly key: VerificationKey; readonly stale: boolean }
  | { readonly found: 'none'; readonly reason: KeyRefusal }
  /** Nothing usable: our outage, never the caller's fault. */
  | { readonly found: 'unavailable'; readonly retryAfterSeconds: number };

/** What a token names its key by. `issuer` is the token's unverified `iss`, null where no issuer is configured. */
export interface KeyQuery {
  readonly issuer: string | null;
  /** `kid` of the token's header, or null: then only a set with exactly one suitable key answers. */
  readonly keyId: string | null;
  /** `alg` of the token's header, already found in the allow-list. */
  readonly algorithm: string;
}

export interface KeySets {
  /**
   * The key that a token names. Synchronous when a fresh set answers. Never throws and never rejects: an outage is an
   * answer. With `mayFetch` false (the address is throttled) an unknown `kid` never causes a fetch.
   */
  find(query: KeyQuery, context: RequestContext, mayFetch: boolean): KeyAnswer | Promise<KeyAnswer>;
}
