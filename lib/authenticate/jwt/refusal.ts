import type { CredentialReason } from '../../decision/reason.ts';

/** Tells why something was refused from what it would have been. */
export function isRefusal<T>(value: T | CredentialReason): value is CredentialReason {
  return typeof value === 'object' && value !== null && 'reason' in value;
}
