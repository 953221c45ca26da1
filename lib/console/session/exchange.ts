import type { RequestContext } from '../../decision/ports.ts';
import type { Reason } from '../../decision/reason.ts';
import type { AccessRequest } from '../../decision/request.ts';
import { rawFields } from '../../request/raw-fields.ts';
import { type Desk, operatorScopes } from '../desk.ts';
import { beginSession, type Session } from './session.ts';

/** Revocations of sessions stand among those of tokens, under an id that no issuer makes. */
export const SESSION_PREFIX = 'tgefd-console-session ';
/** Why such a revocation is there, for the list of revocations. */
export const SIGNED_OUT = 'signed out of the console';

/**
 * Exchanges a token, or the identity that the platform or a trusted ingress vouches for, for a session. Our own pipeline
 * decides, as about any request with that credential, and records it.
 */
export async function exchange(
  desk: Desk,
  access: AccessRequest,
  token: string,
  context: RequestContext,
  nowSeconds: number,
): Promise<{ readonly sealed: string } | { readonly denial: Reason }> {
  const { decision, denial } = await desk.decide(withCredential(desk, access, token.trim()), null, context);
  if (denial !== null) return { denial };
  if (decision.principal === null) return { denial: { reason: 'internal_error' } };
  const { scopeConsole, scopeRevoke } = desk.composed.config.settings;
  const held = operatorScopes(decision.principal, desk.composed);
  const scopes = [scopeConsole, scopeRevoke].filter((scope) => held.includes(scope));
  const principal = { ...decision.principal, scopes, roles: [] };
  return beginSession(principal, access.headers, desk.seal, nowSeconds);
}

function withCredential({ composed: { config } }: Desk, access: AccessRequest, token: string): AccessRequest {
  if (token === '') return access;
  const { jwtHeader, jwtBearerPrefix } = config.settings;
  const [name, value] =
    config.authMode === 'api_key' ? ['x-api-key', token] : [jwtHeader, `${jwtBearerPrefix}${token}`];
  const fields = [...access.headers].filter(([field]) => field.toLowerCase() !== name).flat();
  return { ...access, headers: rawFields([...fields, name, value]) };
}

/** Whether its operator signed out of a session. While the store is silent nobody can say: then the pipeline decides. */
export async function isSignedOut({ composed }: Desk, { id }: Session): Promise<boolean> {
  const found = await composed.revocations.find('jti', `${SESSION_PREFIX}${id}`);
  return found.done && found.value !== null;
}

/** Ends a session everywhere: a copy of its cookie is worth nothing any more. */
export async function endSession({ composed }: Desk, session: Session, nowSeconds: number): Promise<void> {
  await composed.revocations.add({
    kind: 'jti',
    id: `${SESSION_PREFIX}${session.id}`,
    beforeSeconds: null,
    expiresAtSeconds: Math.ceil(session.expiresAtSeconds) + 1,
    reason: SIGNED_OUT,
    createdAtSeconds: Math.floor(nowSeconds),
    by: 'console',
  });
}
