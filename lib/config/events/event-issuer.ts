import type { KeysFrom } from '../issuers/issuer.ts';

/** Members of a row of `TGEFD_EVENT_ISSUERS`. */
export type EventIssuerMember = 'issuer' | 'audience' | 'keys' | 'algorithms' | 'types' | 'subject_issuers';

/** One transmitter whose security events count, with nothing left out. */
export interface EventIssuer {
  /** Spellings of `iss` in its events; the first stands in records. */
  readonly spellings: readonly string[];
  /** Values of which `aud` must contain one. */
  readonly audiences: readonly string[];
  readonly keys: KeysFrom;
  /** Hosts besides the transmitter's own where discovery may find the key set. */
  readonly keySetHosts: readonly string[];
  readonly algorithms: readonly string[];
  /** `typ` values that count; `absent` for none. */
  readonly types: readonly string[];
  /** Issuers whose subjects and tokens it may revoke, each in the spelling that its tokens are known by. */
  readonly subjectIssuers: readonly string[];
  /** What sets each member: a place in the configuration. */
  readonly setBy: Readonly<Record<EventIssuerMember, string>>;
}
