import { thumbprintIn } from '../authenticate/certificate/certificate-rule.ts';
import { subjectAt } from '../authenticate/jwt/subject.ts';
import type { RevocationKind } from '../decision/reason.ts';
import type { Revocation } from './revocation.ts';

/** How long an entry lives that does not say when what it revokes expires. */
export const DEFAULT_LIFETIME_SECONDS = 7 * 24 * 3600;
/** No entry lives longer: a store would never forget it. */
export const LONGEST_LIFETIME_SECONDS = 400 * 24 * 3600;

/** An id in the one form that decisions look for, a thumbprint also from how openssl writes it; null where it can be none.
 * With an issuer, a subject is revoked at that issuer only. */
export function revocationId(kind: RevocationKind, text: string, issuer: string | null = null): string | null {
  if (kind === 'thumbprint') return issuer === null ? thumbprintIn(text) : null;
  if (kind !== 'sub') return issuer === null ? text : null;
  if (/\p{Cc}/u.test(text + (issuer ?? ''))) return null;
  return issuer === null ? text : subjectAt(issuer, text);
}

/** What somebody wants revoked, in their own words. */
export interface WantedRevocation {
  readonly kind: RevocationKind;
  readonly id: string;
  readonly issuer?: string | null | undefined;
  /** Of a subject: tokens issued before this are refused. Left out: those issued up to now. */
  readonly before?: number | undefined;
  readonly expiresAt?: number | undefined;
  readonly reason?: string | null | undefined;
}

/** The entry that is wanted, as the store keeps it; null where it says nothing that can be kept. */
export function entryOf(wanted: WantedRevocation, nowSeconds: number, by: string): Revocation | null {
  const { kind, issuer = null, reason = null } = wanted;
  const id = revocationId(kind, wanted.id, issuer);
  // "Before" is strict, and a token may have been issued in this very second.
  const { before = nowSeconds + 1, expiresAt = nowSeconds + DEFAULT_LIFETIME_SECONDS } = wanted;
  const latest = nowSeconds + LONGEST_LIFETIME_SECONDS;
  if (id === null || id === '' || expiresAt <= nowSeconds || Math.max(expiresAt, before) > latest) return null;
  return {
    kind,
    id,
    beforeSeconds: kind === 'sub' ? before : null,
    expiresAtSeconds: expiresAt,
    reason,
    createdAtSeconds: nowSeconds,
    by,
  };
}
