import type { Issuer } from './tokens.ts';

/** The product as in production, save that the issuer is on loopback and no record is kept. */
export function productEnvironment(
  issuer: Pick<Issuer, 'issuer' | 'audience'>,
  keySetUrl: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWKS_URL: keySetUrl,
    TGEFD_JWT_ISSUER: issuer.issuer,
    TGEFD_JWT_AUDIENCE: issuer.audience,
    TGEFD_JWT_ALLOWED_ALGS: 'RS256',
    TGEFD_JWT_MAX_TTL_SEC: '3600',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE: '60',
    TGEFD_AUDIT_MODE: 'off',
    TGEFD_AUDIT_LOG: 'false',
    TGEFD_FORWARD_AUTH: 'nginx',
    ...more,
  };
}

/** The same with five issuers and 200 further rows: names, tails, lists of scopes, claims. */
export function largeEnvironment(
  issuer: Pick<Issuer, 'issuer' | 'audience'>,
  keySetUrl: string,
): Record<string, string> {
  const single = productEnvironment(issuer, keySetUrl);
  const others = Object.entries(single).filter(([name]) => !/^TGEFD_(JWKS_URL|JWT_)/.test(name));
  const common = { audience: issuer.audience, algorithms: 'RS256', max_ttl_sec: 3600 };
  const issuers = [0, 1, 2, 3].map((at) => ({
    ...common,
    issuer: `https://issuer-${at}.example`,
    keys: { jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), kid: `k${at}` }] } },
    algorithms: 'EdDSA',
  }));
  const row = (at: number) => ({
    method: at % 2 === 0 ? 'GET' : 'POST',
    path: [`/v1/r${at}`, `/v1/r${at}/{id}`, `/v1/r${at}/{id}/parts/{part}`, `/v1/r${at}/{rest...}`][at % 4],
    scope: at % 3 === 0 ? { any: ['a', 'b'] } : 'a',
    budget: 'read',
    ...(at % 4 === 1 ? { claims: { sub: '{id}' } } : {}),
  });
  return {
    ...Object.fromEntries(others),
    TGEFD_ISSUERS: JSON.stringify([...issuers, { ...common, issuer: issuer.issuer, keys: keySetUrl }]),
    TGEFD_ENDPOINTS: JSON.stringify(Array.from({ length: 200 }, (_, at) => row(at))),
  };
}
