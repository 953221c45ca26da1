import type { Decision } from '../decision/outcome.ts';

/** Fields that the upstream may believe, since every field of the same name that a caller sent has been removed. */
export type IdentityFields = readonly (readonly [string, string])[];

/**
 * A value as a field may carry it (RFC 9110 §5.5): visible ASCII and inner spaces stay, everything else and `%` itself is
 * percent-encoded UTF-8, so that two different identities never look the same.
 */
export function fieldValue(value: string): string {
  return /^[\x21-\x24\x26-\x7e]+$/.test(value)
    ? value
    : value.replace(/[^\x21-\x24\x26-\x7e ]|^ | $/gu, (character) => {
        let encoded = '';
        for (const byte of new TextEncoder().encode(character))
          encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
        return encoded;
      });
}

/**
 * The identity of an allowed request for the upstream or the proxy that asked: user, scopes, method, request id and trace.
 * `identityHeader` is the further name under which the user is given (`TGEFD_IDENTITY_HEADER`), or null.
 */
export function identityFields(decision: Decision, identityHeader: string | null): IdentityFields {
  const { principal, boundary } = decision;
  const user = principal ? fieldValue(principal.subject) : '';
  const fields: (readonly [string, string])[] = [
    ['x-auth-request-user', user],
    ['x-auth-request-scopes', principal ? principal.scopes.join(' ') : ''],
    ['x-auth-request-method', decision.authMethod],
    ['x-request-id', boundary.requestId],
    ['traceparent', boundary.traceparent],
  ];
  if (identityHeader && identityHeader !== 'x-auth-request-user') fields.push([identityHeader, user]);
  return fields;
}

/** `X-Forwarded-*` rebuilt from what the trust boundary found (RFC 7239 §8.1: nothing of the caller's own is kept). */
export function forwardedFields({ boundary }: Decision): IdentityFields {
  const fields: (readonly [string, string])[] = [];
  if (boundary.clientAddress) fields.push(['x-forwarded-for', boundary.clientAddress]);
  if (boundary.secure !== null) fields.push(['x-forwarded-proto', boundary.secure ? 'https' : 'http']);
  if (boundary.host) fields.push(['x-forwarded-host', boundary.host]);
  return fields;
}
