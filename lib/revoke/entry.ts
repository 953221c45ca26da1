import { thumbprintIn } from '../authenticate/certificate/certificate-policy.ts';
import type { RevocationKind } from '../decision/reason.ts';

/** How long an entry lives that does not say when what it revokes expires. */
export const DEFAULT_LIFETIME_SECONDS = 7 * 24 * 3600;

/** An id in the one form that decisions look for, a thumbprint also from how openssl writes it; null where it can be none. */
export function revocationId(kind: RevocationKind, text: string): string | null {
  return kind === 'thumbprint' ? thumbprintIn(text) : text;
}
