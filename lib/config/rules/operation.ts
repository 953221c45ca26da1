import { type Check, isLoopback } from './check.ts';

/** Rules about operation: Vault, metrics, traces, the doctor and the console. */
export function checkOperation(check: Check): void {
  checkVault(check);
  checkObservation(check);
  checkConsole(check);
}

/** What the login to Vault needs. */
function checkVault({ settings, production, problem, secure }: Check): void {
  secure('vaultUrl', settings.vaultUrl, !production && settings.vaultUrl !== null && isLoopback(settings.vaultUrl), '');
  if (settings.vaultUrl && settings.vaultAuth === 'token' && !settings.vaultToken)
    problem('vaultToken', 'nothing', 'a token, since TGEFD_VAULT_AUTH is `token`');
  if (settings.vaultUrl && settings.vaultAuth !== 'token' && !settings.vaultRole)
    problem('vaultRole', 'nothing', `a role, since TGEFD_VAULT_AUTH is \`${settings.vaultAuth}\``);
}

/** Metrics, traces and the doctor. */
function checkObservation({ settings, problem, warning, strong, secure }: Check): void {
  strong('doctorSecret', settings.doctorSecret);
  secure('otelEndpoint', settings.otelEndpoint, isLoopback(settings.otelEndpoint), ', or http: on a loopback host');
  if (settings.metricsPort !== null && !settings.metricsEnabled)
    problem('metricsPort', String(settings.metricsPort), 'a port only beside TGEFD_METRICS_ENABLED=true');
  if (settings.otelHeaders && !settings.otelEnabled)
    warning('otelHeaders', 'a value', 'nothing: TGEFD_OTEL_ENABLED is not `true`');
  if (settings.doctorSecret)
    warning(
      'doctorSecret',
      'a value',
      'nothing, once the ingress has been examined: until then whoever has it is told what arrives',
    );
}

const LOOPBACK_HOSTS = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Who can reach the console, and under which name. */
function checkConsole({ settings, given, place, problem, secure }: Check): void {
  const { consoleUrl, consoleHost, consolePort } = settings;
  secure('consoleUrl', consoleUrl, consoleUrl !== null && isLoopback(consoleUrl), ', or http: on a loopback host');
  if (consoleUrl && (consoleUrl.pathname !== '/' || consoleUrl.search !== ''))
    problem('consoleUrl', 'a path or query', 'an origin: scheme, host and port');
  if (place.role === 'console' && consoleUrl === null)
    problem('consoleUrl', 'nothing', 'the origin of the console: the own hostname of its Worker');
  if (consolePort !== null && !LOOPBACK_HOSTS.test(consoleHost) && consoleUrl === null)
    problem('consoleUrl', 'nothing', 'an origin, since TGEFD_CONSOLE_HOST is no loopback address');
  if (consolePort === null && given.has('consoleHost'))
    problem('consoleHost', 'a host', 'a host only beside TGEFD_CONSOLE_PORT');
}
