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
  /**
   * The keys to try: one where the `kid` is unique, at most four where a token names none or several. The same JWK gives
   * the same object across refreshes. `stale`: the set is past its lifetime and the issuer is down.
   */
  | {
      readonly found: 'keys';
      readonly keys: readonly VerificationKey[];
      /** Further keys fit too and are not tried. */
      readonly more: boolean;
      readonly stale: boolean;
    }
  | { readonly found: 'none'; readonly reason: KeyRefusal }
  /** Nothing usable: our outage, never the caller's fault. Null: waiting mends nothing, the configuration must change. */
  | { readonly found: 'unavailable'; readonly retryAfterSeconds: number | null };

/** What a token names its key by. Whose keys are asked was decided before, by its issuer. */
export interface KeyQuery {
  /** `kid` of the token's header, or null. */
  readonly keyId: string | null;
  /** `alg` of the token's header, already found in the allow-list. */
  readonly algorithm: string;
}

/** The keys of one issuer. */
export interface KeySets {
  /**
   * The keys that a token may be signed with. Synchronous when a fresh set answers. Never throws and never rejects: an outage is an
   * answer. With `mayFetch` false (the address is throttled) an unknown `kid` never causes a fetch.
   */
  find(query: KeyQuery, context: RequestContext, mayFetch: boolean): KeyAnswer | Promise<KeyAnswer>;
  /**
   * Asked once none of the keys verified the token: the issuer may have given an old `kid` to a new key. Fetches within the
   * same bounds as for an unknown `kid`; otherwise answers what is known.
   */
  findAgain(
    query: KeyQuery,
    tried: readonly VerificationKey[],
    context: RequestContext,
    mayFetch: boolean,
  ): KeyAnswer | Promise<KeyAnswer>;
}
