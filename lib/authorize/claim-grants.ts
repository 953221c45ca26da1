import { type ClaimPath, type Claims, compileClaimPath } from '../codec/claim-path.ts';
import { createRecentMap } from '../codec/recent-map.ts';
import type { Grant } from '../decision/principal.ts';
import { scopesOfRoles } from './grants.ts';
import { type RoleScopes, rolesIn } from './roles.ts';
import { scopesIn } from './scopes.ts';

/** Where the claims of one issuer's tokens hold scopes and roles. */
export interface ClaimGrantSettings {
  readonly scopes: readonly string[];
  /** Whether the scope claims are named: then all that a token has count together, otherwise the first. */
  readonly scopesNamed: boolean;
  /** All that a token has count together. */
  readonly roles: readonly string[];
  /** `first`: roles count only in a token without a scope claim; `union`: always. */
  readonly grants: 'first' | 'union';
  readonly roleScopes: RoleScopes;
}

/**
 * Makes the mapping from claims to scopes. A claim that is `null` is absent; one of a type that lists nothing grants
 * nothing, but is present. Names that are no scopes and roles that do not exist grant nothing. Never refuses a token.
 *
 * @param settings - where scopes and roles stand, and what roles grant.
 * @returns the mapping.
 * @example
 * createClaimGrants(settings).ofClaims({ scope: 'discover' }).scopes; // ['discover']
 */
export function createClaimGrants(settings: ClaimGrantSettings) {
  const { scopesNamed, grants, roleScopes } = settings;
  const scopePaths = settings.scopes.map(compileClaimPath);
  const rolePaths = settings.roles.map(compileClaimPath);

  const scopeValues = (claims: Claims): readonly unknown[] =>
    scopesNamed ? present(scopePaths, claims) : firstPresent(scopePaths, claims);
  // Most tokens of an issuer hold one of a few texts.
  const byText = createRecentMap<Grant>({ maximumEntries: MAXIMUM_TEXTS });
  const ofText = (text: string): Grant => {
    const known = byText.get(text);
    if (known !== undefined) return known;
    const grant: Grant = { scopes: scopesIn(text), roles: NO_ROLES };
    if (text.length <= LONGEST_TEXT) byText.set(text, grant);
    return grant;
  };
  const rolesOf = (claims: Claims) => present(rolePaths, claims).flatMap((value) => rolesIn(value, roleScopes));

  return {
    ofClaims(claims: Claims): Grant {
      const values = scopeValues(claims);
      const [only] = values;
      if (typeof only === 'string' && values.length === 1 && grants === 'first') return ofText(only);
      const scopes = values.length === 1 ? scopesIn(only) : union(values.map(scopesIn));
      if (values.length > 0 && grants === 'first') return { scopes, roles: [] };
      const byRoles = scopesOfRoles(rolesOf(claims), roleScopes);
      return values.length === 0 ? byRoles : { scopes: union([scopes, byRoles.scopes]), roles: byRoles.roles };
    },
    ignoredRoles(claims: Claims): { readonly roles: string; readonly why: string } | null {
      const roles = [...new Set(rolesOf(claims))];
      if (roles.length === 0) return null;
      if (grants === 'first' && scopeValues(claims).length > 0) {
        const claim = scopePaths.find((path) => path.read(claims) !== undefined)?.text ?? '';
        return { roles: listed(roles), why: `the token has a scopes claim (${claim}) and grants is \`first\`` };
      }
      const unknown = roles.filter((role) => !roleScopes.has(role));
      return unknown.length === 0 ? null : { roles: listed(unknown), why: 'no scopes are given to them (role_scopes)' };
    },
  };
}

const NO_ROLES: readonly string[] = [];
/** Texts that are remembered, and the longest one in characters. */
const MAXIMUM_TEXTS = 256;
const LONGEST_TEXT = 1024;

function firstPresent(paths: readonly ClaimPath[], claims: Claims): readonly unknown[] {
  for (const path of paths) {
    const value = path.read(claims);
    if (value !== undefined) return [value];
  }
  return [];
}

function present(paths: readonly ClaimPath[], claims: Claims): readonly unknown[] {
  return paths.map((path) => path.read(claims)).filter((value) => value !== undefined);
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())];
}

/** The first roles of a list that may be long. */
function listed(roles: readonly string[]): string {
  const text = roles.slice(0, 20).join(' ');
  return roles.length > 20 ? `${text} and ${roles.length - 20} more` : text;
}
