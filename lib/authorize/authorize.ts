import type { Explain } from '../decision/ports.ts';
import type { Principal } from '../decision/principal.ts';
import type { Reason } from '../decision/reason.ts';
import type { Endpoint, Route, ScopeDemand } from '../decision/request.ts';
import type { RowCondition, Unmet } from './condition.ts';
import { compileConditions } from './row-conditions.ts';
import type { StepUpTime } from './step-up.ts';

/**
 * Decides whether an authenticated caller may use the route that was found; null: yes. `path` is the canonical path, or null
 * where only the row is known: then what depends on a path parameter does not hold.
 */
export type Authorize = (principal: Principal, route: Route, path: string | null, explain?: Explain) => Reason | null;

/**
 * Makes step 4 of a decision. Denies what no row names, then a method that no row of the path has, then a missing scope,
 * then an issuer that the row does not list, then a claim that does not hold. `*` stands for every scope but those of
 * operators (revocations, console), which open only to a caller who holds them by name. Our own administrative rows demand their scope even
 * where `rbacEnabled` is false, and issuers and claims of a row always count. Pure: does not authenticate, and does
 * not know budgets or revocation.
 *
 * @param endpoints - the rows of the table; what they demand is compiled once.
 * @param rbacEnabled - whether scopes of other rows are demanded.
 * @param time - against which authentications are old, for rows that demand a recent one.
 * @returns the step.
 */
export function createAuthorize(
  endpoints: readonly Endpoint[],
  rbacEnabled: boolean,
  time: StepUpTime | null = null,
): Authorize {
  const conditionsOf = new Map<Endpoint, readonly RowCondition[]>();
  for (const endpoint of endpoints) {
    const conditions = compileConditions(endpoint, time);
    if (conditions.length > 0) conditionsOf.set(endpoint, conditions);
  }
  const demanding = conditionsOf.size > 0;

  return (principal, route, path, explain) => {
    switch (route.found) {
      case 'by_message':
      case 'nothing':
        explain?.('authorize', 'refused: endpoint_unknown');
        return route.found === 'nothing' && route.unknown !== undefined
          ? { reason: 'endpoint_unknown', unknown: route.unknown }
          : { reason: 'endpoint_unknown' };
      case 'other_methods':
        explain?.('authorize', 'refused: method_unknown', { wanted: route.allow.join(' or ') });
        return { reason: 'method_unknown', allow: route.allow };
      case 'endpoint': {
        const { endpoint } = route;
        const unmet =
          missingScope(principal, endpoint, rbacEnabled) ??
          (demanding ? firstUnmet(conditionsOf.get(endpoint), principal, path) : null);
        if (unmet === null) {
          explain?.('authorize', 'permitted', { scopes: principal.scopes.join(' ') });
          return null;
        }
        explain?.('authorize', `refused: ${unmet.reason.reason}`, {
          found: unmet.found,
          wanted: unmet.wanted,
          set_by: `row ${endpoint.method} ${endpoint.pattern}, member ${unmet.member}`,
        });
        return unmet.reason;
      }
    }
  };
}

function firstUnmet(
  conditions: readonly RowCondition[] | undefined,
  principal: Principal,
  path: string | null,
): Unmet | null {
  for (const condition of conditions ?? []) {
    const unmet = condition(principal, path);
    if (unmet !== null) return unmet;
  }
  return null;
}

/** Own rows that `*` alone does not open: what revokes, and the console. */
function isForOperators(action: string): boolean {
  return action === 'revocations' || action.startsWith('console_');
}

function missingScope(principal: Principal, { scope, own, action }: Endpoint, rbacEnabled: boolean): Unmet | null {
  if (scope === null || (!rbacEnabled && !own)) return null;
  const star = !(own && isForOperators(action)) && principal.scopes.includes('*');
  if (star || holds(principal.scopes, scope)) return null;
  return {
    reason: { reason: 'scope_missing', scope: scopeText(scope, ' ') },
    found: principal.scopes.join(' '),
    wanted: scopeText(scope, typeof scope === 'object' && 'all' in scope ? ' and ' : ' or '),
    member: 'scope',
  };
}

function holds(scopes: readonly string[], demanded: Exclude<ScopeDemand, null>): boolean {
  if (typeof demanded === 'string') return scopes.includes(demanded);
  return 'any' in demanded
    ? demanded.any.some((name) => scopes.includes(name))
    : demanded.all.every((name) => scopes.includes(name));
}

function scopeText(demanded: Exclude<ScopeDemand, null>, between: string): string {
  if (typeof demanded === 'string') return demanded;
  return ('any' in demanded ? demanded.any : demanded.all).join(between);
}
