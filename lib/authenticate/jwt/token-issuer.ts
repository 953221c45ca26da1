import type { ClaimPath } from '../../codec/claim-path.ts';
import type { ClaimTest } from '../../codec/claim-values.ts';
import { isJsonObject, type JsonObject, member } from '../../codec/strict-json.ts';
import type { Grant } from '../../decision/principal.ts';
import type { CredentialReason } from '../../decision/reason.ts';
import type { KeySets } from './keys.ts';

/** A claim that must have one of certain values. */
export interface Requirement {
  readonly path: ClaimPath;
  readonly test: ClaimTest;
}

/** How the claims of one issuer's tokens become scopes; handed in, since authorization is another room. */
export interface ClaimGrants {
  ofClaims(claims: Readonly<Record<string, unknown>>): Grant;
  /** Which roles of the claims grant nothing, and why; null where all do. For `explain`. */
  ignoredRoles(claims: Readonly<Record<string, unknown>>): { readonly roles: string; readonly why: string } | null;
}

/** What the claims of one issuer's tokens must say. */
export interface ClaimRules {
  /** Values of which `aud` must contain one; empty: no audience is demanded. */
  readonly audiences: readonly string[];
  /** Claim that stands in for an absent `aud`, or null. */
  readonly audienceClaim: ClaimPath | null;
  readonly clockSkewSeconds: number;
  /** Longest `exp - iat`, or null for no limit. */
  readonly maximumLifetimeSeconds: number | null;
  readonly required: readonly Requirement[];
  /** Claims that may name the caller: the first that is a non-empty string does. */
  readonly subject: readonly ClaimPath[];
  /** SPIFFE trust domain in which `sub` must stand, or null. */
  readonly trustDomain: string | null;
}

/** One issuer whose tokens count, ready to verify them. */
export interface TokenIssuer extends ClaimRules {
  /** Spellings of `iss`, the one that goes upstream first; empty: any `iss`, and none at all. */
  readonly spellings: readonly string[];
  /** `alg` values accepted. */
  readonly algorithms: readonly string[];
  /** `typ` values accepted, with or without `application/`. */
  readonly types: readonly string[];
  readonly typeMayBeAbsent: boolean;
  /** Its keys; null: the shared secrets verify its tokens. */
  readonly keySets: KeySets | null;
  readonly grants: ClaimGrants;
  /** Whether the identity of a caller is issuer and subject, or the subject alone. */
  readonly identifiesByIssuer: boolean;
  /** What the operator changes for each of these rules; told by `explain` only. */
  readonly setBy: Readonly<
    Record<'issuer' | 'audience' | 'keys' | 'algorithms' | 'types' | 'max_ttl_sec' | 'subject' | 'require', string>
  >;
}

/** Finds whose token it is by claims that are not yet verified, or tells why it is nobody's. */
export type FindIssuer = (claims: JsonObject) => TokenIssuer | CredentialReason;

const unknownIssuer: CredentialReason = { reason: 'token_issuer_unknown' };
const missing: CredentialReason = { reason: 'token_claim_missing', claim: 'iss' };
const invalid: CredentialReason = { reason: 'token_claim_invalid', claim: 'iss' };

/**
 * Makes the search for the issuer of a token: `iss` character for character (RFC 7519 §4.1.1, RFC 8725 §3.8), and where it
 * is absent the SPIFFE trust domain of `sub`. One look-up, however many issuers there are. Asked before a key is looked
 * for, so that no key of one issuer is ever tried on a token of another.
 *
 * @param issuers - every issuer; no two of them share a spelling.
 * @returns the search.
 * @example
 * createFindIssuer(issuers)({ iss: 'https://id.example' });
 */
export function createFindIssuer(issuers: readonly TokenIssuer[]): FindIssuer {
  const bySpelling = new Map(issuers.flatMap((issuer) => issuer.spellings.map((spelling) => [spelling, issuer])));
  const byTrustDomain = new Map(
    issuers.flatMap((issuer) => (issuer.trustDomain === null ? [] : [[issuer.trustDomain, issuer]])),
  );
  const anybody = issuers.find(({ spellings }) => spellings.length === 0);
  return (claims) => {
    const named = member(claims, 'iss');
    if (named === undefined) return anybody ?? byTrustDomain.get(trustDomainOf(member(claims, 'sub')) ?? '') ?? missing;
    if (typeof named !== 'string') return invalid;
    return bySpelling.get(named) ?? anybody ?? unknownIssuer;
  };
}

/** The trust domain of a SPIFFE ID that names a workload, as `spiffe://…`; null for anything else. */
export function trustDomainOf(subject: unknown): string | null {
  return typeof subject === 'string' ? (/^(spiffe:\/\/[a-z0-9._-]{1,255})\/./.exec(subject)?.[1] ?? null) : null;
}

/** Whether what was found is an issuer, not a reason. */
export function isIssuer(found: TokenIssuer | CredentialReason): found is TokenIssuer {
  return !('reason' in found);
}

/** The value of a claim for an operator to read: short, on one line, and never an object's inside. */
export function shownClaim(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return cut(JSON.stringify(value));
  if (isJsonObject(value as never)) return 'an object';
  return cut(typeof value === 'string' ? value : String(value));
}

/** At most 80 characters of a text. */
export function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
