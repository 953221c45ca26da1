import { cachingConsequences } from './authorizer-caching.ts';
import type { Config } from './load.ts';
import { acceptedWithoutSecrets } from './masking.ts';
import type { Secret, Variable } from './variable.ts';
import { type SettingKey, variables } from './variables.ts';

/** The effective configuration, one line a variable, secrets masked to their length. */
export function effectiveLines(config: Config): readonly string[] {
  const lines: string[] = [];
  for (const [key, variable] of Object.entries(variables) as unknown as [SettingKey, Variable<unknown, unknown>][]) {
    const value = config.settings[key] as unknown;
    const mark = config.given.has(key) ? '' : '  (default)';
    if (value === null) continue;
    lines.push(`${variable.name}=${variable.secret ? masked(value as Secret<string>) : plain(value)}${mark}`);
  }
  return lines;
}

function bytes(text: string) {
  return new TextEncoder().encode(text).length;
}
function masked({ current, previous }: Secret<string>) {
  return `[${bytes(current)} bytes]${previous === null ? '' : ` and a previous value [${bytes(previous)} bytes]`}`;
}
function plain(value: unknown) {
  const text = Array.isArray(value) ? value.join(',') : value instanceof URL ? value.href : String(value);
  return acceptedWithoutSecrets(text);
}

/** A sentence of the posture report, with how it should be taken. */
export interface PostureLine {
  readonly kind: 'enforced' | 'weak' | 'attack';
  readonly text: string;
}

/**
 * The posture in plain words: what is enforced, what is weak, and what an attacker would try first. Speaks of the
 * configuration only; it has not asked the issuer, Redis or the upstream anything.
 */
