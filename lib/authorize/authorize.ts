import type { Principal } from '../decision/principal.ts';
import type { Reason } from '../decision/reason.ts';
import type { Route } from '../decision/request.ts';

/**
 * Whether an authenticated caller may use the route that was found; null: yes. Denies what no row names, then a method that
 * no row of the path has, then a missing scope (contract §1, §5). `*` stands for every scope but the one that revokes, which
 * opens only to a caller who holds it by name; our own administrative rows demand theirs even where `rbacEnabled` is
 * false. Pure. Does not authenticate, and does not know budgets or revocation.
 */
export function authorize(principal: Principal, route: Route, rbacEnabled: boolean): Reason | null {
  switch (route.found) {
    case 'nothing':
      return { reason: 'endpoint_unknown' };
    case 'other_methods':
      return { reason: 'method_unknown', allow: route.allow };
    case 'endpoint': {
      const { scope, own, action } = route.endpoint;
      if (scope === null || (!rbacEnabled && !own)) return null;
      const held =
        principal.scopes.includes(scope) || (!(own && action === 'revocations') && principal.scopes.includes('*'));
      return held ? null : { reason: 'scope_missing', scope };
    }
  }
}
