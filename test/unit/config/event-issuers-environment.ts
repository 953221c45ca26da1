/** The least that production needs with tokens of one issuer. */
export const sharedProduction: Readonly<Record<string, string>> = {
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_JWT_ISSUER: 'https://id.example',
  TGEFD_JWT_AUDIENCE: 'api',
  TGEFD_UPSTREAM_URL: 'https://upstream.example',
  TGEFD_REDIS_URL: 'https://redis.example',
  TGEFD_REDIS_TOKEN: 't'.repeat(40),
  TGEFD_AUDIT_PSEUDONYM_KEY: 'p'.repeat(32),
};
