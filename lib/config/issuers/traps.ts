import { claimPathFault } from '../../codec/claim-path.ts';
import { isJsonObject } from '../../codec/strict-json.ts';
import { nearest } from '../names.ts';
import type { IssuerMember, IssuerSettings } from './issuer.ts';

/** What the members of a row are called elsewhere. */
const SYNONYMS: Readonly<Record<string, IssuerMember>> = {
  iss: 'issuer',
  domain: 'issuer',
  url: 'issuer',
  aud: 'audience',
  audiences: 'audience',
  client_id: 'audience',
  jwks: 'keys',
  jwks_uri: 'keys',
  jwks_url: 'keys',
  alg: 'algorithms',
  algs: 'algorithms',
  typ: 'types',
  scope: 'scopes',
  scope_claim: 'scopes',
  role: 'roles',
  role_claim: 'roles',
  roles_claim: 'roles',
  sub: 'subject',
  subject_claim: 'subject',
  required_claims: 'require',
  claims: 'require',
};

/** Members that hold claim paths. */
const PATHS: ReadonlySet<string> = new Set(['audience_claim', 'subject', 'scopes', 'roles', 'require']);
const DISCOVERY = /\/\.well-known\/(openid-configuration|oauth-authorization-server)/;

/** The member that an unknown one was probably meant to be. */
export function memberMeant(name: string, known: readonly string[]): string {
  const synonym = Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : undefined;
  return `\`${synonym ?? nearest(name, known).name}\`?`;
}

/** What is wrong with the first claim path of a member that could not be read; null where it is something else. */
export function pathFault(member: string, value: unknown): string | null {
  if (!PATHS.has(member)) return null;
  const paths = isJsonObject(value as never) ? Object.keys(value as object) : [value].flat();
  for (const path of paths) {
    const fault = typeof path === 'string' ? claimPathFault(path) : null;
    if (fault !== null) return `a claim path ${fault}`;
  }
  return null;
}

/** Values that are no issuer and no key set although they look like a part of one. */
export function issuerTraps({ spellings, keys }: IssuerSettings): readonly [IssuerMember, string, string][] {
  const traps: [IssuerMember, string, string][] = [];
  const page = spellings.find((spelling) => DISCOVERY.test(spelling));
  if (page !== undefined)
    traps.push(['issuer', 'the URL of its metadata', `the issuer itself, such as \`${page.replace(DISCOVERY, '')}\``]);
  if (keys.from === 'url' && DISCOVERY.test(keys.url.pathname))
    traps.push([
      'keys',
      'the URL of the metadata',
      'its `jwks_uri`, or nothing: the metadata of the issuer is found by itself',
    ]);
  return traps;
}
