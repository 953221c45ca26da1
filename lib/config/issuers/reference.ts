import { providerNames } from '../../authenticate/providers/provider.ts';
import { providers } from '../../authenticate/providers/table.ts';
import type { IssuerMember } from './issuer.ts';
import { members } from './members.ts';

/** What each member of a row means, and what holds without it. */
const meanings: Readonly<Record<IssuerMember, string>> = {
  issuer:
    'Exact `iss`, or several spellings of the same issuer. All spellings are one identity, and the first goes upstream. Required. For SPIFFE the trust domain: it is compared with `sub` if a token has no `iss`.',
  provider: 'Provider whose defaults apply to the members below ([providers](providers.md)). Default: none.',
  audience: 'Accepted audiences; `aud` must contain one of them. Required in production.',
  audience_claim:
    'Claim that is compared with `audience` if a token has no `aud`. If a token has `aud`, only `aud` counts.',
  keys: 'The keys, or where they are. Default: discovery (`/.well-known/openid-configuration`, then RFC 8414). The `issuer` of the metadata must be exact. If discovery leads to a host that is neither the issuer’s nor one of its provider, `TGEFD_EGRESS_ALLOW` must name it.',
  keys_token_file:
    'File with a bearer token for the fetch of the keys, and of the metadata at the host of the issuer. It is read for each fetch.',
  algorithms:
    'Accepted signature algorithms. Default: that of the provider, else RS256. `EdDSA` and `Ed25519` each mean both.',
  types: 'Accepted values of the `typ` header. Default: as `TGEFD_JWT_TYP`.',
  max_ttl_sec: 'Longest `exp - iat`; 0 is off. Default: that of the provider, else as `TGEFD_JWT_MAX_TTL_SEC`.',
  subject:
    'Claims that may name the caller. The first one that is present and a non-empty text counts. Default: `sub`.',
  scopes:
    'Claims that hold scopes. The values of all claims that are present count together. If it is set, no other claim grants anything by default. Default: the first of `scope`, `scopes`, `scp`.',
  roles: 'Claims that hold roles. The values of all claims that are present count together. Default: `role`, `roles`.',
  grants: '`first`: roles count only in a token without a scopes claim. `union`: both count. Default: `first`.',
  role_scopes:
    'Scopes of further roles, besides the three roles that have a variable, and besides `TGEFD_ROLE_SCOPES`. Names compare in lower case.',
  require:
    'Claims that must have one of these values. If the claim is a list, it must contain one. A value that ends in `*` is a prefix.',
  introspection: 'Endpoint that says whether an opaque token is active (RFC 7662).',
};

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** `docs/reference/issuers.md`: the members of a row of `TGEFD_ISSUERS`. */
export function issuersPage(): string {
  const rows = Object.entries(members).map(
    ([name, { accepts }]) => `| \`${name}\` | ${cell(accepts)} | ${cell(meanings[name as IssuerMember])} |`,
  );
  return `# Issuers

Generated from \`lib/config/issuers\` by \`npm run docs\`; CI fails when it is stale.

\`TGEFD_ISSUERS\` (or \`TGEFD_ISSUERS_FILE\`, or the member \`issuers\` of the policy document) is a JSON array with one object for each
issuer. It replaces every variable that describes a single issuer; setting one of them too is a problem. Issuers share no keys, no caches
and no outages. A key id of one issuer never finds a key of another.

With \`TGEFD_ISSUERS\` issuer *and* subject identify a caller, also with one row. So when you move from the single variables, callers get
new budgets and new pseudonyms. Revocations by subject stay in force, because one without an issuer applies to every issuer.

| member | accepts | meaning |
|---|---|---|
${rows.join('\n')}

## Claim paths

A path is the exact name of a claim if the token has one. Otherwise a path that begins with \`/\` is a JSON Pointer (RFC 6901), and any
other path is names separated by dots: \`realm_access.roles\`, \`/resource_access/my-api/roles\`, \`https://example.com/roles\`.
JSONPath, brackets, \`*\` and commas are refused, because they would never match.

## Values

Scopes and roles are a text with names between spaces or commas, or a list of texts with one name each. Roles may also be the members
of an object. \`null\` counts as absent. Any other type grants nothing, but the token is not refused for it.
`;
}

/** `docs/reference/providers.md`: the named defaults of every provider. */
export function providersPage(): string {
  const code = (values: readonly string[]) => values.map((value) => `\`${cell(value)}\``).join(', ') || 'none';
  const sections = providerNames.map((name) => {
    const provider = providers[name];
    const required = Object.entries(provider.required).map(([path, values]) => `${path} = ${values.join(' or ')}`);
    return `## ${name}

${provider.title}. Guide: [${name}](../guides/providers/${name}.md)

| member | default |
|---|---|
| \`issuer\` (no default) | ${code([provider.issuer])} |
| \`audience\` (no default) | ${cell(provider.audience)} |
| \`audience_claim\` | ${code(provider.audienceClaim === null ? [] : [provider.audienceClaim])} |
| \`keys\` | ${provider.keySetPath === null ? (name === 'spiffe' ? 'none: name them' : 'discovery') : code([provider.keySetPath])} |
| hosts of keys besides the issuer's | ${code(provider.keySetHosts)} |
| \`algorithms\` | ${code(provider.algorithms)} |
| \`max_ttl_sec\` | ${provider.maximumLifetimeSeconds ?? 'as without a provider'} |
| \`subject\` | ${code(provider.subject)} |
| \`scopes\` (the first that a token has) | ${code(provider.scopes)} |
| \`roles\` | ${code(provider.roles)}${name === 'keycloak' ? ', and `/resource_access/AUDIENCE/roles` of each audience' : ''} |
| \`grants\` | \`${provider.grants}\` |
| \`require\` | ${code(required)}${name === 'entra' ? ', and `tid` = the tenant of the issuer' : ''} |
| claims of which \`require\` needs one, because everybody can get a token | ${code(provider.strangersUnless)} |`;
  });
  return `# Providers

Generated from \`lib/authenticate/providers/table.ts\` by \`npm run docs\`; CI fails when it is stale.

\`TGEFD_PROVIDER\`, or the member \`provider\` of an [issuer](issuers.md), names a set of defaults. A value of your configuration
replaces the default; members of \`require\` are added to those of the provider. If you set scopes, no default of a provider grants anything.

${sections.join('\n\n')}
`;
}
