import { rowFor } from '../decision/message.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest, CredentialWay, Endpoint, McpMessage, Route } from '../decision/request.ts';
import type { Shadow } from '../decision/steps.ts';
import type { Walk } from '../decision/walk.ts';
import { createAuthorize } from './authorize.ts';
import type { StepUpTime } from './step-up.ts';

/** A second table that is decided beside the present one. */
export interface ShadowTable {
  readonly endpoints: readonly Endpoint[];
  route(method: string, path: string): Route;
  /** What a message asks for by its fields, where only this table asks for it. */
  messageOf(request: AccessRequest, rows: readonly Endpoint[]): McpMessage | Reason;
}

export interface ShadowSettings {
  /** Null: no second table. */
  readonly table: ShadowTable | null;
  readonly rbacEnabled: boolean;
  /** Until when denials of authenticated callers are recorded only, epoch milliseconds; null: never. */
  readonly untilMs: number | null;
  readonly stepUpTime?: StepUpTime;
}

/** The denials of an authenticated caller that a trial lets through: 403 for want of grants, and 429. */
const SPARED: ReadonlySet<Reason['reason']> = new Set([
  'scope_missing',
  'issuer_not_allowed',
  'claim_mismatch',
  'budget_exhausted',
]);

/**
 * Tries a policy before it decides. `compare` authorizes the same principal by the second table; budgets and revocation are
 * not asked again. `spares` lets a denial through until `untilMs`, except on endpoints of our own.
 *
 * @param settings - the second table, and until when denials are only recorded.
 * @returns the step, or null where nothing is tried: then nothing is paid for it.
 */
export function createShadow({ table, rbacEnabled, untilMs, stepUpTime }: ShadowSettings): Shadow | null {
  if (table === null && untilMs === null) return null;
  const authorize = table === null ? null : createAuthorize(table.endpoints, rbacEnabled, stepUpTime ?? null);
  return {
    compare(walk, refusal) {
      if (table === null || authorize === null || walk.path === null || ownRoute(walk.route)) return null;
      const { principal } = walk;
      if (principal === null) return null;
      const found = table.route(walk.request.method, walk.path);
      const message = found.found === 'by_message' ? (walk.message ?? table.messageOf(walk.request, found.rows)) : null;
      if (message !== null && 'reason' in message) return { denial: message };
      const route = found.found === 'by_message' && message !== null ? rowFor(found.rows, message) : found;
      const denial = wayRefusal(walk, route) ?? authorize(principal, route, walk.path);
      return kindOf(denial) === kindOf(refusal) ? null : { denial };
    },
    spares: ({ atMs, route }, denial) =>
      untilMs !== null && atMs < untilMs && SPARED.has(denial.reason) && !ownRoute(route),
  };
}

function ownRoute(route: Route): boolean {
  return (route.found === 'endpoint' && route.endpoint.own) || (route.found === 'other_methods' && route.own);
}

/** A row of the second table that does not look at credentials of this kind would ask for others. */
function wayRefusal({ principal }: Walk, route: Route): Reason | null {
  if (route.found !== 'endpoint' || route.endpoint.auth === undefined || principal === null) return null;
  return route.endpoint.auth.includes(principal.method as CredentialWay) ? null : { reason: 'credentials_missing' };
}

/** Denials that answer the caller alike are no difference. */
function kindOf(denial: Reason | null): string {
  if (denial === null || denial.reason === 'body_too_large') return 'allowed';
  return SPARED.has(denial.reason) ? 'forbidden' : denial.reason;
}
