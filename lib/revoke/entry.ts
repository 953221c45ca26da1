import { thumbprintIn } from '../authenticate/certificate/certificate-rule.ts';
import { subjectAt } from '../authenticate/jwt/subject.ts';
import type { RevocationKind } from '../decision/reason.ts';

/** How long an entry lives that does not say when what it revokes expires. */
export const DEFAULT_LIFETIME_SECONDS = 7 * 24 * 3600;

/** An id in the one form that decisions look for, a thumbprint also from how openssl writes it; null where it can be none.
 * With an issuer, a subject is revoked at that issuer only. */
export function revocationId(kind: RevocationKind, text: string, issuer: string | null = null): string | null {
  if (kind === 'thumbprint') return issuer === null ? thumbprintIn(text) : null;
  if (kind !== 'sub') return issuer === null ? text : null;
  if (/\p{Cc}/u.test(text + (issuer ?? ''))) return null;
  return issuer === null ? text : subjectAt(issuer, text);
}
