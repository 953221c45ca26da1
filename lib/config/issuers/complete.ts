import type { Provider, ProviderName } from '../../authenticate/providers/provider.ts';
import { providers, usualRoleClaims, usualScopeClaims } from '../../authenticate/providers/table.ts';
import type { WantedValue } from '../../codec/claim-values.ts';
import type { DeclaredIssuer, IssuerMember, IssuerSettings, KeysFrom } from './issuer.ts';

/** What holds for an issuer where neither the configuration nor its provider says anything. */
export interface IssuerDefaults {
  readonly algorithms: readonly string[];
  readonly types: readonly string[];
  readonly maximumLifetimeSeconds: number | null;
  /** Where no keys are named: the shared secret, or what discovery finds. */
  readonly keys: 'secret' | 'discovery';
  /** Hosts that discovery may go to beside the issuer's own (`TGEFD_EGRESS_ALLOW`). */
  readonly keySetHosts: readonly string[];
  readonly identifiesByIssuer: boolean;
  /** What sets a member: a variable, or a member of a row. */
  readonly nameOf: (member: IssuerMember) => string;
}

/**
 * Fills in what the configuration leaves out of one issuer: from its provider where one is named, else from the defaults.
 * Judges nothing: `issuerProblems` does.
 *
 * @param declared - what the configuration says.
 * @param defaults - what holds otherwise.
 * @returns the issuer with nothing left out.
 * @example
 * completeIssuer({ issuer: ['https://t.auth0.com/'], provider: 'auth0' }, defaults).maximumLifetimeSeconds; // 86400
 */
export function completeIssuer(declared: DeclaredIssuer, defaults: IssuerDefaults): IssuerSettings {
  const provider = declared.provider === undefined ? null : providers[declared.provider];
  const spellings = withSpellings(declared.issuer ?? [], provider);
  const keys = declared.keys ?? keysOf(spellings, provider, defaults);
  const audiences = declared.audience ?? [];
  const scopesNamed = declared.scopes !== undefined;
  const algorithms = declared.algorithms ?? provider?.algorithms ?? defaults.algorithms;
  const seconds = declared.max_ttl_sec ?? provider?.maximumLifetimeSeconds ?? defaults.maximumLifetimeSeconds;
  return {
    spellings,
    trustDomain: declared.provider === 'spiffe' ? (spellings.find(isTrustDomain) ?? null) : null,
    provider: declared.provider ?? null,
    audiences,
    audienceClaim: declared.audience_claim ?? provider?.audienceClaim ?? null,
    keys,
    keySetHosts: [...(provider?.keySetHosts ?? []), ...defaults.keySetHosts],
    keysTokenFile: declared.keys_token_file ?? null,
    algorithms: algorithms.filter((algorithm) => (algorithm === 'HS256') === (keys.from === 'secret')),
    types: declared.types ?? defaults.types,
    maximumLifetimeSeconds: seconds || null,
    subject: declared.subject ?? provider?.subject ?? ['sub'],
    scopes: declared.scopes ?? provider?.scopes ?? usualScopeClaims,
    scopesNamed,
    // Once scope claims are named, no default may grant anything beside them.
    roles: declared.roles ?? (scopesNamed ? [] : defaultRoles(declared.provider, provider, audiences)),
    grants: declared.grants ?? provider?.grants ?? 'first',
    roleScopes: declared.role_scopes ?? {},
    required: { ...provider?.required, ...tenantOf(declared.provider, spellings), ...declared.require },
    identifiesByIssuer: defaults.identifiesByIssuer,
    setBy: namesOf(declared, provider, defaults.nameOf),
    introspection: declared.introspection ?? null,
  };
}

/** A SPIFFE trust domain as `iss` or as configured (SPIFFE-ID §2.1). */
export function isTrustDomain(text: string): boolean {
  return /^spiffe:\/\/[a-z0-9._-]{1,255}$/.test(text);
}

function withSpellings(given: readonly string[], provider: Provider | null): readonly string[] {
  const further = provider?.spellings.some((spelling) => given.includes(spelling)) ? provider.spellings : [];
  return [...new Set([...given, ...further])];
}

function keysOf(spellings: readonly string[], provider: Provider | null, defaults: IssuerDefaults): KeysFrom {
  if (defaults.keys === 'secret') return { from: 'secret' };
  // An issuer with several spellings publishes under the first that is a URL.
  const issuer =
    spellings.find((spelling) => spelling.includes('://') && !isTrustDomain(spelling)) ?? spellings[0] ?? '';
  if (provider?.keySetPath && URL.canParse(provider.keySetPath, issuer))
    return { from: 'url', url: new URL(provider.keySetPath, issuer) };
  return { from: 'discovery', issuer };
}

function defaultRoles(
  name: ProviderName | undefined,
  provider: Provider | null,
  audiences: readonly string[],
): readonly string[] {
  const roles = provider?.roles ?? usualRoleClaims;
  if (name !== 'keycloak') return roles;
  // Keycloak keeps the roles of a client under the client's id, and the API is a client.
  const ofClients = audiences.map((id) => `/resource_access/${id.replaceAll('~', '~0').replaceAll('/', '~1')}/roles`);
  return [...roles, ...ofClients];
}

const tenantId = /\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(?:v2\.0)?$/i;
/** Tenant of personal Microsoft accounts: anybody may have one. */
const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad';

/**
 * Reads the tenant out of an issuer of Microsoft Entra ID.
 *
 * @param issuer - the issuer, version 1 or 2.
 * @returns the id of the tenant in lower case, or null when the issuer names none or everybody can have an account there.
 */
export function entraTenantOf(issuer: string): string | null {
  const tenant = tenantId.exec(issuer)?.[1]?.toLowerCase() ?? null;
  return tenant === consumers ? null : tenant;
}

/** Entra writes the tenant into the issuer too, and `tid` must be that one. */
function tenantOf(
  name: ProviderName | undefined,
  spellings: readonly string[],
): Readonly<Record<string, readonly WantedValue[]>> {
  if (name !== 'entra') return {};
  const known = spellings.map(entraTenantOf).filter((tenant) => tenant !== null);
  return known.length === spellings.length && known.length > 0 ? { tid: [...new Set(known)] } : {};
}

const memberNames = [
  'issuer',
  'provider',
  'audience',
  'audience_claim',
  'keys',
  'keys_token_file',
  'algorithms',
  'types',
  'max_ttl_sec',
  'subject',
  'scopes',
  'roles',
  'grants',
  'role_scopes',
  'require',
  'introspection',
] as const satisfies readonly IssuerMember[];

/** Members for which a provider has a default of its own. */
function providedMembers(provider: Provider): ReadonlySet<IssuerMember> {
  const provided: IssuerMember[] = ['algorithms', 'subject', 'scopes', 'roles', 'grants'];
  if (provider.audienceClaim !== null) provided.push('audience_claim');
  if (provider.maximumLifetimeSeconds !== null) provided.push('max_ttl_sec');
  if (Object.keys(provider.required).length > 0) provided.push('require');
  if (provider.keySetPath !== null) provided.push('keys');
  return new Set(provided);
}

function namesOf(
  declared: DeclaredIssuer,
  provider: Provider | null,
  nameOf: (member: IssuerMember) => string,
): Readonly<Record<IssuerMember, string>> {
  const provided = provider === null ? new Set<IssuerMember>() : providedMembers(provider);
  return Object.fromEntries(
    memberNames.map((member) => [
      member,
      declared[member] === undefined && provided.has(member)
        ? `${nameOf(member)} (default of the provider ${declared.provider})`
        : nameOf(member),
    ]),
  ) as Record<IssuerMember, string>;
}
