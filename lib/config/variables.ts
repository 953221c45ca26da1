import {
  boolean,
  document,
  headerName,
  hosts,
  integer,
  type Kind,
  list,
  oneOf,
  prefix,
  ratio,
  scope,
  scopes,
  seconds,
  text,
  url,
  words,
} from './kinds.ts';

export type Environment = 'production' | 'development';

/** Where a process of ours runs; some variables and rules hold in one place only. */
export type Platform = 'worker' | 'node' | 'lambda';

type Name = `TGEFD_${string}`;

interface Description {
  readonly name: Name;
  /** Names read too when the first is not given. */
  readonly aliases?: readonly string[];
  /** The only platform on which the variable means anything. */
  readonly only?: Platform;
}

/** One row of the table. `fallback` is the value when nothing was given, in either environment. */
export interface Variable<T, D> extends Description {
  readonly kind: Kind<T>;
  readonly fallback: { readonly production: D; readonly development: D };
  readonly secret: boolean;
}

/** A secret with the second value that is still accepted while rotating (`X_PREVIOUS`). */
export interface Secret<T> {
  readonly current: T;
  readonly previous: T | null;
}

function described(description: Name | Description): Description {
  return typeof description === 'string' ? { name: description } : description;
}

function setting<T, D extends T | null>(description: Name | Description, kind: Kind<T>, fallback: D): Variable<T, D> {
  return settingByEnvironment(description, kind, { production: fallback, development: fallback });
}

function settingByEnvironment<T, D extends T | null>(
  description: Name | Description,
  kind: Kind<T>,
  fallback: { readonly production: D; readonly development: D },
): Variable<T, D> {
  return { ...described(description), kind, fallback, secret: false };
}

function secret<T>(description: Name | Description, kind: Kind<T>): Variable<T, null> & { readonly secret: true } {
  return {
    ...described(description),
    kind,
    fallback: { production: null, development: null },
    secret: true,
  };
}

const perMinute = integer(0, 10_000_000, 'requests per minute');
const burst = integer(0, 10_000_000, 'requests');
const onError = oneOf('local', 'closed', 'open');
const origin = /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$|^\*$/;
const path = text('the path of a file');

/**
 * Every variable of the product: the one table that parsing, `check-config`, `docs/configuration.md` and the wiring tests
 * read. Names and defaults of the hardening plan are fixed. What each is for stands in `meanings.ts`, what variables demand
 * of each other in `rules.ts`.
 */
