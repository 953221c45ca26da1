import type { AuthMethod } from '../../decision/principal.ts';
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
  weak('Nobody has to prove who they are (TGEFD_AUTH_MODE is `none`).');
  attack('Just call it.');
}

function describeApiKeys({ documents }: Config, { weak, attack }: Say): void {
  weak(`${documents.apiKeys.length} shared API key(s): whoever has one is everybody who has it, until it is rotated.`);
  attack('Look for the key in client code, logs and shell histories.');
}

function describeCertificates({ settings, documents, place }: Config, { enforced, weak, attack }: Say): void {
  enforced('Every caller shows a client certificate that a trusted party has verified.');
  if (documents.trustedProxies.length > 0)
    attack(
      `Send a certificate header that the ingress does not overwrite (believed: ${settings.mtlsSources.join(', ')}).`,
    );
  if (place.platform === 'node' && !settings.tlsClientCaFile)
    attack('Reach the authorizer past the ingress from inside a trusted network, and send its certificate headers.');
  if (
    documents.mtlsPolicy.length === 0 &&
    !settings.mtlsScopesHeader &&
    !settings.mtlsRoleHeader &&
    settings.rbacEnabled
  )
    weak('No certificate has any scope: set TGEFD_MTLS_POLICY, TGEFD_MTLS_SCOPES_HEADER or TGEFD_MTLS_ROLE_HEADER.');
}

function describeTokens({ settings, algorithms }: Config, { enforced, weak, attack }: Say): void {
  enforced(
    `Tokens are signed with ${algorithms.join(', ')}${settings.jwksUrl ? ` by a key of ${settings.jwksUrl.host}` : ' and a shared secret'}.`,
  );
  if (!settings.jwksUrl) attack('Steal or guess the HS256 secret: whoever checks tokens with it can also make them.');
  if (settings.jwtIssuer) enforced('`iss` must match exactly.');
  else weak('`iss` is not checked (TGEFD_JWT_ISSUER is not set).');
  if (settings.jwtAudience) enforced('`aud` must contain our audience.');
  else {
    weak('`aud` is not checked (TGEFD_JWT_AUDIENCE is not set).');
    attack('Bring a token that the same issuer made for another service.');
  }
  if (settings.jwtMaximumLifetimeSeconds > 0) enforced(`Tokens live at most ${settings.jwtMaximumLifetimeSeconds} s.`);
  else weak('Tokens may live as long as their issuer likes (TGEFD_JWT_MAX_TTL_SEC is 0).');
  if (settings.jwksUrl)
    enforced(
      `A key that the issuer withdraws is dead within ${settings.jwksTtlSeconds} s, or ${settings.jwksMaxStaleSeconds} s while the issuer is down.`,
    );
}

function describeScopes({ settings, authMode }: Config, { enforced, weak }: Say): void {
  if (settings.rbacEnabled) enforced('Each endpoint demands its scope; what no row names is denied.');
  else weak('Scopes are not checked (TGEFD_RBAC_ENABLED is false): any caller may use every endpoint.');
  if (authMode === 'api_key' && settings.apiKeyScopes.includes('*') && settings.rbacEnabled)
    weak('Every API key holds every scope (TGEFD_API_KEY_SCOPES is `*`).');
}
