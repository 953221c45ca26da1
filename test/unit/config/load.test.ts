import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { problemLine } from '../../../lib/config/problem.ts';
import type { Place } from '../../../lib/config/rules/check.ts';

const node: Place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false };
const long = 'x'.repeat(32);

const production = {
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_UPSTREAM_URL: 'https://api.internal',
  TGEFD_JWKS_URL: 'https://issuer.example/jwks',
  TGEFD_JWT_ISSUER: 'https://issuer.example',
  TGEFD_JWT_AUDIENCE: 'tgefd',
  TGEFD_REDIS_URL: 'https://redis.example',
  TGEFD_REDIS_TOKEN: 'token',
  TGEFD_AUDIT_PSEUDONYM_KEY: long,
};
const development = { TGEFD_ENV: 'development', TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9000' };

function load(env: Record<string, unknown>, place: Partial<Place> = {}) {
  return loadConfig(env, { ...node, ...place });
}
function lines(env: Record<string, unknown>, place: Partial<Place> = {}) {
  const loaded = load(env, place);
  return loaded.ok ? [] : loaded.problems.map(problemLine);
}

describe('defaults', () => {
  test('of the plan and the contract, in production', () => {
    const loaded = load(production);
    if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
    expect(loaded.config.issuers.map(({ algorithms }) => algorithms)).toEqual([['RS256']]);
    expect(loaded.config.settings).toMatchObject({
      environment: 'production',
      jwtHeader: 'authorization',
      jwtBearerPrefix: 'bearer ',
      jwtSubClaim: ['sub'],
      jwtClockSkewSeconds: 60,
      jwtAllowedAlgorithms: ['HS256', 'RS256'],
      jwtMaximumLifetimeSeconds: 3600,
      jwtTypes: ['absent', 'JWT', 'at+jwt', 'application/at+jwt'],
      jwksTtlSeconds: 300,
      jwksTimeoutSeconds: 3,
      jwksMaxAttempts: 3,
      jwksBackoffSeconds: 0.2,
      jwksMaxBackoffSeconds: 2,
      jwksMaxStaleSeconds: 3600,
      mtlsIdentityHeader: 'x-ssl-client-subject',
      rbacEnabled: true,
      apiKeyScopes: ['*'],
      roleClaim: 'role',
      rolesClaim: 'roles',
      roleAdminScopes: ['*'],
      roleAnalystScopes: ['discover', 'evaluate', 'jobs', 'metrics'],
      roleReaderScopes: ['metrics', 'jobs'],
      authFailureLimitPerMinute: 60,
      rateLimitPerMinute: 0,
      burstLimit: 0,
      rateLimitMode: 'leased',
      rateLimitOnError: 'local',
      revocationOnError: 'closed',
      revocationMaximumDelaySeconds: 5,
      redisTimeoutMs: 150,
      auditMode: 'strict',
      auditLog: false,
      auditHotDays: 7,
      auditWarmDays: 30,
      auditColdDays: 180,
      maximumBodyBytes: 0,
      forwardAuth: 'off',
      trustedProxies: '',
      requireTls: true,
    });
  });

  test('in development: RBAC off, records as lines, no failure budget, and mode `none` while nothing is configured', () => {
    const loaded = load(development);
    if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
    expect(loaded.config.authMode).toBe('none');
    expect(loaded.config.settings).toMatchObject({
      rbacEnabled: false,
      auditLog: true,
      authFailureLimitPerMinute: 0,
      jwtMaximumLifetimeSeconds: 0,
      requireTls: false,
    });
  });

  test('the second value of a secret stands beside the first', () => {
    const loaded = load({
      ...development,
      TGEFD_AUTH_MODE: 'api_key',
      TGEFD_API_KEY: 'one',
      TGEFD_API_KEY_PREVIOUS: 'two',
    });
    expect(loaded.ok && loaded.config.settings.apiKey).toEqual({ current: 'one', previous: 'two' });
  });

  test('the names that Upstash gives are read too', () => {
    const { TGEFD_REDIS_URL: url, TGEFD_REDIS_TOKEN: token, ...rest } = production;
    const loaded = load({ ...rest, UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token });
    expect(loaded.ok && loaded.config.settings.redisUrl?.host).toBe('redis.example');
  });
});

describe('values that do not parse', () => {
  test.each([
    ['TGEFD_ENV', 'prod'],
    ['TGEFD_AUTH_MODE', 'JWT '],
    ['TGEFD_AUTH_MODE', ''],
    ['TGEFD_RBAC_ENABLED', 'yes'],
    ['TGEFD_RBAC_ENABLED', ''],
    ['TGEFD_JWT_CLOCK_SKEW_SEC', '-1'],
    ['TGEFD_JWT_CLOCK_SKEW_SEC', '1e3'],
    ['TGEFD_JWT_CLOCK_SKEW_SEC', '100000'],
    ['TGEFD_JWT_ALLOWED_ALGS', 'none'],
    ['TGEFD_JWT_ALLOWED_ALGS', 'RS256,rs256'],
    ['TGEFD_JWT_ISSUER', ''],
    ['TGEFD_JWKS_URL', 'issuer.example/jwks'],
    ['TGEFD_JWKS_URL', 'https://user:secret@issuer.example/jwks'],
    ['TGEFD_RATE_LIMIT_PER_MINUTE', '60/min'],
    ['TGEFD_RATE_LIMIT_ON_ERROR', 'allow'],
    ['TGEFD_SCOPE_DISCOVER', '*'],
    ['TGEFD_SCOPE_DISCOVER', 'a b'],
    ['TGEFD_IDENTITY_HEADER', 'x user'],
    ['TGEFD_REVOKED_SUBS', 'alice'],
    ['TGEFD_UPSTREAM_URL', 'ftp://api.internal'],
  ])('%s=%j is named, whatever else is right', (name, value) => {
    const found = lines({ ...production, [name]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`${name}: found`);
  });

  test('every problem is told at once', () => {
    expect(
      lines({ ...production, TGEFD_RBAC_ENABLED: 'no', TGEFD_REDIS_TIMEOUT_MS: 'soon', TGEFD_AUDIT_MODE: 'off' }),
    ).toHaveLength(3);
  });

  test('a secret is never told, only its length', () => {
    const found = lines({ ...development, TGEFD_AUTH_MODE: 'jwt', TGEFD_JWT_SECRET: 'hunter2-hunter2' });
    expect(found).toEqual(['TGEFD_JWT_SECRET: found 15 bytes; accepted: at least 32 bytes']);
  });
});

describe('names', () => {
  test('a probable typo makes the configuration invalid and names the nearest', () => {
    expect(lines({ ...production, TGEFD_RBAC_ENABLE: 'true' })).toEqual([
      'TGEFD_RBAC_ENABLE: found an unknown name; accepted: probably meant: TGEFD_RBAC_ENABLED',
    ]);
  });

  test.each(['PORT', 'HOST'])('%s has no prefix, and is named where it was given one', (name) => {
    expect(lines({ ...production, [`TGEFD_${name}`]: '8080' })).toEqual([
      `TGEFD_${name}: found an unknown name; accepted: probably meant: ${name}`,
    ]);
  });

  test("a name far from ours is the service's own and only reported", () => {
    const loaded = load({ ...production, TGEFD_MODEL_CACHE_DIRECTORY: '/tmp' });
    expect(loaded.ok && loaded.warnings.map(({ variable }) => variable)).toEqual([
      'TGEFD_MODEL_CACHE_DIRECTORY',
      'TGEFD_AUDIT_BUCKET',
    ]);
  });
});

describe('production refuses', () => {
  const without = (...names: (keyof typeof production)[]) =>
    Object.fromEntries(Object.entries(production).filter(([name]) => !names.includes(name as keyof typeof production)));

  test.each<[string, Record<string, string>, string]>([
    ['no auth mode', without('TGEFD_AUTH_MODE'), 'TGEFD_AUTH_MODE'],
    ['auth mode none', { ...production, TGEFD_AUTH_MODE: 'none' }, 'TGEFD_AUTH_MODE'],
    ['auth mode api_key', { ...production, TGEFD_AUTH_MODE: 'api_key', TGEFD_API_KEY: long }, 'TGEFD_AUTH_MODE'],
    ['an HS256 secret', { ...production, TGEFD_JWT_SECRET: long }, 'TGEFD_JWT_SECRET'],
    ['HS256 listed', { ...production, TGEFD_JWT_ALLOWED_ALGS: 'HS256,RS256' }, 'TGEFD_JWT_ALLOWED_ALGS'],
    ['no issuer', without('TGEFD_JWT_ISSUER'), 'TGEFD_JWT_ISSUER'],
    ['no audience', without('TGEFD_JWT_AUDIENCE'), 'TGEFD_JWT_AUDIENCE'],
    ['no key set', { ...without('TGEFD_JWKS_URL'), TGEFD_JWT_ISSUER: 'acme' }, 'TGEFD_JWKS_URL'],
    ['a plain key set URL', { ...production, TGEFD_JWKS_URL: 'http://127.0.0.1/jwks' }, 'TGEFD_JWKS_URL'],
    ['a plain Redis URL', { ...production, TGEFD_REDIS_URL: 'http://127.0.0.1' }, 'TGEFD_REDIS_URL'],
    ['no Redis', without('TGEFD_REDIS_URL', 'TGEFD_REDIS_TOKEN'), 'TGEFD_REDIS_URL'],
    ['a plain upstream elsewhere', { ...production, TGEFD_UPSTREAM_URL: 'http://api.internal' }, 'TGEFD_UPSTREAM_URL'],
    ['no pseudonym key', without('TGEFD_AUDIT_PSEUDONYM_KEY'), 'TGEFD_AUDIT_PSEUDONYM_KEY'],
    ['audit off', { ...production, TGEFD_AUDIT_MODE: 'off' }, 'TGEFD_AUDIT_MODE'],
    ['mtls that nobody verified', { ...production, TGEFD_AUTH_MODE: 'mtls' }, 'TGEFD_AUTH_MODE'],
    ['an archive without a signing key', { ...production, TGEFD_AUDIT_BUCKET: 'b' }, 'TGEFD_AUDIT_SIGNING_KEY'],
    ['a short ingress secret', { ...production, TGEFD_INGRESS_SECRET: 'short' }, 'TGEFD_INGRESS_SECRET'],
  ])('%s', (_, env, variable) => {
    const found = lines(env);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(variable);
  });

  test('an unknown environment is production, with its problem', () => {
    expect(lines({ ...production, TGEFD_ENV: 'staging', TGEFD_AUTH_MODE: 'none' }).length).toBe(2);
  });

  test.each([
    ['a loopback upstream', { TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9000' }],
    [
      'a plain upstream that is allowed',
      { TGEFD_UPSTREAM_URL: 'http://api.internal', TGEFD_UPSTREAM_ALLOW_HTTP: 'true' },
    ],
    ['mtls behind trusted proxies', { TGEFD_AUTH_MODE: 'mtls', TGEFD_TRUSTED_PROXIES: '10.0.0.0/8' }],
  ])('but not %s', (_, change) => {
    expect(lines({ ...production, ...change })).toEqual([]);
  });
});

describe('what variables demand of each other', () => {
  test.each<[string, Record<string, string>, string]>([
    ['no mode beside a secret', { ...development, TGEFD_JWT_SECRET: long }, 'TGEFD_AUTH_MODE'],
    ['jwt without any key', { ...development, TGEFD_AUTH_MODE: 'jwt' }, 'TGEFD_JWKS_URL'],
    ['api_key without a key', { ...development, TGEFD_AUTH_MODE: 'api_key' }, 'TGEFD_API_KEY'],
    [
      'only HS256 beside a key set',
      { ...production, TGEFD_ENV: 'development', TGEFD_JWT_ALLOWED_ALGS: 'HS256' },
      'TGEFD_JWT_ALLOWED_ALGS',
    ],
    [
      'no HS256 beside a secret',
      { ...development, TGEFD_AUTH_MODE: 'jwt', TGEFD_JWT_SECRET: long, TGEFD_JWT_ALLOWED_ALGS: 'RS256' },
      'TGEFD_JWT_ALLOWED_ALGS',
    ],
    [
      'a plain key set elsewhere',
      { ...development, TGEFD_AUTH_MODE: 'jwt', TGEFD_JWKS_URL: 'http://issuer.example/' },
      'TGEFD_JWKS_URL',
    ],
    ['a burst without a rate', { ...development, TGEFD_BURST_LIMIT: '5' }, 'TGEFD_BURST_LIMIT'],
    ['a Redis without a token', { ...development, TGEFD_REDIS_URL: 'http://127.0.0.1' }, 'TGEFD_REDIS_TOKEN'],
    [
      'a previous value alone',
      { ...development, TGEFD_INGRESS_SECRET_PREVIOUS: long },
      'TGEFD_INGRESS_SECRET_PREVIOUS',
    ],
    ['an upstream with a path', { ...development, TGEFD_UPSTREAM_URL: 'http://127.0.0.1/api' }, 'TGEFD_UPSTREAM_URL'],
    ['no upstream', { TGEFD_ENV: 'development' }, 'TGEFD_UPSTREAM_URL'],
    ['ages that do not grow', { ...development, TGEFD_AUDIT_HOT_DAYS: '40' }, 'TGEFD_AUDIT_HOT_DAYS'],
    [
      'an assertion for nobody',
      {
        TGEFD_ENV: 'development',
        TGEFD_FORWARD_AUTH: 'nginx',
        TGEFD_ASSERTION_KEY: JSON.stringify({
          kty: 'OKP',
          crv: 'Ed25519',
          d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
          x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
        }),
      },
      'TGEFD_ASSERTION_KEY',
    ],
    ['half a TLS pair', { ...development, TGEFD_TLS_CERT_FILE: '/c.pem' }, 'TGEFD_TLS_KEY_FILE'],
    ['a port that there is not', { ...development, TGEFD_EGRESS_ALLOW: 'a.example:99999' }, 'TGEFD_EGRESS_ALLOW'],
    [
      'a trusted network that is everybody',
      { ...development, TGEFD_TRUSTED_PROXIES: '0.0.0.0/0' },
      'TGEFD_TRUSTED_PROXIES',
    ],
    ['endpoint rows that are no JSON', { ...development, TGEFD_ENDPOINTS: '[' }, 'TGEFD_ENDPOINTS'],
    [
      'an endpoint row that names its scope twice',
      {
        ...development,
        TGEFD_ENDPOINTS: '[{"method":"GET","path":"/v1/a","scope":"admin","scope":null,"budget":"read"}]',
      },
      'TGEFD_ENDPOINTS',
    ],
    [
      'an override that names its rate twice',
      {
        ...development,
        TGEFD_RATE_LIMIT_OVERRIDES: '[{"role":"a","budget":"heavy","per_minute":1,"per_minute":0}]',
      },
      'TGEFD_RATE_LIMIT_OVERRIDES',
    ],
  ])('%s', (_, env, variable) => {
    const found = lines(env);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(variable);
  });

  test('an upstream is not needed where a forward-auth door is on, or a service binding, or on Lambda', () => {
    expect(lines({ TGEFD_ENV: 'development', TGEFD_FORWARD_AUTH: 'nginx' })).toEqual([]);
    expect(lines({ TGEFD_ENV: 'development' }, { platform: 'worker', upstreamBinding: true })).toEqual([]);
    expect(lines({ TGEFD_ENV: 'development' }, { platform: 'lambda' })).toEqual([]);
  });

  test('bindings that are no strings are passed over', () => {
    expect(lines({ ...development, UPSTREAM: { fetch: () => null }, BUCKET: {} })).toEqual([]);
  });
});
