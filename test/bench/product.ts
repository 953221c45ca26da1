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
