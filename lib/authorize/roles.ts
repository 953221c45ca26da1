/** The roles that map to scopes, as they compare. */
export const roleNames = ['admin', 'analyst', 'reader'] as const;

export type RoleName = (typeof roleNames)[number];

/** Scopes of one role by its name in lower case. A `Map`, so that `constructor` is no role. */
export type RoleScopes = ReadonlyMap<string, readonly string[]>;

/**
 * What each role may do. `*` held through `admin` includes the scope that revokes, which `*` alone does not: it is added by
 * name.
 */
export function roleScopes(settings: Readonly<Record<RoleName, readonly string[]>>, revokeScope: string): RoleScopes {
  const { admin, analyst, reader } = settings;
  return new Map([
    ['admin', admin.includes('*') ? [...new Set([...admin, revokeScope])] : admin],
    ['analyst', analyst],
    ['reader', reader],
  ]);
}

/**
 * The roles that a claim or a header names, in lower case. An array names one role an entry; a string names one role, or
 * with `list` several, separated by spaces or commas. A single role is never split, so that `not admin` is not `admin`.
 * Null for a value of any other type.
 */
export function rolesIn(value: unknown, list: boolean): readonly string[] | null {
  if (typeof value === 'string')
    return (list ? value.split(/[ ,]+/) : [value.trim()])
      .filter((name) => name !== '')
      .map((name) => name.toLowerCase());
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) return null;
  return value.map((name: string) => name.toLowerCase());
}
