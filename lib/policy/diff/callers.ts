import type { Config } from '../../config/load.ts';
import type { AuthMethod, Principal } from '../../decision/principal.ts';
import type { ScopeDemand } from '../../decision/request.ts';

/** A caller of a comparison: a kind of credential with grants that occur in one of the policies. */
export interface Caller {
  readonly name: string;
  readonly method: AuthMethod;
  /** Null: the scopes come from the role, which each policy maps by itself. */
  readonly scopes: readonly string[] | null;
  readonly role: string | null;
  readonly issuer: string | null;
}

/**
 * Every caller that a comparison of two policies speaks of: each scope, each role and each list of scopes that a row demands
 * together, by each kind of credential.
 */
export function callersOf(configs: readonly Config[]): readonly Caller[] {
  const scopes = scopeSets(configs);
  const roles = new Set(configs.flatMap((config) => Object.keys(rolesOf(config))));
  const ways = new Set(configs.flatMap((config) => config.ways));
  const issuers = new Set(
    configs.flatMap((config) => config.issuers.flatMap(({ spellings }) => spellings.slice(0, 1))),
  );
  return [...ways].flatMap((method) => {
    const named: readonly (string | null)[] =
      method === 'jwt' && issuers.size > 1 ? [...issuers] : [[...issuers][0] ?? null];
    return (method === 'jwt' ? named : [null]).flatMap((issuer) => {
      const of = `${method}${issuer !== null && issuers.size > 1 ? ` of ${issuer}` : ''}`;
      return [
        { name: `${of} without scopes`, method, scopes: [], role: null, issuer },
        ...scopes.map((held) => ({
          name: `${of} with ${held.length === 1 ? 'scope' : 'scopes'} ${held.join(' and ')}`,
          method,
          scopes: held,
          role: null,
          issuer,
        })),
        ...[...roles].map((role) => ({ name: `${of} with role ${role}`, method, scopes: null, role, issuer })),
      ];
    });
  });
}

/** The least grants that open a row: a scope by itself, or all that a row demands together. Two rows that differ differ for one. */
function scopeSets(configs: readonly Config[]): readonly (readonly string[])[] {
  const demands = configs.flatMap(({ documents }) => documents.endpoints.map(({ scope }) => scope));
  const sets = demands.flatMap((demand) => [
    ...namesIn(demand).map((name) => [name]),
    ...(demand !== null && typeof demand === 'object' && 'all' in demand ? [[...demand.all].sort()] : []),
  ]);
  return [...new Map(sets.map((set) => [set.join(' '), set])).values()];
}

/** The scopes of every role of a policy. */
export function rolesOf({ settings, documents, issuers }: Config): Readonly<Record<string, readonly string[]>> {
  const preset = {
    admin: settings.roleAdminScopes,
    analyst: settings.roleAnalystScopes,
    reader: settings.roleReaderScopes,
  };
  const roles: Record<string, readonly string[]> = {};
  for (const table of [preset, documents.roleScopes, ...issuers.map(({ roleScopes }) => roleScopes)])
    for (const [role, scopes] of Object.entries(table)) {
      const key = role.toLowerCase();
      const merged = [...new Set([...(roles[key] ?? []), ...scopes])];
      if (merged.length > 0) roles[key] = merged;
    }
  return roles;
}

export function namesIn(scope: ScopeDemand): readonly string[] {
  if (scope === null) return [];
  if (typeof scope === 'string') return [scope];
  return 'any' in scope ? scope.any : scope.all;
}

/** The caller as one policy sees it. */
export function principalOf(caller: Caller, config: Config): Principal {
  return {
    method: caller.method,
    subject: 'policy-diff',
    identity: 'policy-diff',
    issuer: caller.issuer,
    claims: null,
    scopes: caller.scopes ?? rolesOf(config)[caller.role ?? ''] ?? [],
    roles: caller.role === null ? [] : [caller.role],
    keyId: null,
    tokenId: null,
    issuedAtSeconds: null,
    expiresAtSeconds: null,
    thumbprint: null,
  };
}
