import type { CompactJws } from '../../authenticate/jwt/compact-jws.ts';
import { guessProvider } from '../../authenticate/providers/guess.ts';
import type { ProviderName } from '../../authenticate/providers/provider.ts';
import { providers, usualRoleClaims, usualScopeClaims } from '../../authenticate/providers/table.ts';
import { compileClaimPath } from '../../codec/claim-path.ts';
import { listedNames, listedRoles, scalarText } from '../../codec/claim-values.ts';
import type { JsonObject } from '../../codec/strict-json.ts';
import { entraTenantOf } from '../../config/issuers/complete.ts';
import type { DeclaredIssuer } from '../../config/issuers/issuer.ts';

/** Settings under which a token would be accepted, and what an operator still has to decide. */
export interface TokenSettings {
  readonly provider: ProviderName | null;
  /** Members of a row of `TGEFD_ISSUERS`; keys are left to discovery where `keys` is absent. */
  readonly row: DeclaredIssuer;
  readonly remarks: readonly string[];
}

/** A claim that may hold scopes or roles, with the names that it lists. */
export interface NamesAt {
  readonly path: string;
  readonly names: readonly string[];
}

const furtherScopeClaims = ['permissions', 'org_permissions'] as const;
const furtherRoleClaims = [
  'groups',
  'cognito:groups',
  'org_role',
  'realm_access.roles',
  'app_metadata.roles',
  'urn:zitadel:iam:org:project:roles',
] as const;
const standInsForAudience = ['client_id', 'azp', 'cid'] as const;
const standInsForSubject = ['common_name', 'client_id', 'azp', 'email'] as const;
/** Audiences that a provider puts into every token: Auth0's own endpoint, Keycloak's account console. */
const everyTokens = /^account$|^https:\/\/[^/]+\/userinfo$/;
/** Roles that Keycloak gives to everybody. */
const everybodysRoles = /^(offline_access|uma_authorization|default-roles-.*)$/;
const productLimitSeconds = 3600;

/**
 * Works out the settings that fit one token. The token is only read: nothing about it is verified.
 *
 * @param jws - the token, taken apart.
 * @returns the settings, with remarks for whoever reads them.
 * @example
 * settingsFor(jws).row.provider;
 */
export function settingsFor({ header, claims }: Pick<CompactJws, 'header' | 'claims'>): TokenSettings {
  const provider = guessProvider(claims);
  const defaults = provider === null ? null : providers[provider];
  const remarks: string[] = [];
  const audience = audienceOf(claims, defaults?.audienceClaim ?? null, remarks);
  const scopes = namesAt([...(defaults?.scopes ?? usualScopeClaims), ...furtherScopeClaims], claims, listedNames);
  const roles = namesAt(rolePaths(defaults?.roles ?? usualRoleClaims, claims), claims, listedRoles);
  const role_scopes = roleScopesOf(roles);
  if (role_scopes !== undefined)
    remarks.push('Write the scopes of each role into `role_scopes`: a role with an empty list grants nothing.');
  const knownRoles = [...(defaults?.roles ?? usualRoleClaims), ...(audience.audience ?? []).map(rolesOfClient)];
  const newRolePaths = roles.map(({ path }) => path).filter((path) => !knownRoles.includes(path));
  if (provider === 'cloudflare-access')
    remarks.push(
      'Access sends it in `Cf-Access-Jwt-Assertion`: set TGEFD_JWT_HEADER and an empty TGEFD_JWT_BEARER_PREFIX too.',
    );
  const row: DeclaredIssuer = {
    issuer: issuerOf(claims, provider, remarks),
    provider: provider ?? undefined,
    ...audience,
    algorithms: algorithmsOf(header, defaults?.algorithms ?? ['RS256'], remarks),
    types: typesOf(header),
    max_ttl_sec: lifetimeOf(claims, defaults?.maximumLifetimeSeconds ?? productLimitSeconds, remarks),
    subject: subjectOf(claims, defaults?.subject ?? ['sub'], remarks),
    scopes: scopesOf(scopes, defaults?.scopes ?? usualScopeClaims),
    roles: newRolePaths.length > 0 ? roles.map(({ path }) => path) : undefined,
    grants: roles.length > 0 && scopes.length > 0 && defaults?.grants !== 'union' ? 'union' : undefined,
    role_scopes,
    require: requiredOf(claims, provider, remarks),
  };
  return { provider, row: JSON.parse(JSON.stringify(row)) as DeclaredIssuer, remarks };
}

