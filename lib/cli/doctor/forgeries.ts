/** One way in which a stranger lies about itself. */
export interface Forgery {
  /** What is sent, for the operator's eyes: names, not values. */
  readonly title: string;
  /** Names and values in turn. */
  readonly fields: readonly string[];
}

/** An address that nobody has (RFC 5737), to be recognised wherever it turns up. */
export const FORGED_ADDRESS = '203.0.113.66';
export const FORGED_HOST = 'forged.invalid';

const IDENTITIES: readonly string[] = [
  'X-Auth-Request-User',
  'X-Auth-Request-Email',
  'X-Auth-Request-Groups',
  'X-Auth-Request-Preferred-Username',
  'X-Auth-Request-Scopes',
  'X-Auth-Request-Method',
  'X-Auth-User',
  'X-Authenticated-User',
  'X-Authentik-Username',
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Access-Token',
  'X-Remote-User',
  'Remote-User',
  'X-User-Id',
  'X-Webauth-User',
  'X-Consumer-Id',
  'X-Ms-Client-Principal-Name',
  'X-Goog-Authenticated-User-Email',
  'X-Amzn-Oidc-Identity',
  'X-Pomerium-Jwt-Assertion',
  'Cf-Access-Jwt-Assertion',
  'X-Tgefd-Assertion',
  'X-Tgefd-Status',
  'X-Tgefd-Problem',
];
const CERTIFICATES: readonly string[] = [
  'X-Ssl-Client-Subject',
  'X-Ssl-Client-Cert',
  'X-Client-Cert',
  'X-Arr-Clientcert',
  'X-Amzn-Mtls-Clientcert-Subject',
  'X-Forwarded-Tls-Client-Cert',
];
const ADDRESSES: readonly string[] = [
  'X-Forwarded-For',
  'X-Real-Ip',
  'True-Client-Ip',
  'CF-Connecting-IP',
  'X-Client-Ip',
  'X-Cluster-Client-Ip',
  'Fastly-Client-Ip',
  'X-Envoy-External-Address',
];
const TARGETS: readonly string[] = [
  'X-Forwarded-Uri',
  'X-Original-Uri',
  'X-Original-Url',
  'X-Rewrite-Url',
  'X-Forwarded-Prefix',
  'X-Script-Name',
  'X-Envoy-Original-Path',
];
const METHODS: readonly string[] = [
  'X-Forwarded-Method',
  'X-Original-Method',
  'X-Http-Method',
  'X-Http-Method-Override',
  'X-Method-Override',
];
const BELIEVED_MOST: readonly string[] = [
  'X-Auth-Request-User',
  'X-Ssl-Client-Subject',
  'X-Forwarded-For',
  'X-Forwarded-Uri',
  'X-Tgefd-Assertion',
];

/**
 * Every forgery that is sent, all values with `mark` in them or one of the two above: identity, certificates, addresses, other methods
 * and targets, in the spellings that some service takes for the same name, twice, and in mixed case. `configured` are
 * further names that the configuration believes.
 */
export function forgeries(mark: string, configured: readonly string[]): readonly Forgery[] {
  return [
    ...[...IDENTITIES, ...configured].map((name) => one(name, mark)),
    ...CERTIFICATES.map((name) => one(name, `CN=${mark}`)),
    ...otherCertificates(mark),
    ...ADDRESSES.map((name) => one(name, FORGED_ADDRESS)),
    { title: 'Forwarded', fields: ['Forwarded', `for=${FORGED_ADDRESS};host=${FORGED_HOST};proto=https`] },
    one('X-Forwarded-Host', FORGED_HOST),
    one('X-Forwarded-Server', FORGED_HOST),
    one('X-Forwarded-Proto', 'https'),
    one('X-Request-Id', mark),
    ...TARGETS.map((name) => one(name, `/${mark}`)),
    ...METHODS.map((name) => one(name, mark.toUpperCase().replace(/[^A-Z]/g, 'X'))),
    ...BELIEVED_MOST.flatMap((name) => spellings(name, lieAs(name, mark))),
    { title: 'X-Auth-Request-User behind 90 other fields', fields: [...filler(), 'X-Auth-Request-User', mark] },
    ...['X-Auth-Request-User', 'X-Tgefd-Assertion', 'X-Forwarded-For'].map((name) => ({
      title: `Connection: ${name}`,
      fields: ['Connection', name],
    })),
  ];
}

function one(name: string, value: string): Forgery {
  return { title: name, fields: [name, value] };
}

function lieAs(name: string, mark: string): string {
  if (ADDRESSES.includes(name)) return FORGED_ADDRESS;
  return TARGETS.includes(name) ? `/${mark}` : mark;
}

/** Certificates that need another form, or more than one field. */
function otherCertificates(mark: string): readonly Forgery[] {
  return [
    one('Client-Cert', `:${btoa(mark)}:`),
    one('X-Forwarded-Client-Cert', `Hash=${'0'.repeat(64)};Subject="CN=${mark}"`),
    {
      title: 'Ssl-Client-Verify with Ssl-Client-Subject-Dn',
      fields: ['Ssl-Client-Verify', 'SUCCESS', 'Ssl-Client-Subject-Dn', `CN=${mark}`, 'Ssl-Client-S-Dn', `CN=${mark}`],
    },
  ];
}

/** One field in the spellings that some service takes for the same name. */
function spellings(name: string, lie: string): readonly Forgery[] {
  return [
    { title: `${name} written with underscores`, fields: [name.replaceAll('-', '_'), lie] },
    { title: `${name} written with one underscore`, fields: [name.replace(/-(?=[^-]*$)/, '_'), lie] },
    { title: `${name} written with dots`, fields: [name.replaceAll('-', '.'), lie] },
    { title: `${name} in mixed case`, fields: [mixedCase(name), lie] },
    { title: `${name} twice`, fields: [name, lie, mixedCase(name), lie] },
  ];
}

function mixedCase(name: string): string {
  return Array.from(name.toLowerCase(), (letter, at) => (at % 2 === 0 ? letter : letter.toUpperCase())).join('');
}

function filler(): string[] {
  return Array.from({ length: 90 }, (_, at) => [`X-Filler-${at}`, 'filler']).flat();
}

/** Ends of a path that two parsers could read differently; none of them is a path of anybody's. */
export const pathTricks: readonly string[] = [
  '/a%2Fb',
  '/a%2fb',
  '/a%5Cb',
  '/a\\b',
  '/a/../b',
  '/a/./b',
  '/a/%2e%2e/b',
  '/a%2e/b',
  '/a//b',
  '/a;x=1/b',
  '/a%3Bx/b',
  '/%61',
  '/a%252Fb',
  '/A',
  '/a/',
  '/a?b=%2F&c=..',
  '/a?b?c',
];
