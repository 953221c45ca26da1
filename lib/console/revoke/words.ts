import type { RevocationKind } from '../../decision/reason.ts';

/** What can be revoked, in words. */
export const KIND_NAMES: Readonly<Record<RevocationKind, string>> = {
  sub: 'Caller (sub)',
  jti: 'Token id (jti)',
  kid: 'Signing key (kid)',
  thumbprint: 'Client certificate',
  key_id: 'API key (id)',
};

/** How long a revocation takes to hold. */
export function boundText(boundSeconds: number): string {
  return boundSeconds === 0 ? 'with the next decision' : `in at most ${boundSeconds} s`;
}
