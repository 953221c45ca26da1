import { listedRoles } from '../codec/claim-values.ts';

/** The roles that the plan names. */
export const roleNames = ['admin', 'analyst', 'reader'] as const;

export type RoleName = (typeof roleNames)[number];

/** Scopes of one role by its name in lower case. A `Map`, so that `constructor` is no role. */
export type RoleScopes = ReadonlyMap<string, readonly string[]>;

/**
 * What each role may do. `*` held through `admin` includes the scope that revokes, which `*` alone does not: it is added by
 * name; null where there is no preset, whose role `admin` is. Further roles add to these and to each other; names compare in lower case. The scopes of a role are scopes and
 * never other roles, so that no map of roles can go in a circle.
 */
export function roleScopes(
  settings: Readonly<Record<RoleName, readonly string[]>>,
  revokeScope: string | null,
  further: readonly Readonly<Record<string, readonly string[]>>[] = [],
): RoleScopes {
  const { admin } = settings;
  const scopes = new Map<string, readonly string[]>(Object.entries(settings));
  scopes.set('admin', revokeScope !== null && admin.includes('*') ? [...new Set([...admin, revokeScope])] : admin);
  for (const [role, more] of further.flatMap((map) => Object.entries(map))) {
    const name = role.toLowerCase();
    scopes.set(name, [...new Set([...(scopes.get(name) ?? []), ...more])]);
  }
  return scopes;
}

/**
 * The roles that a claim or a header names, in lower case: a string split on spaces or commas, an array of strings, each
 * one role, or the member names of an object. A string that is as a whole the name of a role is that role, so that a role
 * may have a space in its name.
 */
export function rolesIn(value: unknown, known: RoleScopes): readonly string[] {
  if (typeof value === 'string' && known.has(value.trim().toLowerCase())) return [value.trim().toLowerCase()];
  return listedRoles(value).map((name) => name.toLowerCase());
}