/** The claim that names the caller: the first that is a non-empty text, else the one that should be. */
export function subjectClaim(
  claims: JsonObject,
  { provider, row }: Pick<TokenSettings, 'provider' | 'row'>,
): { readonly path: string; readonly value: unknown } {
  const paths = row.subject ?? (provider === null ? ['sub'] : providers[provider].subject);
  const read = paths.map((path) => ({ path, value: compileClaimPath(path).read(claims) }));
  return (
    read.find(({ value }) => typeof value === 'string' && value !== '') ?? read[0] ?? { path: 'sub', value: undefined }
  );
}

/** Claims that list something, at the places where scopes and roles stand. */
export function placesOf({ claims }: Pick<CompactJws, 'claims'>): {
  readonly scopes: readonly NamesAt[];
  readonly roles: readonly NamesAt[];
} {
  return {
    scopes: namesAt([...usualScopeClaims, ...furtherScopeClaims], claims, listedNames),
    roles: namesAt(rolePaths(usualRoleClaims, claims), claims, listedRoles),
  };
}

function namesAt(
  paths: readonly string[],
  claims: JsonObject,
  read: (value: unknown) => readonly string[],
): readonly NamesAt[] {
  return [...new Set(paths)]
    .map((path) => ({ path, names: read(compileClaimPath(path).read(claims)) }))
    .filter(({ names }) => names.length > 0);
}

/** Keycloak keeps the roles of each client under the client's name. */
function rolePaths(usual: readonly string[], claims: JsonObject): readonly string[] {
  const clients = claims.resource_access;
  const names =
    typeof clients === 'object' && clients !== null ? Object.keys(clients).filter((id) => id !== 'account') : [];
  return [...usual, ...furtherRoleClaims, ...names.slice(0, 20).map(rolesOfClient)];
}

function rolesOfClient(id: string): string {
  return `/resource_access/${id.replaceAll('~', '~0').replaceAll('/', '~1')}/roles`;
}

function issuerOf(claims: JsonObject, provider: ProviderName | null, remarks: string[]): readonly string[] | undefined {
  const { iss, sub } = claims;
  if (typeof iss === 'string' && iss !== '') return [iss];
  if (provider === 'spiffe' && typeof sub === 'string') return [sub.split('/').slice(0, 3).join('/')];
  remarks.push('The token names no issuer (`iss`): production refuses it.');
  return undefined;
}

function audienceOf(claims: JsonObject, byProvider: string | null, remarks: string[]): Partial<DeclaredIssuer> {
  const named = [claims.aud].flat().filter((value) => typeof value === 'string');
  if (Object.hasOwn(claims, 'aud')) {
    if (named.length === 0) remarks.push('`aud` is neither a text nor a list of texts: the token is refused.');
    const ours = (named as string[]).filter((value) => !everyTokens.test(value));
    if (ours.length > 1) remarks.push(`\`aud\` lists ${ours.length} audiences: keep the one that means this API.`);
    return { audience: ours.length > 0 ? ours : (named as string[]) };
  }
  const claim = [...(byProvider === null ? [] : [byProvider]), ...standInsForAudience].find(
    (name) => typeof claims[name] === 'string' && claims[name] !== '',
  );
  if (claim === undefined) {
    remarks.push('The token has no `aud`, and no claim that could stand in for it: production refuses it.');
    return {};
  }
  remarks.push(`The token has no \`aud\`: \`${claim}\` stands in for it.`);
  return { audience: [String(claims[claim])], ...(claim === byProvider ? {} : { audience_claim: claim }) };
}