export function posture(config: Config): readonly PostureLine[] {
  const { settings, authMode, algorithms, documents, place } = config;
  const lines: PostureLine[] = [];
  const enforced = (text: string) => lines.push({ kind: 'enforced', text });
  const weak = (text: string) => lines.push({ kind: 'weak', text });
  const attack = (text: string) => lines.push({ kind: 'attack', text });
  const production = settings.environment === 'production';

  if (!production) weak('TGEFD_ENV is `development`: weak settings are allowed. Nothing here is fit for strangers.');

  switch (authMode) {
    case 'none':
      weak('Nobody has to prove who they are (TGEFD_AUTH_MODE is `none`).');
      attack('Just call it.');
      break;
    case 'api_key':
      weak(
        `${documents.apiKeys.length} shared API key(s): whoever has one is everybody who has it, until it is rotated.`,
      );
      attack('Look for the key in client code, logs and shell histories.');
      break;
    case 'mtls':
      enforced('Every caller shows a client certificate that a trusted party has verified.');
      if (documents.trustedProxies.length > 0)
        attack(
          `Send a certificate header that the ingress does not overwrite (believed: ${settings.mtlsSources.join(', ')}).`,
        );
      if (place.platform === 'node' && !settings.tlsClientCaFile)
        attack(
          'Reach the authorizer past the ingress from inside a trusted network, and send its certificate headers.',
        );
      if (
        documents.mtlsPolicy.length === 0 &&
        !settings.mtlsScopesHeader &&
        !settings.mtlsRoleHeader &&
        settings.rbacEnabled
      )
        weak(
          'No certificate has any scope: set TGEFD_MTLS_POLICY, TGEFD_MTLS_SCOPES_HEADER or TGEFD_MTLS_ROLE_HEADER.',
        );
      break;
    case 'jwt':
      enforced(
        `Tokens are signed with ${algorithms.join(', ')}${settings.jwksUrl ? ` by a key of ${settings.jwksUrl.host}` : ' and a shared secret'}.`,
      );
      if (!settings.jwksUrl)
        attack('Steal or guess the HS256 secret: whoever checks tokens with it can also make them.');
      if (settings.jwtIssuer) enforced('`iss` must match exactly.');
      else weak('`iss` is not checked (TGEFD_JWT_ISSUER is not set).');
      if (settings.jwtAudience) enforced('`aud` must contain our audience.');
      else {
        weak('`aud` is not checked (TGEFD_JWT_AUDIENCE is not set).');
        attack('Bring a token that the same issuer made for another service.');
      }
      if (settings.jwtMaximumLifetimeSeconds > 0)
        enforced(`Tokens live at most ${settings.jwtMaximumLifetimeSeconds} s.`);
      else weak('Tokens may live as long as their issuer likes (TGEFD_JWT_MAX_TTL_SEC is 0).');
      if (settings.jwksUrl)
        enforced(
          `A key that the issuer withdraws is dead within ${settings.jwksTtlSeconds} s, or ${settings.jwksMaxStaleSeconds} s while the issuer is down.`,
        );
      break;
  }

  if (settings.rbacEnabled) enforced('Each endpoint demands its scope; what no row names is denied.');
  else weak('Scopes are not checked (TGEFD_RBAC_ENABLED is false): any caller may use every endpoint.');
  if (authMode === 'api_key' && settings.apiKeyScopes.includes('*') && settings.rbacEnabled)
    weak('Every API key holds every scope (TGEFD_API_KEY_SCOPES is `*`).');

  if (documents.trustedProxies.length > 0)
    enforced(
      `Forwarded, identity and certificate headers count only from ${settings.trustedProxies.split(',').length} trusted network(s).`,
    );
  else
    enforced(
      settings.ingressSecret
        ? 'Forwarded headers count only with a valid ingress proof.'
        : 'No forwarded, identity or certificate header is believed from anyone.',
    );

  if (settings.rateLimitPerMinute > 0)
    enforced(
      `General budget: ${settings.rateLimitPerMinute} a minute, burst ${settings.burstLimit || settings.rateLimitPerMinute}, ${settings.redisUrl ? 'shared through Redis' : 'in this process only'}.`,
    );
  else weak('No general rate limit (TGEFD_RATE_LIMIT_PER_MINUTE is 0).');
  if (settings.heavyRateLimitPerMinute > 0)
    enforced(
      `Heavy budget: ${settings.heavyRateLimitPerMinute} a minute, burst ${settings.heavyBurstLimit || settings.heavyRateLimitPerMinute}.`,
    );
  else weak('No further limit on discover and evaluate (TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE is 0).');
  if (settings.rateLimitOnError === 'open' || settings.heavyRateLimitOnError === 'open') {
    weak('While Redis does not answer, nothing is limited.');
    attack('Make Redis slow, then flood.');
  }
  if (settings.authFailureLimitPerMinute > 0)
    enforced(`Failed authentications: ${settings.authFailureLimitPerMinute} a minute from one address.`);
  else weak('Failed authentications are not limited (TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE is 0).');

  if (!settings.redisUrl) weak('Revocations are kept by this process only and are gone when it ends.');
  else if (settings.rateLimitMode === 'exact') enforced('A revocation holds from the next decision on (exact mode).');
  else enforced(`A revocation holds everywhere within ${settings.revocationMaximumDelaySeconds} s (leased mode).`);
  if (settings.revocationOnError === 'open') {
    weak('While Redis does not answer, revoked credentials pass.');
    attack('Cut Redis off and use a revoked token.');
  }

  if (place.platform === 'lambda') {
    const ttlSeconds = settings.authorizerTtlSeconds;
    const revocationDelaySeconds = settings.rateLimitMode === 'exact' ? 0 : settings.revocationMaximumDelaySeconds;
    const say = ttlSeconds === 0 ? enforced : weak;
    for (const line of cachingConsequences({ ttlSeconds, revocationDelaySeconds })) say(`${line}.`);
    if (ttlSeconds > 0) attack('Use a stolen or revoked token on a busy route while API Gateway keeps its answer.');
  }

  if (settings.auditMode === 'strict' && settings.redisUrl)
    enforced('No answer leaves before its audit record is durable.');
  else if (settings.auditMode === 'strict')
    weak('Records are strict, but kept in memory: without Redis they end with the process.');
  else if (settings.auditMode === 'relaxed')
    weak('Records are written after the answer: a crash can lose those under way.');
  else weak('No audit records are kept (TGEFD_AUDIT_MODE is `off`).');

  if (settings.requireTls) enforced('A caller over plain HTTP is refused.');
  else weak('Plain HTTP is accepted (TGEFD_REQUIRE_TLS is false).');
  if (settings.upstreamUrl?.protocol === 'http:' && settings.upstreamAllowHttp)
    weak('The way to the upstream is plain HTTP (TGEFD_UPSTREAM_ALLOW_HTTP).');
  if (settings.forwardCredentials) weak('Callers’ credentials go on to the upstream (TGEFD_FORWARD_CREDENTIALS).');
  if (documents.assertionKeys.length > 0) enforced('The upstream can verify who the caller is by a signed assertion.');
  else if (place.platform !== 'lambda')
    attack(
      'Reach the upstream without the authorizer and send `x-auth-request-user`: without TGEFD_ASSERTION_KEY it cannot tell.',
    );
  return lines;
}
