import type { Grant } from '../decision/principal.ts';
import { type RoleScopes, rolesIn } from './roles.ts';
import { scopesIn } from './scopes.ts';

/** How lists of scopes and roles become scopes. */
export interface Grants {
  /** What a scope list grants, or where there is none (null) a role list, as a trusted ingress or a policy gives them. */
  ofLists(scopes: string | readonly string[] | null, roles: string | readonly string[] | null): Grant;
}

const nothing: Grant = { scopes: [], roles: [] };

/**
 * Makes the mapping from lists to scopes. Roles that do not exist grant nothing. Without scopes and roles the caller is
 * known and may nothing that demands a scope.
 */
export function createGrants(scopesByRole: RoleScopes): Grants {
  return {
    ofLists(scopes, roles) {
      if (scopes !== null) return { scopes: scopesIn(scopes), roles: [] };
      return roles === null ? nothing : scopesOfRoles(rolesIn(roles, scopesByRole), scopesByRole);
    },
  };
}

/** The scopes of the roles that exist, and these roles. */
export function scopesOfRoles(names: readonly string[], scopesByRole: RoleScopes): Grant {
  const roles = [...new Set(names)].filter((name) => scopesByRole.has(name));
  return { roles, scopes: [...new Set(roles.flatMap((name) => scopesByRole.get(name) ?? []))] };
}
