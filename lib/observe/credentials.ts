import type { CredentialKind, CredentialUsed } from '../decision/principal.ts';
import type { Metrics } from './metrics.ts';

/** Every kind of credential that is counted. */
export const credentialKinds = [
  'jwt_secret',
  'api_key',
  'ingress_secret',
  'redis_token',
] as const satisfies readonly CredentialKind[];

export const CREDENTIAL_METRIC = 'tgefd_credential_used_total';

/** Counts which of two accepted values was used: while `previous` still grows, somebody has not been given the new one. */
export function createCredentialCounter(metrics: Metrics): CredentialUsed {
  const uses = metrics.counter(CREDENTIAL_METRIC, 'Uses of a secret, by the value that was used.', {
    kind: credentialKinds,
    slot: ['current', 'previous'],
  });
  return (kind, slot) => uses.add({ kind, slot });
}
