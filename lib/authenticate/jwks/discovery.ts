import { isJsonObject, member, parseStrictJson } from '../../codec/strict-json.ts';

/** What is wrong with the metadata of an issuer. */
export type DiscoveryProblem =
  | 'discovery_not_json'
  | 'discovery_issuer_differs'
  | 'discovery_without_keys'
  | 'discovery_host_refused';

export type Discovered =
  | { readonly keySetUrl: string }
  | { readonly problem: DiscoveryProblem /** The refused host, or null. */; readonly host: string | null };

/** Where an issuer's metadata may tell that its keys are. */
export interface DiscoveryRules {
  /** The issuer, exactly as the metadata must write it. */
  readonly issuer: string;
  /** Authorities besides the issuer's own, as `URL.host` writes them. */
  readonly keySetHosts: readonly string[];
}

/**
 * The URLs at which an issuer publishes its metadata, in the order in which they are asked: OpenID Connect Discovery 1.0
 * §4.1, then RFC 8414 §3.1.
 *
 * @param issuer - an `https:` URL.
 * @returns the two URLs; empty when the issuer is no URL, such as a SPIFFE trust domain.
 * @example
 * discoveryUrls('https://id.example/realms/a')[1]; // 'https://id.example/.well-known/oauth-authorization-server/realms/a'
 */
export function discoveryUrls(issuer: string): readonly string[] {
  const base = issuerUrl(issuer);
  if (base === null) return [];
  const path = base.pathname.replace(/\/$/, '');
  return [
    `${base.origin}${path}/.well-known/openid-configuration`,
    `${base.origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/**
 * The URLs at which a transmitter of security events publishes its metadata: OpenID Shared Signals Framework 1.0 §7.2 first,
 * then those of every issuer.
 *
 * @param issuer - an `https:` URL.
 * @returns the URLs; empty when the issuer is no URL.
 * @example
 * transmitterUrls('https://id.example/realms/a')[0]; // 'https://id.example/.well-known/ssf-configuration/realms/a'
 */
export function transmitterUrls(issuer: string): readonly string[] {
  const base = issuerUrl(issuer);
  if (base === null) return [];
  const path = base.pathname.replace(/\/$/, '');
  // Keycloak below a path of its own publishes behind it only.
  const own = [`/.well-known/ssf-configuration${path}`, `${path}/.well-known/ssf-configuration`];
  return [...new Set(own.map((each) => `${base.origin}${each}`)), ...discoveryUrls(issuer)];
}

/** The URL that an issuer identifier is, or null. Query and fragment are not allowed in one (RFC 8414 §2). */
export function issuerUrl(issuer: string): URL | null {
  if (!/^https?:\/\//.test(issuer) || !URL.canParse(issuer)) return null;
  const url = new URL(issuer);
  return url.search + url.hash + url.username + url.password === '' && url.hostname !== '' ? url : null;
}

/**
 * Reads an issuer's metadata. Its `issuer` must be exactly ours (OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3), or one
 * issuer could lend another its keys. The host of `jwks_uri` must be the issuer's own or a listed one.
 *
 * @param text - the metadata as it was answered.
 * @param rules - whose metadata it must be, and where keys may be.
 * @returns the URL of the key set, or what is wrong.
 * @example
 * readDiscovery('{"issuer":"https://a.example","jwks_uri":"https://a.example/keys"}', rules);
 */
export function readDiscovery(text: string, { issuer, keySetHosts }: DiscoveryRules): Discovered {
  const metadata = parseStrictJson(text);
  if (!isJsonObject(metadata)) return { problem: 'discovery_not_json', host: null };
  const named = member(metadata, 'issuer');
  const own = issuerUrl(issuer);
  if (named !== issuer) return { problem: 'discovery_issuer_differs', host: null };
  const location = member(metadata, 'jwks_uri');
  if (typeof location !== 'string' || !URL.canParse(location)) return { problem: 'discovery_without_keys', host: null };
  const url = new URL(location);
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && own?.protocol === 'http:');
  if (!secure || url.username + url.password !== '') return { problem: 'discovery_without_keys', host: null };
  return url.host === own?.host || keySetHosts.includes(url.host)
    ? { keySetUrl: url.href }
    : { problem: 'discovery_host_refused', host: url.host };
}
