import type { CredentialReason } from '../../decision/vocabulary.ts';

/** Tells why something was refused from what it would have been. */
export const isRefusal = <T>(value: T | CredentialReason): value is CredentialReason =>
  typeof value === 'object' && value !== null && 'reason' in value;
