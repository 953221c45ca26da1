import { isJsonObject, type JsonObject, type JsonValue, member } from '../../codec/strict-json.ts';
import type { ClaimName, CredentialReason } from '../../decision/reason.ts';
import { isRefusal } from './refusal.ts';
import { isSubject } from './subject.ts';
import { type ClaimRules, trustDomainOf } from './token-issuer.ts';

/** What the claims of a token come to. */
export interface TokenFacts {
  readonly subject: string;
  readonly issuer: string | null;
  readonly tokenId: string | null;
  readonly issuedAtSeconds: number | null;
  readonly expiresAtSeconds: number;
  /** The later of `nbf` and `iat`, or null without either. */
  readonly validFromSeconds: number | null;
  /** `cnf.x5t#S256`: thumbprint of the certificate that the caller must present (RFC 8705 §3.1), or null. */
  readonly certificateThumbprint: string | null;
  /** `cnf.jkt`: thumbprint of the key that the caller must prove to have (RFC 9449 §6.1), or null. */
  readonly proofThumbprint: string | null;
}

/** Latest instant that RFC 3339 can write. */
const latestSeconds = 253_402_300_799;
const longestTokenId = 1024;

function missing(claim: ClaimName): CredentialReason {
  return { reason: 'token_claim_missing', claim };
}
function invalid(claim: ClaimName): CredentialReason {
  return { reason: 'token_claim_invalid', claim };
}

/**
 * Validates verified claims at one instant, in epoch seconds with fractions (RFC 7519 §4.1): `exp` is demanded and refused
 * on or after its instant plus skew; `nbf` and `iat` at most the skew ahead; the lifetime within its limit; `aud`
 * contains ours; `jti` and `cnf` of their types; the subject one that names a caller. Types are strict: no number in
 * a string, no array for a string, no infinity. A `cnf` that demands more than a certificate and a proof is refused, since
 * nobody here would check it (RFC 7800 §3.1), and so is a security event, such as a logout token. Does not compare the certificate or check the proof, and leaves `iss` to
 * `createFindIssuer` and scopes and roles to the grant.
 */
export function checkClaims(claims: JsonObject, rules: ClaimRules, nowSeconds: number): TokenFacts | CredentialReason {
  const times = checkTimes(claims, rules, nowSeconds);
  if (isRefusal(times)) return times;
  const audience = checkAudience(claims, rules);
  if (audience) return audience;
  const tokenId = member(claims, 'jti');
  if (tokenId !== undefined && !isTokenId(tokenId)) return invalid('jti');
  const confirmation = readConfirmation(member(claims, 'cnf'));
  if (isRefusal(confirmation)) return confirmation;
  if (isSecurityEvent(claims)) return invalid('events');
  const unmet = rules.required.find(({ path, test }) => !test.holds(path.read(claims)));
  if (unmet) return { reason: 'token_claim_refused', path: unmet.path.text };
  const subject = subjectOf(claims, rules);
  if (isRefusal(subject)) return subject;
  return {
    subject,
    issuer: (member(claims, 'iss') as string | undefined) ?? null,
    tokenId: tokenId ?? null,
    ...confirmation,
    ...times,
  };
}

/** The first claim that is a non-empty string names the caller, and must then be fit to name one everywhere. */
function subjectOf(claims: JsonObject, { subject: paths, trustDomain }: ClaimRules): string | CredentialReason {
  const values = paths.map((path) => path.read(claims));
  const subject = values.find((value) => typeof value === 'string' && value !== '');
  if (subject === undefined) return values.some((value) => value !== undefined) ? invalid('sub') : missing('sub');
  if (!isSubject(subject)) return invalid('sub');
  // A trust domain speaks for its own workloads only, whatever its tokens say in `iss`.
  if (trustDomain !== null && trustDomainOf(member(claims, 'sub')) !== trustDomain) return invalid('sub');
  return subject;
}

type Times = Pick<TokenFacts, 'issuedAtSeconds' | 'expiresAtSeconds' | 'validFromSeconds'>;