export const variables = {
  environment: setting('TGEFD_ENV', oneOf('production', 'development'), 'production'),
  endpoints: setting(
    'TGEFD_ENDPOINTS',
    document('a JSON array of `{"method", "path", "scope", "budget", "action"?}`'),
    null,
  ),
  forwardAuth: setting('TGEFD_FORWARD_AUTH', oneOf('off', 'nginx', 'traefik', 'caddy', 'envoy'), 'off'),
  corsAllowedOrigins: setting(
    'TGEFD_CORS_ALLOWED_ORIGINS',
    words('origins such as `https://app.example`, separated by commas', origin),
    [],
  ),

  authMode: setting('TGEFD_AUTH_MODE', oneOf('api_key', 'jwt', 'mtls', 'none'), null),
  apiKey: secret('TGEFD_API_KEY', document('a key, or `id:key` pairs separated by commas')),
  apiKeyScopes: setting('TGEFD_API_KEY_SCOPES', scopes, ['*'] as readonly string[]),
  authFailureLimitPerMinute: settingByEnvironment('TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE', perMinute, {
    production: 60,
    development: 0,
  }),

  jwtSecret: secret('TGEFD_JWT_SECRET', document('at least 32 bytes')),
  jwtHeader: setting('TGEFD_JWT_HEADER', headerName, 'authorization'),
  jwtBearerPrefix: setting('TGEFD_JWT_BEARER_PREFIX', prefix('an authentication scheme, or empty'), 'bearer '),
  jwtIssuer: setting('TGEFD_JWT_ISSUER', text('an issuer identifier'), null),
  jwtAudience: setting('TGEFD_JWT_AUDIENCE', text('an audience'), null),
  jwtSubClaim: setting('TGEFD_JWT_SUB_CLAIM', text('a claim name'), 'sub'),
  jwtClockSkewSeconds: setting('TGEFD_JWT_CLOCK_SKEW_SEC', integer(0, 600, 'seconds'), 60),
  jwtAllowedAlgorithms: setting(
    'TGEFD_JWT_ALLOWED_ALGS',
    words(
      'algorithms among `HS256`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`',
      /^(HS256|[RPE]S(256|384|512)|EdDSA)$/,
    ),
    ['HS256', 'RS256'] as readonly string[],
  ),
  jwtMaximumLifetimeSeconds: settingByEnvironment('TGEFD_JWT_MAX_TTL_SEC', integer(0, 31_536_000, 'seconds'), {
    production: 3600,
    development: 0,
  }),
  jwtTypes: setting('TGEFD_JWT_TYP', words('media types, or `absent`', /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+/-]{0,126}$/), [
    'absent',
    'JWT',
    'at+jwt',
    'application/at+jwt',
  ] as readonly string[]),
  jwtScopesClaim: setting('TGEFD_JWT_SCOPES_CLAIM', text('a claim name'), null),

  jwksUrl: setting('TGEFD_JWKS_URL', url, null),
  jwksTtlSeconds: setting('TGEFD_JWKS_TTL_SEC', seconds(1, 86_400), 300),
  jwksTimeoutSeconds: setting('TGEFD_JWKS_TIMEOUT_SEC', seconds(0.05, 30), 3),
  jwksMaxAttempts: setting('TGEFD_JWKS_MAX_ATTEMPTS', integer(1, 10), 3),
  jwksBackoffSeconds: setting('TGEFD_JWKS_BACKOFF_SEC', seconds(0, 60), 0.2),
  jwksMaxBackoffSeconds: setting('TGEFD_JWKS_MAX_BACKOFF_SEC', seconds(0, 300), 2),
  jwksMaxStaleSeconds: setting('TGEFD_JWKS_MAX_STALE_SEC', seconds(0, 604_800), 3600),

  mtlsIdentityHeader: setting('TGEFD_MTLS_IDENTITY_HEADER', headerName, 'x-ssl-client-subject'),
  mtlsSources: setting(
    'TGEFD_MTLS_SOURCES',
    words('`client_cert`, `xfcc`, `nginx`, `subject`', /^(client_cert|xfcc|nginx|subject)$/),
    ['client_cert', 'xfcc', 'nginx', 'subject'] as readonly string[],
  ),
  mtlsScopesHeader: setting('TGEFD_MTLS_SCOPES_HEADER', headerName, null),
  mtlsRoleHeader: setting('TGEFD_MTLS_ROLE_HEADER', headerName, null),
  mtlsPolicy: setting(
    'TGEFD_MTLS_POLICY',
    document('a JSON array of `{"subject"|"san"|"thumbprint", "scopes"?, "roles"?}`'),
    null,
  ),

  rbacEnabled: settingByEnvironment('TGEFD_RBAC_ENABLED', boolean, {
    production: true as boolean,
    development: false as boolean,
  }),
  scopeDiscover: setting('TGEFD_SCOPE_DISCOVER', scope, 'discover'),
  scopeEvaluate: setting('TGEFD_SCOPE_EVALUATE', scope, 'evaluate'),
  scopeMetrics: setting('TGEFD_SCOPE_METRICS', scope, 'metrics'),
  scopeJobs: setting('TGEFD_SCOPE_JOBS', scope, 'jobs'),
  scopeRevoke: setting('TGEFD_SCOPE_REVOKE', scope, 'revoke'),
  roleClaim: setting('TGEFD_ROLE_CLAIM', text('a claim name'), 'role'),
  rolesClaim: setting('TGEFD_ROLES_CLAIM', text('a claim name'), 'roles'),
  roleAdminScopes: setting('TGEFD_ROLE_ADMIN_SCOPES', scopes, ['*'] as readonly string[]),
  roleAnalystScopes: setting('TGEFD_ROLE_ANALYST_SCOPES', scopes, [
    'discover',
    'evaluate',
    'jobs',
    'metrics',
  ] as readonly string[]),
  roleReaderScopes: setting('TGEFD_ROLE_READER_SCOPES', scopes, ['metrics', 'jobs'] as readonly string[]),

  trustedProxies: setting('TGEFD_TRUSTED_PROXIES', list('CIDR ranges separated by commas'), ''),
  ingressSecret: secret('TGEFD_INGRESS_SECRET', document('at least 32 bytes')),
  identityHeader: setting('TGEFD_IDENTITY_HEADER', headerName, null),

  upstreamUrl: setting('TGEFD_UPSTREAM_URL', url, null),
  upstreamAllowHttp: setting('TGEFD_UPSTREAM_ALLOW_HTTP', boolean, false as boolean),
  upstreamTimeoutSeconds: setting('TGEFD_UPSTREAM_TIMEOUT_SEC', seconds(0.05, 3600), 60),
  forwardCredentials: setting('TGEFD_FORWARD_CREDENTIALS', boolean, false as boolean),
  maximumBodyBytes: setting('TGEFD_MAX_BODY_BYTES', integer(0, 1_099_511_627_776 - 1, 'bytes'), 0),
  assertionKey: secret('TGEFD_ASSERTION_KEY', document('a private JWK for EdDSA (Ed25519) or ES256')),

  rateLimitPerMinute: setting('TGEFD_RATE_LIMIT_PER_MINUTE', perMinute, 0),
  burstLimit: setting('TGEFD_BURST_LIMIT', burst, 0),
  heavyRateLimitPerMinute: setting('TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE', perMinute, 0),
  heavyBurstLimit: setting('TGEFD_HEAVY_BURST_LIMIT', burst, 0),
  rateLimitOverrides: setting(
    'TGEFD_RATE_LIMIT_OVERRIDES',
    document('a JSON array of `{"role"|"subject", "budget", "per_minute", "burst"?}`'),
    null,
  ),
  rateLimitMode: setting('TGEFD_RATE_LIMIT_MODE', oneOf('leased', 'exact'), 'leased'),
  rateLimitOnError: setting('TGEFD_RATE_LIMIT_ON_ERROR', onError, 'local'),
  heavyRateLimitOnError: setting('TGEFD_HEAVY_RATE_LIMIT_ON_ERROR', onError, 'local'),

  revocationOnError: setting('TGEFD_REVOCATION_ON_ERROR', oneOf('closed', 'open'), 'closed'),
  revocationMaximumDelaySeconds: setting('TGEFD_REVOCATION_MAX_DELAY_SEC', seconds(0.1, 300), 5),
  revokedTokenIds: setting('TGEFD_REVOKED_JTIS', words('token ids separated by commas', /^\S{1,256}$/), []),
  revokedKeyIds: setting('TGEFD_REVOKED_KIDS', words('key ids separated by commas', /^\S{1,256}$/), []),
  revokedSubjects: setting(
    'TGEFD_REVOKED_SUBS',
    words('`subject@epoch` entries separated by commas', /^\S{1,256}@\d{1,12}$/),
    [],
  ),

  redisUrl: setting(
    {
      name: 'TGEFD_REDIS_URL',
      aliases: ['UPSTASH_REDIS_REST_URL'],
    },
    url,
    null,
  ),
  redisToken: secret(
    {
      name: 'TGEFD_REDIS_TOKEN',
      aliases: ['UPSTASH_REDIS_REST_TOKEN'],
    },
    text('a token'),
  ),
  redisTimeoutMs: setting('TGEFD_REDIS_TIMEOUT_MS', integer(5, 10_000, 'milliseconds'), 150),

  auditMode: settingByEnvironment('TGEFD_AUDIT_MODE', oneOf('strict', 'relaxed', 'off'), {
    production: 'strict' as 'strict' | 'relaxed',
    development: 'relaxed' as 'strict' | 'relaxed',
  }),
  auditLog: settingByEnvironment('TGEFD_AUDIT_LOG', boolean, {
    production: false as boolean,
    development: true as boolean,
  }),
  auditLogPath: setting(
    {
      name: 'TGEFD_AUDIT_LOG_PATH',
      only: 'node',
    },
    path,
    null,
  ),
  auditPseudonymKey: secret('TGEFD_AUDIT_PSEUDONYM_KEY', document('at least 32 bytes')),
  auditStreamMaximum: setting('TGEFD_AUDIT_STREAM_MAX', integer(100, 100_000_000), 1_000_000),

  auditBucket: setting('TGEFD_AUDIT_BUCKET', text('a bucket name'), null),
  auditS3Endpoint: setting('TGEFD_AUDIT_S3_ENDPOINT', url, null),
  auditS3Region: setting('TGEFD_AUDIT_S3_REGION', text('a region'), 'auto'),
  auditS3AccessKeyId: secret('TGEFD_AUDIT_S3_ACCESS_KEY_ID', text('an access key id')),
  auditS3SecretAccessKey: secret('TGEFD_AUDIT_S3_SECRET_ACCESS_KEY', text('a secret access key')),
  auditS3RoleArn: setting('TGEFD_AUDIT_S3_ROLE_ARN', text('the ARN of a role'), null),
  auditGcsProvider: setting('TGEFD_AUDIT_GCS_PROVIDER', text('`//iam.googleapis.com/projects/…/providers/…`'), null),
  auditGcsServiceAccount: setting('TGEFD_AUDIT_GCS_SERVICE_ACCOUNT', text('the address of a service account'), null),
  auditPrefix: setting('TGEFD_AUDIT_PREFIX', text('an object prefix'), 'audit'),
  auditSigningKey: secret('TGEFD_AUDIT_SIGNING_KEY', document('a private JWK for EdDSA (Ed25519) or ES256')),
  auditAnchorBucket: setting('TGEFD_AUDIT_ANCHOR_BUCKET', text('a bucket name'), null),
  auditObjectLock: setting('TGEFD_AUDIT_OBJECT_LOCK', oneOf('off', 'governance', 'compliance'), 'off' as const),
  auditArchiveIntervalSeconds: setting(
    {
      name: 'TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC',
      only: 'node',
    },
    seconds(0, 3600),
    60,
  ),
  auditHotDays: setting('TGEFD_AUDIT_HOT_DAYS', integer(1, 36_500, 'days'), 7),
  auditWarmDays: setting('TGEFD_AUDIT_WARM_DAYS', integer(1, 36_500, 'days'), 30),
  auditColdDays: setting('TGEFD_AUDIT_COLD_DAYS', integer(1, 36_500, 'days'), 180),

  requireTls: settingByEnvironment('TGEFD_REQUIRE_TLS', boolean, {
    production: true as boolean,
    development: false as boolean,
  }),
  tlsCertificateFile: setting(
    {
      name: 'TGEFD_TLS_CERT_FILE',
      only: 'node',
    },
    path,
    null,
  ),
  tlsKeyFile: setting({ name: 'TGEFD_TLS_KEY_FILE', only: 'node' }, path, null),
  tlsClientCaFile: setting(
    {
      name: 'TGEFD_TLS_CLIENT_CA_FILE',
      only: 'node',
    },
    path,
    null,
  ),
  tlsClientCrlFile: setting(
    {
      name: 'TGEFD_TLS_CLIENT_CRL_FILE',
      only: 'node',
    },
    path,
    null,
  ),
  upstreamTlsCertificateFile: setting(
    {
      name: 'TGEFD_UPSTREAM_TLS_CERT_FILE',
      only: 'node',
    },
    path,
    null,
  ),
  upstreamTlsKeyFile: setting(
    {
      name: 'TGEFD_UPSTREAM_TLS_KEY_FILE',
      only: 'node',
    },
    path,
    null,
  ),
  upstreamTlsCaFile: setting(
    {
      name: 'TGEFD_UPSTREAM_TLS_CA_FILE',
      only: 'node',
    },
    path,
    null,
  ),
  internalTlsHosts: setting({ name: 'TGEFD_INTERNAL_TLS_HOSTS', only: 'node' }, hosts, []),
  internalTlsCertificateFile: setting({ name: 'TGEFD_INTERNAL_TLS_CERT_FILE', only: 'node' }, path, null),
  internalTlsKeyFile: setting({ name: 'TGEFD_INTERNAL_TLS_KEY_FILE', only: 'node' }, path, null),
  internalTlsCaFile: setting({ name: 'TGEFD_INTERNAL_TLS_CA_FILE', only: 'node' }, path, null),
  egressAllow: setting('TGEFD_EGRESS_ALLOW', hosts, []),

  authorizerResponse: setting(
    {
      name: 'TGEFD_AUTHORIZER_RESPONSE',
      only: 'lambda',
    },
    oneOf('simple', 'iam'),
    'simple',
  ),
  authorizerTtlSeconds: setting(
    {
      name: 'TGEFD_AUTHORIZER_TTL_SEC',
      only: 'lambda',
    },
    integer(0, 3600, 'seconds'),
    0,
  ),

  metricsEnabled: setting('TGEFD_METRICS_ENABLED', boolean, false as boolean),
  metricsPort: setting({ name: 'TGEFD_METRICS_PORT', only: 'node' }, integer(1, 65_535), null),
  otelEnabled: setting('TGEFD_OTEL_ENABLED', boolean, false as boolean),
  otelEndpoint: setting('TGEFD_OTEL_ENDPOINT', url, new URL('http://localhost:4318/v1/traces')),
  otelHeaders: secret('TGEFD_OTEL_HEADERS', document('`name=value` pairs separated by commas')),
  otelServiceName: setting('TGEFD_OTEL_SERVICE_NAME', text('a name'), 'tgefd-authorizer'),
  otelSampleRatio: setting('TGEFD_OTEL_SAMPLE_RATIO', ratio, 1),
  otelTimeoutSeconds: setting('TGEFD_OTEL_TIMEOUT_SEC', seconds(0.05, 30), 5),
  doctorSecret: secret('TGEFD_DOCTOR_SECRET', document('at least 32 bytes')),

  issuerUrl: setting('TGEFD_ISSUER_URL', url, null),
  secretsRefreshSeconds: setting('TGEFD_SECRETS_REFRESH_SEC', seconds(0, 86_400), 300),
  vaultUrl: setting({ name: 'TGEFD_VAULT_URL', only: 'node' }, url, null),
  vaultNamespace: setting({ name: 'TGEFD_VAULT_NAMESPACE', only: 'node' }, text('a namespace'), null),
  vaultAuth: setting({ name: 'TGEFD_VAULT_AUTH', only: 'node' }, oneOf('kubernetes', 'jwt', 'token'), 'kubernetes'),
  vaultAuthMount: setting({ name: 'TGEFD_VAULT_AUTH_MOUNT', only: 'node' }, text('a mount path'), null),
  vaultRole: setting({ name: 'TGEFD_VAULT_ROLE', only: 'node' }, text('a role'), null),
  vaultJwtFile: setting(
    { name: 'TGEFD_VAULT_JWT_FILE', only: 'node' },
    path,
    '/var/run/secrets/kubernetes.io/serviceaccount/token',
  ),
  vaultToken: secret({ name: 'TGEFD_VAULT_TOKEN', only: 'node' }, text('a token')),
  rotationMaximumAgeDays: setting('TGEFD_ROTATION_MAX_AGE_DAYS', integer(0, 3650, 'days'), 90),
} as const;

type Table = typeof variables;

/** The value of every variable, by its key in the table. Secrets carry the value that is being rotated out. */
export type Settings = {
  readonly [K in keyof Table]: Table[K] extends { readonly secret: true; readonly kind: Kind<infer T> }
    ? Secret<T> | null
    : Table[K] extends Variable<infer T, infer D>
      ? T | D
      : never;
};

export type SettingKey = keyof Table;
