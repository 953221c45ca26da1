import { issuerUrl } from '../../authenticate/jwks/discovery.ts';
import { keySetFault } from '../../authenticate/jwks/json-web-key-set.ts';
import type { Problem } from '../problem.ts';
import { isLoopback } from '../rules/check.ts';
import type { Environment, Platform } from '../variable.ts';
import { isTrustDomain } from './complete.ts';
import type { IssuerMember, IssuerSettings } from './issuer.ts';
import { issuerTraps } from './traps.ts';

/**
 * What the members of one issuer demand of each other and of the place where they are used.
 *
 * @param issuer - the issuer, completed.
 * @param place - environment and platform.
 * @returns one problem for each demand that is not met.
 * @example
 * issuerProblems(issuer, { environment: 'production', platform: 'node' });
 */
export function issuerProblems(
  issuer: IssuerSettings,
  place: { readonly environment: Environment; readonly platform: Platform },
): readonly Problem[] {
  const problems: Problem[] = [];
  const problem = (member: IssuerMember, found: string, accepted: string) =>
    problems.push({ variable: issuer.setBy[member], found, accepted });
  const production = place.environment === 'production';

  if (production && issuer.spellings.length === 0)
    problem('issuer', 'nothing', 'the issuer: production enforces `iss`');
  if (production && issuer.audiences.length === 0)
    problem('audience', 'nothing', 'the audience: production enforces `aud`');
  if (issuer.provider === 'spiffe' && issuer.trustDomain === null)
    problem('issuer', 'no trust domain', 'a trust domain such as `spiffe://example.org`, since the provider is spiffe');
  if (
    issuer.provider === 'entra' &&
    issuer.spellings.some((spelling) => /\/(common|organizations)(\/|$)/.test(spelling))
  )
    problem(
      'issuer',
      'an issuer of no tenant',
      'the issuer of your tenant: tokens never name `common` or `organizations`',
    );
  for (const trap of issuerTraps(issuer)) problem(...trap);
  keyProblems(issuer, place, problem);
  if (issuer.algorithms.length === 0 && issuer.keys.from !== 'secret')
    problem(
      'algorithms',
      'no asymmetric algorithm',
      'at least one asymmetric algorithm, since keys come from a key set',
    );
  const asked = issuer.introspection;
  const overLoopback = place.environment === 'development' && asked !== null && isLoopback(asked.url);
  if (asked?.url.protocol === 'http:' && !overLoopback)
    problem('introspection', 'an http: URL', 'an https: URL, or in development http: on a loopback host');
  if (asked?.clientSecretFile != null && place.platform === 'worker')
    problem('introspection', 'a file', '"client_secret" on a Worker, which has no files');
  const roles = Object.keys(issuer.roleScopes).map((role) => role.toLowerCase());
  if (new Set(roles).size < roles.length)
    problem('role_scopes', 'a role twice', 'each role once: names compare in lower case');
  return problems;
}

type Report = (member: IssuerMember, found: string, accepted: string) => void;

function keyProblems(
  { keys, keysTokenFile, algorithms, provider }: IssuerSettings,
  { environment, platform }: { readonly environment: Environment; readonly platform: Platform },
  problem: Report,
): void {
  const development = environment === 'development';
  const reachable = (url: URL) =>
    url.protocol === 'https:' || (development && url.protocol === 'http:' && isLoopback(url));
  const unless = development ? ', or http: on a loopback host' : '';
  switch (keys.from) {
    case 'url':
      if (!reachable(keys.url)) problem('keys', 'an http: URL', `an https: URL${unless}`);
      break;
    case 'discovery': {
      const url = isTrustDomain(keys.issuer) ? null : issuerUrl(keys.issuer);
      if (url === null || !reachable(url))
        problem('keys', 'nothing', `the URL of the key set, or an issuer that is an https: URL${unless}`);
      break;
    }
    case 'file':
      if (platform === 'worker') problem('keys', 'a file', 'a URL or the keys themselves: a Worker has no files');
      break;
    case 'inline': {
      const uses = provider === 'spiffe' ? ['sig', 'jwt-svid'] : ['sig'];
      const fault = algorithms.length === 0 ? null : keySetFault(keys.text, { algorithms, uses });
      if (fault !== null) problem('keys', fault, `public keys for ${algorithms.join(', ')}`);
      break;
    }
    case 'secret':
      break;
  }
  if (keysTokenFile === null) return;
  if (platform === 'worker') problem('keys_token_file', 'a path', 'nothing here: a Worker has no files');
  if (keys.from !== 'url' && keys.from !== 'discovery')
    problem('keys_token_file', 'a path', 'nothing: the keys are not fetched');
}

/** Two issuers that share a spelling: nobody could say whose key verifies such a token. */
export function sharedSpellings(issuers: readonly IssuerSettings[]): readonly Problem[] {
  const seen = new Map<string, IssuerSettings>();
  const problems: Problem[] = [];
  for (const issuer of issuers) {
    for (const spelling of issuer.spellings) {
      const other = seen.get(spelling);
      if (other !== undefined)
        problems.push({
          variable: issuer.setBy.issuer,
          found: JSON.stringify(spelling.slice(0, 80)),
          accepted: `an issuer that stands in one row only, not also in ${other.setBy.issuer}`,
        });
      else seen.set(spelling, issuer);
    }
  }
  return problems;
}

/** With two issuers to ask, nobody could say which of them an opaque token is from. */
export function severalIntrospections(issuers: readonly IssuerSettings[]): readonly Problem[] {
  const [, second] = issuers.filter(({ introspection }) => introspection !== null);
  if (second === undefined) return [];
  const accepted = '"introspection" at one issuer only: nobody could say whom to ask';
  return [{ variable: second.setBy.introspection, found: 'a second introspection', accepted }];
}
