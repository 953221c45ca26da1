import { cachingConsequences } from '../authorizer-caching.ts';
import type { Config } from '../load.ts';
import type { Say } from './say.ts';

/** Which headers are believed. */
export function describeBoundary({ settings, documents }: Config, { enforced }: Say): void {
  if (documents.trustedProxies.length > 0)
    enforced(
      `Forwarded, identity and certificate headers count only from ${settings.trustedProxies.split(',').length} trusted network(s).`,
    );
  else
    enforced(
      settings.ingressSecret
        ? 'Forwarded headers count only with a valid ingress proof.'
        : 'No forwarded, identity or certificate header of anybody counts.',
    );
}

/** TLS at both ends, and what the upstream can verify. */
export function describeTransport({ settings, documents, place }: Config, { enforced, weak, attack }: Say): void {
  if (settings.requireTls) enforced('A caller over plain HTTP is refused.');
  else weak('Plain HTTP is accepted (TGEFD_REQUIRE_TLS is false).');
  if (settings.upstreamUrl?.protocol === 'http:' && settings.upstreamAllowHttp)
    weak('The connection to the upstream is plain HTTP (TGEFD_UPSTREAM_ALLOW_HTTP).');
  if (settings.forwardCredentials)
    weak('The credentials of callers are forwarded to the upstream (TGEFD_FORWARD_CREDENTIALS).');
  if (documents.assertionKeys.length > 0) enforced('The upstream can verify who the caller is by a signed assertion.');
  else if (place.platform !== 'lambda')
    attack(
      'Reach the upstream without the authorizer and send `x-auth-request-user`: without TGEFD_ASSERTION_KEY the upstream cannot detect this.',
    );
}

/** What API Gateway does while it keeps an answer. */
export function describeCaching({ settings, place }: Config, { enforced, weak, attack }: Say): void {
  if (place.platform === 'lambda') {
    const ttlSeconds = settings.authorizerTtlSeconds;
    const revocationDelaySeconds = settings.rateLimitMode === 'exact' ? 0 : settings.revocationMaximumDelaySeconds;
    const say = ttlSeconds === 0 ? enforced : weak;
    for (const line of cachingConsequences({ ttlSeconds, revocationDelaySeconds })) say(`${line}.`);
    if (ttlSeconds > 0) attack('Use a stolen or revoked token on a busy route while API Gateway keeps its answer.');
  }
}
