import { parseStrictJson } from '../../codec/strict-json.ts';
import type { Problem } from '../problem.ts';
import { type SettingKey, type Settings, variables } from '../variables.ts';
import type { DeclaredIssuer, IssuerMember } from './issuer.ts';
import { members } from './members.ts';

/** The variables that describe one issuer, by the member of a row that means the same. */
const byMember = {
  issuer: 'jwtIssuer',
  provider: 'provider',
  audience: 'jwtAudience',
  audience_claim: 'jwtAudienceClaim',
  keys: 'jwksUrl',
  algorithms: 'jwtAllowedAlgorithms',
  types: 'jwtTypes',
  max_ttl_sec: 'jwtMaximumLifetimeSeconds',
  subject: 'jwtSubClaim',
  scopes: 'jwtScopesClaim',
  roles: 'rolesClaim',
  grants: 'jwtGrants',
  require: 'jwtRequiredClaims',
} as const satisfies Partial<Record<IssuerMember, SettingKey>>;

/** Every variable that `TGEFD_ISSUERS` replaces. */
export const singleVariables: readonly SettingKey[] = [...Object.values(byMember), 'jwksFile', 'roleClaim'];

/** The variable that means the same as a member of a row; the rows' own name where there is none. */
export function variableOf(member: IssuerMember): string {
  if (member === 'role_scopes') return variables.roleScopes.name;
  return member in byMember ? variables[byMember[member as keyof typeof byMember]].name : variables.issuers.name;
}

/** What the single variables say of the one issuer that they describe; a variable at its default says nothing. */
export function declaredByVariables(
  settings: Settings,
  given: ReadonlySet<SettingKey>,
): { readonly declared: DeclaredIssuer; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const whenGiven = <T>(key: SettingKey, value: T): T | undefined => (given.has(key) ? value : undefined);
  if (settings.jwksUrl && settings.jwksFile !== null)
    problems.push({
      variable: variables.jwksFile.name,
      found: `a value beside ${variables.jwksUrl.name}`,
      accepted: 'one of the two',
    });

  const declared: DeclaredIssuer = {
    issuer: settings.jwtIssuer === null ? undefined : [settings.jwtIssuer],
    provider: settings.provider ?? undefined,
    audience: settings.jwtAudience ?? undefined,
    audience_claim: settings.jwtAudienceClaim ?? undefined,
    keys: settings.jwksUrl
      ? { from: 'url', url: settings.jwksUrl }
      : settings.jwksFile === null
        ? undefined
        : { from: 'file', path: settings.jwksFile },
    algorithms: whenGiven('jwtAllowedAlgorithms', settings.jwtAllowedAlgorithms),
    types: whenGiven('jwtTypes', settings.jwtTypes),
    max_ttl_sec: whenGiven('jwtMaximumLifetimeSeconds', settings.jwtMaximumLifetimeSeconds),
    subject: whenGiven('jwtSubClaim', settings.jwtSubClaim),
    scopes: settings.jwtScopesClaim === null ? undefined : [settings.jwtScopesClaim],
    roles: rolesByVariables(settings, given),
    grants: settings.jwtGrants ?? undefined,
    require: requiredByVariable(settings.jwtRequiredClaims, problems),
  };
  return { declared, problems };
}

/** One of the two role claims may be named: without a provider and without named scopes the other keeps its default. */
function rolesByVariables(settings: Settings, given: ReadonlySet<SettingKey>): readonly string[] | undefined {
  const keys = (['roleClaim', 'rolesClaim'] as const).filter((key) => given.has(key));
  if (keys.length === 0) return undefined;
  const defaultsCount = settings.provider === null && settings.jwtScopesClaim === null;
  return [...new Set((defaultsCount ? (['roleClaim', 'rolesClaim'] as const) : keys).map((key) => settings[key]))];
}

function requiredByVariable(text: string | null, problems: Problem[]): DeclaredIssuer['require'] {
  if (text === null) return undefined;
  const document = parseStrictJson(text);
  const parsed = members.require.schema.safeParse(document);
  if (parsed.success) return parsed.data;
  problems.push({
    variable: variables.jwtRequiredClaims.name,
    found: document === undefined ? 'malformed JSON, or a member given twice' : 'something else',
    accepted: members.require.accepts,
  });
  return undefined;
}

/** The scopes of further roles, for every issuer (`TGEFD_ROLE_SCOPES`). */
export function furtherRoles(text: string | null): {
  readonly roles: Readonly<Record<string, readonly string[]>>;
  readonly problems: readonly Problem[];
} {
  if (text === null) return { roles: {}, problems: [] };
  const document = parseStrictJson(text);
  const parsed = members.role_scopes.schema.safeParse(document);
  if (parsed.success) return { roles: parsed.data, problems: [] };
  const found = document === undefined ? 'malformed JSON, or a member given twice' : 'something else';
  return {
    roles: {},
    problems: [{ variable: variables.roleScopes.name, found, accepted: members.role_scopes.accepts }],
  };
}
