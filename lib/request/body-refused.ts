import type { AccessRequest } from '../decision/request.ts';

/** Methods whose content has no defined meaning (RFC 9110 §9.3.1, §9.3.2, §9.3.8): forwarding it invites smuggling. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'TRACE']);

/** A body that would be dropped on the way is refused instead. */
export function bodyRefused(access: AccessRequest): AccessRequest {
  const refuses = access.refused === undefined && access.hasBody === true && BODILESS.has(access.method);
  return refuses ? { ...access, refused: { reason: 'body_unexpected' } } : access;
}
