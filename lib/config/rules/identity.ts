import type { AuthMethod } from '../../decision/principal.ts';
import { type SettingKey, type Settings, variables } from '../variables.ts';
import { checkCertificates } from './certificates.ts';
import type { Check, Report } from './check.ts';

/** Rules about who calls: ways to authenticate and secrets. Those about issuers stand in `issuers/`. */
export function checkIdentity(check: Check): void {
  checkWays(check);
  checkKeys(check);
  checkCertificates(check);
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
function checkKeys({ settings, ways, warning, strong }: Check): void {
  strong('jwtSecret', settings.jwtSecret);
  strong('ingressSecret', settings.ingressSecret);
  if (settings.mtlsPolicy && !ways.includes('mtls'))
    warning('mtlsPolicy', 'a value', 'nothing: TGEFD_AUTH_MODE is not `mtls`');
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
  const credentials = (['jwtSecret', 'jwksUrl', 'jwksFile', 'issuers', 'apiKey'] as const).filter((key) =>
    given.has(key),
  );
  if (settings.environment === 'production') problem('authMode', 'nothing', '`jwt` or `mtls` in production');
  else if (credentials.length > 0)
    problem(
      'authMode',
      'nothing',
      `\`jwt\`, \`mtls\` or \`api_key\`, since ${credentials.map((key) => variables[key].name).join(' and ')} is given`,
    );
  return ['none'];
}
