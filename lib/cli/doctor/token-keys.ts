import { discoveryUrls, issuerUrl, readDiscovery } from '../../authenticate/jwks/discovery.ts';
import { parseKeySet } from '../../authenticate/jwks/json-web-key-set.ts';
import { fetchKeySet } from '../../authenticate/jwks/key-set-fetch.ts';
import { signatureAlgorithms, verifySignature } from '../../authenticate/jwt/algorithms.ts';
import type { CompactJws } from '../../authenticate/jwt/compact-jws.ts';
import { providers } from '../../authenticate/providers/table.ts';
import { sleep } from '../../codec/sleep.ts';
import { isLoopback } from '../../config/rules/check.ts';
import type { TokenSettings } from './token-settings.ts';

/** What is known of the keys of a token's issuer. */
export interface KeysFound {
  readonly lines: readonly string[];
  /** URL to write down, since discovery does not find the keys; null: discovery does, or nothing is known. */
  readonly keys: string | null;
  /** Whether a key of the issuer verified the token; null: that could not be tried. */
  readonly verified: boolean | null;
}

const timeoutMs = 5_000;
const wire = { fetch: (input: string, init?: RequestInit) => fetch(input, init), sleep };

/**
 * Asks the issuer of a token for its metadata and keys, and tries them on the signature. The issuer is the token's own word,
 * so only `https:` (and `http:` on loopback hosts) is asked, redirects are not followed, and keys are fetched from hosts only
 * that the authorizer would go to.
 */
export async function keysOf(
  jws: CompactJws,
  token: string,
  settings: TokenSettings,
  offline: boolean,
  env: Readonly<Record<string, string | undefined>>,
): Promise<KeysFound> {
  const [issuer = ''] = settings.row.issuer ?? [];
  const base = issuerUrl(issuer);
  const unknown = (line: string): KeysFound => ({ lines: [line], keys: null, verified: null });
  if (offline) return unknown('not asked for (--offline)');
  if (base === null || !(base.protocol === 'https:' || isLoopback(base)))
    return unknown(
      'the issuer is no URL that can be asked: name a key set (`keys`, TGEFD_JWKS_URL or TGEFD_JWKS_FILE)',
    );
  const provider = settings.provider === null ? null : providers[settings.provider];
  if (provider?.keySetPath) return tryKeys(jws, token, new URL(provider.keySetPath, base).href, ['by the provider']);
  const keySetHosts = [...(provider?.keySetHosts ?? []), ...(env.TGEFD_EGRESS_ALLOW ?? '').split(/[\s,]+/)];
  for (const url of discoveryUrls(issuer)) {
    const metadata = await fetchKeySet(url, timeoutMs, wire);
    if (!('text' in metadata)) continue;
    const found = readDiscovery(metadata.text, { issuer, keySetHosts });
    if ('keySetUrl' in found) return tryKeys(jws, token, found.keySetUrl, [`found by discovery at ${url}`]);
    return found.host === null
      ? unknown(`the metadata at ${url} cannot be used: ${found.problem}`)
      : unknown(`the metadata names keys at ${found.host}: allow it with TGEFD_EGRESS_ALLOW=${found.host}`);
  }
  return unknown('the issuer publishes no metadata that can be read: name a key set (`keys` or TGEFD_JWKS_URL)');
}

async function tryKeys(jws: CompactJws, token: string, url: string, lines: readonly string[]): Promise<KeysFound> {
  const fetched = await fetchKeySet(url, timeoutMs, wire);
  if (!('text' in fetched))
    return { lines: [...lines, `${url} cannot be read: ${fetched.problem}`], keys: null, verified: null };
  const { alg, kid } = jws.header;
  const algorithm = typeof alg === 'string' ? signatureAlgorithms.get(alg) : undefined;
  if (algorithm === undefined || typeof alg !== 'string' || alg === 'HS256')
    return { lines: [...lines, 'the algorithm of the token uses no public key'], keys: null, verified: false };
  const parsed = await parseKeySet(fetched.text, { algorithms: [alg], uses: ['sig', 'jwt-svid'] }, null);
  if ('problem' in parsed)
    return { lines: [...lines, `no key fits ${alg}: ${parsed.problem}`], keys: null, verified: false };
  const answer = parsed.set.find(typeof kid === 'string' ? kid : null, alg);
  if (answer.found !== 'keys')
    return { lines: [...lines, 'none of them has the kid of the token'], keys: null, verified: false };
  const signed = new TextEncoder().encode(token.slice(0, token.lastIndexOf('.')));
  const tries = await Promise.all(answer.keys.map(({ key }) => verifySignature(key, algorithm, jws.signature, signed)));
  const verified = tries.includes(true);
  return {
    lines: [...lines, verified ? 'a key of the issuer verifies the token' : 'no key of the issuer verifies the token'],
    keys: null,
    verified,
  };
}
