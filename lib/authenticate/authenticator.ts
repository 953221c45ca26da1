import type { Explain, RequestContext } from '../decision/ports.ts';
import type { Authentication, Grant, Principal } from '../decision/principal.ts';
import type { CredentialReason, Degradation } from '../decision/reason.ts';
import type { AccessRequest, Boundary, CredentialWay } from '../decision/request.ts';

/**
 * Step 3 of a decision: who is calling. Answers without a promise where nothing has to be verified or fetched. With
 * `mayFetchKeys` false an unknown key id never causes a fetch. Never throws for anything a caller sends. Does not ask for
 * revocation and does not authorize.
 */
export type Authenticator = (
  request: AccessRequest,
  boundary: Boundary,
  context: RequestContext,
  mayFetchKeys: boolean,
  /** The only kinds of credentials that the row looks at; null: every kind that the mode accepts. */
  ways?: readonly CredentialWay[] | null,
) => Authentication | Promise<Authentication>;

/** How the lists that vouch for a caller become scopes; handed in, since authorization is another room. */
export interface GrantRules {
  /** From a scope list, or where there is none from a role list. */
  ofLists(scopes: string | readonly string[] | null, roles: string | readonly string[] | null): Grant;
}

const undegraded: readonly Degradation[] = Object.freeze([]);
const staleKeys: readonly Degradation[] = Object.freeze(['keys_stale']);

export function authenticated(principal: Principal, stale = false): Authentication {
  return {
    outcome: 'authenticated',
    principal,
    degraded: stale ? staleKeys : undegraded,
  };
}

/** A refusal at one step, told with what was `found` to whoever asked for an explanation. */
export function refused(
  explain: Explain | undefined,
  step: string,
  reason: CredentialReason,
  found?: () => string,
): Authentication {
  explain?.(step, 'refused', found ? { ...reason, found: found() } : reason);
  return { outcome: 'refused', reason };
}

/** Our outage: no key was at hand, so nothing is said about the caller's token. */
export function unavailable(retryAfterSeconds: number | null): Authentication {
  return { outcome: 'unavailable', reason: 'keys_unavailable', retryAfterSeconds };
}

/** Thumbprint of a certificate that the caller itself showed the platform: behind a trusted hop it is the proxy's. */
export function ownThumbprint({ hop }: AccessRequest, { trustedHop }: Boundary): string | null {
  return trustedHop ? null : (hop.certificate?.thumbprint ?? null);
}
