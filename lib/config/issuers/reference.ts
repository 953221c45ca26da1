import { providerNames } from '../../authenticate/providers/provider.ts';
import { providers } from '../../authenticate/providers/table.ts';
import type { IssuerMember } from './issuer.ts';
import { members } from './members.ts';

/** What each member of a row means, and what holds without it. */
const meanings: Readonly<Record<IssuerMember, string>> = {
  issuer:
    'Exact `iss`, or several spellings of the same issuer: one identity, and the first goes upstream. Required. For SPIFFE the trust domain, compared with `sub` where a token has no `iss`.',
  provider: 'Named defaults for what follows ([providers](providers.md)). Default: none.',
  audience: 'Values of which `aud` must contain one. Required in production.',
  audience_claim:
    'Claim that is compared with `audience` when a token has no `aud`. A token that has one is judged by it alone.',
  keys: 'Where the keys are. Default: discovery (`/.well-known/openid-configuration`, then RFC 8414), whose `issuer` must be exact. Keys elsewhere than on the host of the issuer need `TGEFD_EGRESS_ALLOW`.',
  keys_token_file:
    'File whose content is sent as bearer token with the fetch of the keys, and of the metadata at the host of the issuer. Read anew each time.',
  algorithms:
    'Signature algorithms. Default: that of the provider, else RS256. `EdDSA` and `Ed25519` each stand for both.',
  types: 'Values of the `typ` header. Default: as `TGEFD_JWT_TYP`.',
  max_ttl_sec: 'Longest `exp - iat`; 0 is off. Default: that of the provider, else as `TGEFD_JWT_MAX_TTL_SEC`.',
  subject: 'Claims that may name the caller: the first that is present and a non-empty text. Default: `sub`.',
  scopes:
    'Claims that hold scopes; the values of all that are present count together. Once named, nothing else grants by default. Default: the first of `scope`, `scopes`, `scp`.',
  roles: 'Claims that hold roles; the values of all that are present count together. Default: `role`, `roles`.',
  grants: '`first`: roles count only in a token without a scopes claim. `union`: both count. Default: `first`.',
  role_scopes:
    'Scopes of roles, in addition to the three that have a variable each, and to `TGEFD_ROLE_SCOPES`. Names compare in lower case.',
  require: 'Claims that must have one of these values; a list must contain one. A value that ends in `*` is a prefix.',
  introspection: 'Where opaque tokens are asked for (RFC 7662).',
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
issuer. It replaces every variable that describes a single issuer; one of them beside it is a problem. Keys, caches and outages of
one issuer never touch those of another, and the key id of one never finds a key of another.

With \`TGEFD_ISSUERS\` a caller is known by issuer *and* subject, also with one row. Moving there from the single variables therefore
starts new budgets and new pseudonyms. Revocations by subject go on to hold, since one without an issuer holds at every issuer.

| member | accepts | meaning |
|---|---|---|
${rows.join('\n')}

## Claim paths

A path is the exact name of a claim if the token has one. Otherwise a path that begins with \`/\` is a JSON Pointer (RFC 6901), and any
other path is names separated by dots: \`realm_access.roles\`, \`/resource_access/my-api/roles\`, \`https://example.com/roles\`.
JSONPath, brackets, \`*\` and commas are refused, since they would never match.

## Values

Scopes and roles are a text split on spaces or commas, or a list of texts, each one name. Roles may also be the members of an object.
\`null\` is an absent claim. Any other type grants nothing, and never refuses a token by itself.
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
| strangers get tokens too, unless one is required | ${code(provider.strangersUnless)} |`;
  });
  return `# Providers

Generated from \`lib/authenticate/providers/table.ts\` by \`npm run docs\`; CI fails when it is stale.

\`TGEFD_PROVIDER\`, or the member \`provider\` of an [issuer](issuers.md), names a set of defaults. Whatever the configuration says itself
counts instead; members of \`require\` are added to those of the provider. Once scopes are named, no default of a provider grants anything.

${sections.join('\n\n')}
`;
}
