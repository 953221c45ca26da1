import { type Check, isLoopback } from './check.ts';

/** Rules about operation: Vault, metrics, traces and the doctor. */
export function checkOperation(check: Check): void {
  checkVault(check);
  checkObservation(check);
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
