import type { AuthMethod } from '../../decision/principal.ts';
import { type SettingKey, type Settings, variables } from '../variables.ts';
import { type Check, isLoopback, type Report } from './check.ts';

/** Rules about who calls: ways to authenticate, keys and algorithms. */
export function checkIdentity(check: Check): void {
  checkWays(check);
  checkKeys(check);
}

/** What each way to authenticate needs. */
function checkWays({ settings, place, production, ways, problem }: Check): void {
  const [authMode] = ways;
  if (authMode === 'api_key' && !settings.apiKey)
    problem('apiKey', 'nothing', 'a key, since TGEFD_AUTH_MODE is `api_key`');
  if (production && (settings.authMode === 'api_key' || settings.authMode === 'none'))
    problem('authMode', `\`${authMode}\``, '`jwt` or `mtls` in production');
  if (production && settings.apiKey && settings.authMode !== 'api_key')
    problem('apiKey', 'a value', 'nothing in production: API keys are for development');
  if (
    production &&
    ways.includes('mtls') &&
    place.platform === 'node' &&
    settings.trustedProxies.trim() === '' &&
    !settings.ingressSecret &&
    !settings.tlsClientCaFile
  )
    problem(
      'authMode',
      '`mtls`',
      '`mtls` together with TGEFD_TRUSTED_PROXIES, TGEFD_INGRESS_SECRET or TGEFD_TLS_CLIENT_CA_FILE',
    );
}

/** How strong secrets are, and what has no effect. */
function checkKeys({ settings, production, ways, warning, strong, secure }: Check): void {
  strong('jwtSecret', settings.jwtSecret);
  strong('ingressSecret', settings.ingressSecret);
  secure(
    'jwksUrl',
    settings.jwksUrl,
    !production && settings.jwksUrl !== null && isLoopback(settings.jwksUrl),
    production ? '' : ', or http: on a loopback host',
  );
  if (settings.mtlsPolicy && !ways.includes('mtls'))
    warning('mtlsPolicy', 'a value', 'nothing: TGEFD_AUTH_MODE is not `mtls`');
  if (settings.jwtSecret && settings.jwksUrl && !production)
    warning('jwtSecret', 'a value', 'nothing: with TGEFD_JWKS_URL, HS256 is never accepted');
}

/** The kinds of credentials that count, in the order in which they are looked for. */
export function chooseWays(
  settings: Settings,
  given: ReadonlySet<SettingKey>,
  problem: Report,
): readonly [AuthMethod, ...AuthMethod[]] {
  if (settings.authMode === 'jwt,mtls') return ['jwt', 'mtls'];
  if (settings.authMode === 'mtls,jwt') return ['mtls', 'jwt'];
  if (settings.authMode) return [settings.authMode];
  if (given.has('authMode')) return ['jwt'];
  const credentials = (['jwtSecret', 'jwksUrl', 'apiKey'] as const).filter((key) => given.has(key));
  if (settings.environment === 'production') problem('authMode', 'nothing', '`jwt` or `mtls` in production');
  else if (credentials.length > 0)
    problem(
      'authMode',
      'nothing',
      `\`jwt\`, \`mtls\` or \`api_key\`, since ${credentials.map((key) => variables[key].name).join(' and ')} is given`,
    );
  return ['none'];
}

/** The signature algorithms that the configured keys can use. */
export function chooseAlgorithms(
  settings: Settings,
  given: ReadonlySet<SettingKey>,
  problem: Report,
  warning: Report,
): readonly string[] {
  const production = settings.environment === 'production';
  const listed = settings.jwtAllowedAlgorithms;
  if (production) {
    if (!settings.jwksUrl) problem('jwksUrl', 'nothing', 'the URL of the key set: `jwt` needs one in production');
    if (!settings.jwtIssuer) problem('jwtIssuer', 'nothing', 'the issuer: production enforces `iss`');
    if (!settings.jwtAudience) problem('jwtAudience', 'nothing', 'the audience: production enforces `aud`');
    if (settings.jwtSecret) problem('jwtSecret', 'a value', 'nothing in production: HS256 is for development');
    if (given.has('jwtAllowedAlgorithms') && listed.includes('HS256'))
      problem('jwtAllowedAlgorithms', '`HS256`', 'asymmetric algorithms in production');
  } else if (!settings.jwksUrl && !settings.jwtSecret) {
    problem('jwksUrl', 'nothing', 'a key set URL, or TGEFD_JWT_SECRET in development');
  }
  const usable = listed.filter((algorithm) => (settings.jwksUrl ? algorithm !== 'HS256' : algorithm === 'HS256'));
  if (usable.length === 0)
    problem(
      'jwtAllowedAlgorithms',
      listed.join(', ') || 'an empty list',
      settings.jwksUrl
        ? 'at least one asymmetric algorithm, since TGEFD_JWKS_URL is given'
        : '`HS256`, since only TGEFD_JWT_SECRET is given',
    );
  else if (given.has('jwtAllowedAlgorithms') && usable.length < listed.length && !production)
    warning(
      'jwtAllowedAlgorithms',
      listed.join(', '),
      `only ${usable.join(', ')} can be used with the keys configured`,
    );
  return usable;
}
