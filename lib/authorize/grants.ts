import type { Grant } from '../decision/principal.ts';
import type { CredentialReason } from '../decision/reason.ts';
import { type RoleName, type RoleScopes, roleScopes, rolesIn } from './roles.ts';
import { scopesIn } from './scopes.ts';

export interface GrantSettings {
  /** Claim that holds the scopes where a token has it (`TGEFD_JWT_SCOPES_CLAIM`), or null. */
  readonly scopesClaim: string | null;
  readonly roleClaim: string;
  readonly rolesClaim: string;
  readonly roleScopes: Readonly<Record<RoleName, readonly string[]>>;
  /** Scope of the revocation endpoints: `*` does not include it, unless held through `admin`. */
  readonly revokeScope: string;
}

/** How credentials become scopes. */
export interface Grants {
  /** What the claims of a verified token grant, or why they cannot be read. */
  ofClaims(claims: Readonly<Record<string, unknown>>): Grant | CredentialReason;
  /** What a scope list grants, or where there is none (null) a role list, as a trusted ingress or a policy gives them. */
  ofLists(scopes: string | readonly string[] | null, roles: string | readonly string[] | null): Grant;
}

const usualScopeClaims = ['scope', 'scopes', 'scp'];
const nothing: Grant = { scopes: [], roles: [] };

/**
 * Makes the mapping from claims and lists to scopes (contract §5). Scopes: the configured claim if present, else the first
 * of `scope`, `scopes`, `scp` that is. Roles count only where no scope claim is present; those that do not exist grant
 * nothing. A claim of a wrong type is refused, not passed over (RFC 8725 §3.2: types are strict). Without scopes and
 * roles the caller is known and may nothing that demands a scope.
 */
export function createGrants(settings: GrantSettings): Grants {
  const scopesByRole = roleScopes(settings.roleScopes, settings.revokeScope);
  const scopeClaims = settings.scopesClaim === null ? usualScopeClaims : [settings.scopesClaim, ...usualScopeClaims];

  return {
    ofClaims(claims) {
      const scopeClaim = scopeClaims.find((name) => Object.hasOwn(claims, name));
      if (scopeClaim !== undefined) {
        const scopes = scopesIn(claims[scopeClaim]);
        return scopes ? { scopes, roles: [] } : { reason: 'token_claim_invalid', claim: 'scope' };
      }
      const one = Object.hasOwn(claims, settings.roleClaim) ? rolesIn(claims[settings.roleClaim], false) : [];
      const several = Object.hasOwn(claims, settings.rolesClaim) ? rolesIn(claims[settings.rolesClaim], true) : [];
      return one && several
        ? byRoles([...one, ...several], scopesByRole)
        : { reason: 'token_claim_invalid', claim: 'role' };
    },
    ofLists(scopes, roles) {
      if (scopes !== null) return { scopes: scopesIn(scopes) ?? [], roles: [] };
      return roles === null ? nothing : byRoles(rolesIn(roles, true) ?? [], scopesByRole);
    },
  };
}

function byRoles(names: readonly string[], scopesByRole: RoleScopes): Grant {
  const roles = [...new Set(names)].filter((name) => scopesByRole.has(name));
  return { roles, scopes: [...new Set(roles.flatMap((name) => scopesByRole.get(name) ?? []))] };
}