function algorithmsOf(header: JsonObject, usual: readonly string[], remarks: string[]): readonly string[] | undefined {
  const { alg } = header;
  if (typeof alg !== 'string' || /^(HS|none$)/i.test(alg)) {
    remarks.push(
      `The algorithm ${scalarText(alg) ?? 'of the token'} is refused in production: sign with a private key.`,
    );
    return undefined;
  }
  return usual.includes(alg) ? undefined : [alg];
}

function typesOf({ typ }: JsonObject): readonly string[] | undefined {
  return typeof typ !== 'string' || /^(application\/)?(jwt|at\+jwt)$/i.test(typ) ? undefined : [typ];
}

function lifetimeOf({ exp, iat }: JsonObject, limitSeconds: number, remarks: string[]): number | undefined {
  if (typeof exp !== 'number') remarks.push('The token never expires (`exp` is missing): it is refused.');
  if (typeof iat !== 'number') remarks.push('The token has no `iat`: its lifetime cannot be limited.');
  if (typeof exp !== 'number' || typeof iat !== 'number') return undefined;
  return exp - iat > limitSeconds ? Math.ceil(exp - iat) : undefined;
}

function subjectOf(claims: JsonObject, usual: readonly string[], remarks: string[]): readonly string[] | undefined {
  const names = (path: string) => {
    const value = compileClaimPath(path).read(claims);
    return typeof value === 'string' && value !== '';
  };
  if (usual.some(names)) return undefined;
  const other = standInsForSubject.find(names);
  if (other === undefined) remarks.push('No claim names the caller: the token is refused.');
  return other === undefined ? undefined : [other];
}

function scopesOf(found: readonly NamesAt[], usual: readonly string[]): readonly string[] | undefined {
  const other = found.filter(({ path }) => !usual.includes(path));
  // With permissions in the token, `scope` says only what the client asked for.
  return other.length > 0 ? other.map(({ path }) => path) : undefined;
}

const plansRoles = ['admin', 'analyst', 'reader'];

function roleScopesOf(roles: readonly NamesAt[]): Readonly<Record<string, readonly string[]>> | undefined {
  const unknown = roles
    .flatMap(({ names }) => names)
    .filter((name) => !plansRoles.includes(name.toLowerCase()) && !everybodysRoles.test(name));
  return unknown.length === 0
    ? undefined
    : Object.fromEntries([...new Set(unknown)].slice(0, 20).map((name) => [name, []]));
}

function requiredOf(
  claims: JsonObject,
  provider: ProviderName | null,
  remarks: string[],
): DeclaredIssuer['require'] | undefined {
  if (provider === 'entra' && typeof claims.iss === 'string') return requiredOfTenant(claims.iss, remarks);
  const strangersUnless = provider === null ? [] : providers[provider].strangersUnless;
  if (strangersUnless.length === 0) return undefined;
  const claim = strangersUnless.find((path) => scalarText(compileClaimPath(path).read(claims)) !== null);
  if (claim === undefined) {
    remarks.push(`Anybody may get tokens of this issuer: require one of ${strangersUnless.join(', ')}.`);
    return undefined;
  }
  remarks.push(`Anybody may get tokens of this issuer: \`${claim}\` keeps strangers out. Check its value.`);
  return { [claim]: [scalarText(compileClaimPath(claim).read(claims)) ?? ''] };
}

/** An issuer of Entra that names a tenant demands `tid` by itself. */
function requiredOfTenant(issuer: string, remarks: string[]): undefined {
  remarks.push(
    entraTenantOf(issuer) === null
      ? 'This issuer names no tenant, or that of personal accounts: anybody may get its tokens. Use the issuer of your own tenant.'
      : 'This issuer is one tenant, and `tid` must be that tenant: tokens of other tenants are refused without further settings.',
  );
}
