import type { Decision } from '../decision/outcome.ts';
import { fieldValue } from './field-value.ts';
import type { ClaimsUpstream } from './forwarded-claims.ts';

/** Fields that the upstream may believe, since every field of the same name that a caller sent has been removed. */
export type IdentityFields = (readonly [string, string])[];

/**
 * The identity of an allowed request for the upstream or the proxy that asked: user, scopes, method, issuer, request id,
 * trace, and the claims that the configuration forwards. `identityHeader` is the further name under which the user is given
 * (`TGEFD_IDENTITY_HEADER`), or null.
 */
export function identityFields(
  decision: Decision,
  identityHeader: string | null,
  claims: ClaimsUpstream | null = null,
): IdentityFields {
  const { principal, boundary } = decision;
  const user = principal ? fieldValue(principal.subject) : '';
  const fields: IdentityFields = [
    ['x-auth-request-user', user],
    ['x-auth-request-scopes', principal ? principal.scopes.join(' ') : ''],
    ['x-auth-request-method', decision.authMethod],
    ['x-auth-request-issuer', principal?.issuer ? fieldValue(principal.issuer) : ''],
    ['x-request-id', boundary.requestId],
    ['traceparent', boundary.traceparent],
  ];
  if (identityHeader && identityHeader !== 'x-auth-request-user') fields.push([identityHeader, user]);
  if (claims !== null) fields.push(...claims.fields);
  return fields;
}

/** `X-Forwarded-*` rebuilt from what the trust boundary found (RFC 7239 §8.1: nothing of the caller's own is kept). */
export function forwardedFields({ boundary }: Decision): IdentityFields {
  const fields: IdentityFields = [];
  if (boundary.clientAddress) fields.push(['x-forwarded-for', boundary.clientAddress]);
  if (boundary.secure !== null) fields.push(['x-forwarded-proto', boundary.secure ? 'https' : 'http']);
  if (boundary.host) fields.push(['x-forwarded-host', boundary.host]);
  return fields;
}
