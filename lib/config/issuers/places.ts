import { issuerUrl } from '../../authenticate/jwks/discovery.ts';
import { providers } from '../../authenticate/providers/table.ts';
import type { Place } from '../rules/check.ts';
import type { Settings } from '../variables.ts';
import { readIssuers } from './read.ts';

const anywhere: Place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false };

/**
 * Where the keys of the issuers are fetched, each with what names it: the key set's own URL, or with discovery the
 * issuer's host and the hosts of its provider.
 *
 * @param settings - every setting.
 * @returns the places; empty where all keys are in files or in the configuration.
 * @example
 * keyPlaces(settings).map(([url]) => url.host);
 */
export function keyPlaces(settings: Settings): readonly (readonly [url: URL, setBy: string])[] {
  const { issuers } = readIssuers(settings, new Set(), anywhere);
  const asked = issuers.flatMap(({ introspection, setBy }) =>
    introspection === null ? [] : [[introspection.url, setBy.introspection] as const],
  );
  const keyed = issuers.flatMap(({ keys, provider, setBy }): readonly (readonly [URL, string])[] => {
    if (keys.from === 'url') return [[keys.url, setBy.keys]];
    const own = keys.from === 'discovery' ? issuerUrl(keys.issuer) : null;
    if (own === null) return [];
    const hosts = provider === null ? [] : providers[provider].keySetHosts;
    return [[own, setBy.issuer], ...hosts.map((host) => [new URL(`https://${host}`), setBy.provider] as const)];
  });
  return [...keyed, ...asked];
}
