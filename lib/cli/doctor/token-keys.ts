import { type DiscoveryProblem, discoveryUrls, issuerUrl, readDiscovery } from '../../authenticate/jwks/discovery.ts';
import { parseKeySet } from '../../authenticate/jwks/json-web-key-set.ts';
import { type Fetched, type FetchProblem, fetchKeySet } from '../../authenticate/jwks/key-set-fetch.ts';
import { signatureAlgorithms, verifySignature } from '../../authenticate/jwt/algorithms.ts';
import type { CompactJws } from '../../authenticate/jwt/compact-jws.ts';
import { shownClaim } from '../../authenticate/jwt/token-issuer.ts';
import { providers } from '../../authenticate/providers/table.ts';
import { sleep } from '../../codec/sleep.ts';
import { isJsonObject, member, parseStrictJson } from '../../codec/strict-json.ts';
import { isLoopback } from '../../config/rules/check.ts';
import type { TokenSettings } from './token-settings.ts';

/** What is known of the keys of a token's issuer. */
export interface KeysFound {
  readonly lines: readonly string[];
  /** Whether the issuer was asked, and no key set of its was found. */
  readonly missing: boolean;
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
  const unknown = (...lines: string[]): KeysFound => ({ lines, missing: true, verified: null });
  if (offline) return { ...unknown('not asked for (--offline)'), missing: false };
  if (base === null || !(base.protocol === 'https:' || isLoopback(base)))
    return unknown(
      'the issuer is no URL that can be asked: name a key set (`keys`, TGEFD_JWKS_URL or TGEFD_JWKS_FILE)',
    );
  const provider = settings.provider === null ? null : providers[settings.provider];
  if (provider?.keySetPath) return tryKeys(jws, token, new URL(provider.keySetPath, base).href, ['by the provider']);
  const keySetHosts = [...(provider?.keySetHosts ?? []), ...(env.TGEFD_EGRESS_ALLOW ?? '').split(/[\s,]+/)];
  const failures: string[] = [];
  for (const url of discoveryUrls(issuer)) {
    const metadata = await fetchKeySet(url, timeoutMs, wire);
    if (!('text' in metadata)) {
      failures.push(`${url} ${failureTold(metadata)}`);
      // Both places are one server: the second says nothing new where the first does not answer.
      if (metadata.status === null) break;
      continue;
    }
    const found = readDiscovery(metadata.text, { issuer, keySetHosts });
    if ('keySetUrl' in found) return tryKeys(jws, token, found.keySetUrl, [`found by discovery at ${url}`]);
    if (found.host !== null)
      return unknown(
        `the metadata at ${url} names keys at ${found.host}: allow it with TGEFD_EGRESS_ALLOW=${found.host}, or name the URL of the keys`,
      );
    return unknown(`the metadata at ${url} cannot be used: ${metadataTold(found.problem, metadata.text, issuer)}`);
  }
  return unknown(...failures, 'not found by discovery: name a key set (`keys`, TGEFD_JWKS_URL or TGEFD_JWKS_FILE)');
}

const causes: Readonly<Record<FetchProblem, string>> = {
  unreachable: 'cannot be reached',
  connection_refused: 'cannot be reached: the connection was refused',
  name_unknown: 'cannot be reached: its host name is unknown',
  certificate_untrusted: 'shows a certificate that this machine does not trust',
  certificate_name_differs: 'shows a certificate for another name',
  timeout: `did not answer within ${timeoutMs / 1000} s`,
  status: 'answered without a document',
  refused: 'may not be asked',
  too_large: 'answered more than 512 KiB',
  not_utf8: 'answered something that is no text',
};

/** Why a document could not be fetched, as the end of a sentence that begins with its URL. */
function failureTold({ problem, status }: Extract<Fetched, { problem: FetchProblem }>): string {
  if (problem !== 'status' || status === null) return causes[problem];
  if (status === 401 || status === 403) return `answered ${status}: it wants a token (\`keys_token_file\`)`;
  return status >= 300 && status < 400
    ? `answered ${status}: redirects are not followed, so the issuer is another than the token says, or the keys need a URL`
    : `answered ${status}`;
}

function metadataTold(problem: DiscoveryProblem, text: string, issuer: string): string {
  if (problem !== 'discovery_issuer_differs') return metadataProblems[problem];
  const metadata = parseStrictJson(text);
  const named = isJsonObject(metadata) ? member(metadata, 'issuer') : undefined;
  return `it is of the issuer ${shownClaim(named)}, and the token of ${shownClaim(issuer)}. Both must be equal, to the last slash`;
}

const metadataProblems: Readonly<Record<Exclude<DiscoveryProblem, 'discovery_issuer_differs'>, string>> = {
  discovery_not_json: 'it is no JSON object',
  discovery_without_keys: 'it names no key set (`jwks_uri`) that may be fetched',
  discovery_host_refused: 'it names keys at another host',
};

async function tryKeys(jws: CompactJws, token: string, url: string, lines: readonly string[]): Promise<KeysFound> {
  const fetched = await fetchKeySet(url, timeoutMs, wire);
  if (!('text' in fetched))
    return { lines: [...lines, `${url} ${failureTold(fetched)}`], missing: true, verified: null };
  const { alg, kid } = jws.header;
  const algorithm = typeof alg === 'string' ? signatureAlgorithms.get(alg) : undefined;
  if (algorithm === undefined || typeof alg !== 'string' || alg === 'HS256')
    return { lines: [...lines, 'the algorithm of the token uses no public key'], missing: false, verified: false };
  const parsed = await parseKeySet(fetched.text, { algorithms: [alg], uses: ['sig', 'jwt-svid'] }, null);
  if ('problem' in parsed)
    return { lines: [...lines, `no key fits ${alg}: ${parsed.problem}`], missing: false, verified: false };
  const answer = parsed.set.find(typeof kid === 'string' ? kid : null, alg);
  if (answer.found !== 'keys')
    return { lines: [...lines, 'none of them has the kid of the token'], missing: false, verified: false };
  const signed = new TextEncoder().encode(token.slice(0, token.lastIndexOf('.')));
  const tries = await Promise.all(answer.keys.map(({ key }) => verifySignature(key, algorithm, jws.signature, signed)));
  const verified = tries.includes(true);
  return {
    lines: [...lines, verified ? 'a key of the issuer verifies the token' : 'no key of the issuer verifies the token'],
    missing: false,
    verified,
  };
}
