import type { Deployment } from './settings.ts';

/** The deployment: edit this file and nothing else. Every variable is explained in docs/reference/configuration.md. */
export const deployment: Deployment = {
  name: 'tgefd-perimeter',
  api: { kind: 'rest', authorizer: 'request' },
  upstream: 'https://tgefd.internal.example',
  authorizerTtlSeconds: 0,
  environment: {
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWT_ISSUER: 'https://issuer.example/',
    TGEFD_JWT_AUDIENCE: 'https://api.example',
    TGEFD_JWKS_URL: 'https://issuer.example/.well-known/jwks.json',
    TGEFD_REDIS_URL: 'https://example.upstash.io',
    TGEFD_RATE_LIMIT_PER_MINUTE: '600',
    TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '60',
  },
  assertion: true,
  network: false,
  auditLock: 'COMPLIANCE',
  outsideWriters: [],
  provisionedConcurrency: 0,
  alarmEmail: null,
  throttle: { ratePerSecond: 500, burst: 1000 },
};
