import type { Endpoint, ScopeDemand } from '../decision/request.ts';

/** Where the metadata of a protected resource begins (RFC 9728 §3). */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** URL of the metadata: the well-known path stands between the host and the path of the resource (RFC 9728 §3.1). */
export function metadataUrl(resource: URL): string {
  return `${resource.origin}${METADATA_PATH}${pathOf(resource)}`;
}

/** Whether the metadata is served at a path: at the well-known path alone, and with the path of the resource behind it. */
export function isMetadataPath(path: string, resource: URL): boolean {
  return path === METADATA_PATH || path === `${METADATA_PATH}${pathOf(resource)}`;
}

/** A lone slash after the host is left out of the well-known URL (RFC 9728 §3.1). */
function pathOf({ pathname }: URL): string {
  return pathname === '/' ? '' : pathname;
}

/** What the configuration says about a protected resource. */
export interface ResourceFacts {
  readonly resource: URL;
  /** Issuers whose tokens count; only URLs can be authorization servers. */
  readonly issuers: readonly string[];
  readonly endpoints: readonly Endpoint[];
  /** Algorithms of proofs of possession; null where tokens that demand one are refused. */
  readonly proofAlgorithms: readonly string[] | null;
  readonly proofsRequired: boolean;
}

/** The metadata of a protected resource (RFC 9728 §2): only what is true of this configuration, and nothing empty. */
export function resourceMetadata(facts: ResourceFacts): Readonly<Record<string, unknown>> {
  const { resource, issuers, endpoints, proofAlgorithms, proofsRequired } = facts;
  const servers = issuers.filter((issuer) => URL.canParse(issuer) && /^https?:/.test(issuer));
  const scopes = [...new Set(endpoints.filter(({ own }) => !own).flatMap(({ scope }) => namesIn(scope)))];
  return {
    // As it was configured: clients compare it character for character (RFC 9728 §3.3).
    resource: resource.pathname === '/' ? resource.origin : resource.href,
    ...(servers.length > 0 ? { authorization_servers: servers } : {}),
    ...(scopes.length > 0 ? { scopes_supported: scopes } : {}),
    bearer_methods_supported: ['header'],
    tls_client_certificate_bound_access_tokens: true,
    ...(proofAlgorithms === null ? {} : { dpop_signing_alg_values_supported: proofAlgorithms }),
    ...(proofsRequired ? { dpop_bound_access_tokens_required: true } : {}),
  };
}

function namesIn(scope: ScopeDemand): readonly string[] {
  if (scope === null) return [];
  if (typeof scope === 'string') return [scope];
  return 'any' in scope ? scope.any : scope.all;
}
