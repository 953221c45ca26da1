import type { AuthMethod } from '../../decision/principal.ts';
import { issuerPosture } from '../issuers/posture.ts';
import type { Config } from '../load.ts';
import type { Say } from './say.ts';

/** Who may call, and what could be tried against it. */
export function describeCallers(config: Config, say: Say): void {
  for (const way of config.ways) DESCRIBED_BY[way](config, say);
  describeScopes(config, say);
}

const DESCRIBED_BY: Readonly<Record<AuthMethod, (config: Config, say: Say) => void>> = {
  none: describeNobody,
  api_key: describeApiKeys,
  mtls: describeCertificates,
  jwt: describeTokens,
};

function describeNobody(_config: Config, { weak, attack }: Say): void {
  weak('Callers need no credential (TGEFD_AUTH_MODE is `none`).');
  attack('Just call it.');
}

function describeApiKeys({ documents }: Config, { weak, attack }: Say): void {
  weak(`${documents.apiKeys.length} shared API key(s): whoever has one is everybody who has it, until it is rotated.`);
  attack('Look for the key in client code, logs and shell histories.');
}

function describeCertificates({ settings, documents, place }: Config, { enforced, weak, attack }: Say): void {
  enforced('Every caller presents a client certificate that a trusted party verified.');
  if (documents.trustedProxies.length > 0)
    attack(
      `Send a certificate header that the ingress does not overwrite (believed: ${settings.mtlsSources.join(', ')}).`,
    );
  if (place.platform === 'node' && !settings.tlsClientCaFile)
    attack('Bypass the ingress from inside a trusted network, and send its certificate headers to the authorizer.');
  if (
    documents.mtlsPolicy.length === 0 &&
    !settings.mtlsScopesHeader &&
    !settings.mtlsRoleHeader &&
    settings.rbacEnabled
  )
    weak('No certificate has any scope: set TGEFD_MTLS_POLICY, TGEFD_MTLS_SCOPES_HEADER or TGEFD_MTLS_ROLE_HEADER.');
}

function describeTokens({ issuers, settings }: Config, say: Say): void {
  issuerPosture(issuers, settings, say);
}

function describeScopes({ settings, authMode }: Config, { enforced, weak }: Say): void {
  if (settings.rbacEnabled) enforced('Each endpoint requires its scope; a request that matches no row is denied.');
  else weak('Scopes are not checked (TGEFD_RBAC_ENABLED is false): any caller may use every endpoint.');
  if (authMode === 'api_key' && settings.apiKeyScopes.includes('*') && settings.rbacEnabled)
    weak('Every API key holds every scope (TGEFD_API_KEY_SCOPES is `*`).');
}