function checkTimes(claims: JsonObject, rules: ClaimRules, nowSeconds: number): Times | CredentialReason {
  const { clockSkewSeconds: skew, maximumLifetimeSeconds } = rules;
  const expires = numericDate(claims, 'exp');
  if (isRefusal(expires)) return expires;
  if (expires === null) return missing('exp');
  if (expires <= nowSeconds - skew) return { reason: 'token_expired', secondsAgo: Math.floor(nowSeconds - expires) };

  const notBefore = numericDate(claims, 'nbf');
  if (isRefusal(notBefore)) return notBefore;
  if (notBefore !== null && notBefore > nowSeconds + skew) return early('nbf', notBefore - nowSeconds);

  const issuedAt = numericDate(claims, 'iat');
  if (isRefusal(issuedAt)) return issuedAt;
  if (issuedAt !== null && issuedAt > nowSeconds + skew) return early('iat', issuedAt - nowSeconds);

  if (maximumLifetimeSeconds !== null) {
    if (issuedAt === null) return missing('iat');
    const lifetimeSeconds = expires - issuedAt;
    if (lifetimeSeconds > maximumLifetimeSeconds)
      return { reason: 'token_lifetime_too_long', lifetimeSeconds, maximumSeconds: maximumLifetimeSeconds };
  }
  const validFrom = Math.max(notBefore ?? 0, issuedAt ?? 0);
  return {
    issuedAtSeconds: issuedAt,
    expiresAtSeconds: expires,
    validFromSeconds: notBefore === null && issuedAt === null ? null : validFrom,
  };
}

function early(claim: 'nbf' | 'iat', seconds: number): CredentialReason {
  return {
    reason: 'token_not_yet_valid',
    claim,
    secondsAhead: Math.ceil(seconds),
  };
}

/** A claim that is a NumericDate (RFC 7519 §2), null when absent, or why it is none. */
function numericDate(claims: JsonObject, claim: 'exp' | 'nbf' | 'iat'): number | null | CredentialReason {
  const value = member(claims, claim);
  if (value === undefined) return null;
  return typeof value === 'number' && value >= 0 && value <= latestSeconds ? value : invalid(claim);
}

/**
 * RFC 7519 §4.1.3: one string, or an array of nothing but strings, compared character for character. A token that has an
 * `aud` is judged by it alone; the claim that stands in for it counts only where there is none.
 */
function checkAudience(claims: JsonObject, { audiences, audienceClaim }: ClaimRules): CredentialReason | null {
  const named = Object.hasOwn(claims, 'aud') ? member(claims, 'aud') : audienceClaim?.read(claims);
  if (named === undefined) return audiences.length === 0 ? null : missing('aud');
  const present = typeof named === 'string' ? [named] : named;
  if (!Array.isArray(present) || !present.every((entry) => typeof entry === 'string')) return invalid('aud');
  return audiences.length === 0 || present.some((entry) => audiences.includes(entry)) ? null : invalid('aud');
}

/** RFC 8417 §2.2: `events` is an object whose names are URIs. Such a token is no credential (§4.6), whatever its `typ`. */
function isSecurityEvent(claims: JsonObject): boolean {
  const events = member(claims, 'events');
  return events !== undefined && isJsonObject(events) && Object.keys(events).some((name) => URL.canParse(name));
}

function isTokenId(value: JsonValue): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longestTokenId && value.isWellFormed();
}

type Confirmation = Pick<TokenFacts, 'certificateThumbprint' | 'proofThumbprint'>;

const confirmationMembers: readonly string[] = ['x5t#S256', 'jkt'];
const unbound: Confirmation = { certificateThumbprint: null, proofThumbprint: null };

/** What a `cnf` demands: a certificate, a proof, or both; nothing where there is no `cnf`. */
function readConfirmation(confirmation: JsonValue | undefined): Confirmation | CredentialReason {
  if (confirmation === undefined) return unbound;
  if (!isJsonObject(confirmation)) return invalid('cnf');
  const names = Object.keys(confirmation);
  const known = names.every((name) => confirmationMembers.includes(name) && typeof confirmation[name] === 'string');
  if (names.length === 0 || !known) return invalid('cnf');
  const text = (name: string) => (member(confirmation, name) as string | undefined) ?? null;
  return { certificateThumbprint: text('x5t#S256'), proofThumbprint: text('jkt') };
}
