import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
const development = {
  TGEFD_ENV: 'development',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:3000',
  TGEFD_AUTH_MODE: 'jwt,mtls',
  TGEFD_JWKS_URL: 'http://127.0.0.1:4000/jwks',
  TGEFD_JWT_ISSUER: 'https://issuer.example',
};
function variablesOf(env: Record<string, string>) {
  const loaded = loadConfig({ ...development, ...env }, place);
  return loaded.ok ? [] : loaded.problems.map(({ variable }) => variable);
}

describe('a value that could never work', () => {
  test.each([
    ['TGEFD_JWT_HEADER', 'cookie'],
    ['TGEFD_JWT_HEADER', 'Host'],
    ['TGEFD_JWT_HEADER', 'x-auth-request-user'],
    ['TGEFD_IDENTITY_HEADER', 'content-length'],
    ['TGEFD_IDENTITY_HEADER', 'transfer-encoding'],
    ['TGEFD_IDENTITY_HEADER', 'authorization'],
    ['TGEFD_IDENTITY_HEADER', 'x-forwarded-for'],
    ['TGEFD_IDENTITY_HEADER', 'x-auth-request-scopes'],
    ['TGEFD_IDENTITY_HEADER', 'x-tgefd-assertion'],
    ['TGEFD_MTLS_IDENTITY_HEADER', 'connection'],
    ['TGEFD_MTLS_SCOPES_HEADER', 'cookie'],
    ['TGEFD_MTLS_ROLE_HEADER', 'x-request-id'],
    ['TGEFD_JWT_BEARER_PREFIX', 'bear er '],
    ['TGEFD_JWT_BEARER_PREFIX', 'DPoP '],
    ['TGEFD_JWT_BEARER_PREFIX', 'b@d '],
    ['TGEFD_JWT_TYP', ''],
    ['TGEFD_JWT_TYP', 'a/b/c'],
    ['TGEFD_UPSTREAM_URL', 'https://*.example.com'],
    ['TGEFD_JWKS_URL', 'https://a.example/jwks,https://b.example/jwks'],
    ['TGEFD_CORS_ALLOWED_ORIGINS', 'https://App.example'],
    ['TGEFD_CORS_ALLOWED_ORIGINS', 'https://app.example:443'],
    ['TGEFD_CORS_ALLOWED_ORIGINS', 'https://app.example,*'],
    ['TGEFD_ENDPOINTS', 'null'],
    ['TGEFD_SHADOW_ENDPOINTS', 'null'],
    ['TGEFD_PLANS', 'null'],
    ['TGEFD_RATE_LIMIT_OVERRIDES', 'null'],
  ])('is a problem: %s=%s', (name, value) => {
    expect(variablesOf({ [name]: value })).toEqual([name]);
  });

  test.each([
    ['TGEFD_MTLS_ROLE_HEADER', { TGEFD_MTLS_SCOPES_HEADER: 'x-ssl-a', TGEFD_MTLS_ROLE_HEADER: 'x-ssl-a' }],
    ['TGEFD_MTLS_SCOPES_HEADER', { TGEFD_IDENTITY_HEADER: 'x-ssl-a', TGEFD_MTLS_SCOPES_HEADER: 'x-ssl-a' }],
    ['TGEFD_IDENTITY_HEADER', { TGEFD_IDENTITY_HEADER: 'x-token', TGEFD_JWT_HEADER: 'x-token' }],
  ])('is a field that another setting has too: %s', (name, env) => {
    expect(variablesOf(env)).toEqual([name]);
  });

  test.each([
    ['TGEFD_JWT_HEADER', 'X-Forwarded-Access-Token'],
    ['TGEFD_JWT_HEADER', 'cf-access-jwt-assertion'],
    ['TGEFD_IDENTITY_HEADER', 'X-Auth-Request-User'],
    ['TGEFD_MTLS_IDENTITY_HEADER', 'ssl-client-dn'],
    ['TGEFD_JWT_BEARER_PREFIX', ''],
    ['TGEFD_JWT_BEARER_PREFIX', 'Token '],
    ['TGEFD_JWT_TYP', 'absent,at+jwt,application/at+jwt'],
    ['TGEFD_CORS_ALLOWED_ORIGINS', '*'],
    ['TGEFD_CORS_ALLOWED_ORIGINS', ''],
    ['TGEFD_CORS_ALLOWED_ORIGINS', 'https://app.example https://app.example:8443,http://localhost:3000'],
    ['TGEFD_ENDPOINTS', '[]'],
  ])('is not one that works: %s=%s', (name, value) => {
    expect(variablesOf({ [name]: value })).toEqual([]);
  });
});
