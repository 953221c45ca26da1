import {
  boolean,
  document,
  headerName,
  integer,
  type Kind,
  list,
  oneOf,
  prefix,
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

/** The chapters of the configuration page, in its order. */
export const sections = [
  'General',
  'Authentication',
  'JWT',
  'Key set',
  'mTLS',
  'Scopes and roles',
  'Trust boundary',
  'Upstream',
  'Limits',
  'Revocation',
  'Redis',
  'Audit',
  'Archive',
  'Transport and egress',
  'API Gateway',
  'Observation',
  'Secrets',
] as const;
export type Section = (typeof sections)[number];

interface Description {
  readonly name: `TGEFD_${string}`;
  readonly section: Section;
  readonly meaning: string;
  /** Names read too when the first is not given. */
  readonly aliases?: readonly string[];
  /** The only platform on which the variable means anything. */
  readonly only?: Platform;
}

/** One row of the table. `fallback` is the value when nothing was given: one for both environments, or one each. */
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

const setting = <T, D extends T | null>(description: Description, kind: Kind<T>, fallback: D): Variable<T, D> => ({
  ...description,
  kind,
  fallback: { production: fallback, development: fallback },
  secret: false,
});

const settingByEnvironment = <T, D extends T | null>(
  description: Description,
  kind: Kind<T>,
  fallback: { readonly production: D; readonly development: D },
): Variable<T, D> => ({ ...description, kind, fallback, secret: false });

const secret = <T>(description: Description, kind: Kind<T>): Variable<T, null> & { readonly secret: true } => ({
  ...description,
  kind,
  fallback: { production: null, development: null },
  secret: true,
});

const perMinute = integer(0, 10_000_000, 'requests per minute');
const burst = integer(0, 10_000_000, 'requests');
const onError = oneOf('local', 'closed', 'open');
const host = /^(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/;
const origin = /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$|^\*$/;
const path = text('the path of a file');

/**
 * Every variable of the product: the one table that parsing, `check-config`, `docs/configuration.md` and the wiring tests
 * read. Names and defaults of the hardening plan are fixed. What variables demand of each other stands in `rules.ts`.
 */
export const variables = {
  environment: setting(
    {
      name: 'TGEFD_ENV',
      section: 'General',
      meaning: 'Production refuses every weak setting; development allows some and says so.',
    },
    oneOf('production', 'development'),
    'production',
  ),
  endpoints: setting(
    {
      name: 'TGEFD_ENDPOINTS',
      section: 'General',
      meaning:
        'Rows added to the endpoint table, or replacing one of the same method and path. `{name}` stands for one segment; scope `null` means any authenticated caller.',
    },
    document('a JSON array of `{"method", "path", "scope", "budget", "action"?}`'),
    null,
  ),
  forwardAuth: setting(
    {
      name: 'TGEFD_FORWARD_AUTH',
      section: 'General',
      meaning:
        'The proxy that asks for decisions at `/_authorizer/check` (or `/_authorizer/ext-authz/` for Envoy), and with it the only headers that method and URI are read from.',
    },
    oneOf('off', 'nginx', 'traefik', 'caddy', 'envoy'),
    'off',
  ),
  corsAllowedOrigins: setting(
    {
      name: 'TGEFD_CORS_ALLOWED_ORIGINS',
      section: 'General',
      meaning: 'Origins whose preflights are answered; none by default. Preflights never reach the upstream.',
    },
    words('origins such as `https://app.example`, separated by commas', origin),
    [],
  ),

  authMode: setting(
    {
      name: 'TGEFD_AUTH_MODE',
      section: 'Authentication',
      meaning:
        'How callers prove who they are. Not given: `none`, in development only and only while no credential setting is present; otherwise invalid.',
    },
    oneOf('api_key', 'jwt', 'mtls', 'none'),
    null,
  ),
  apiKey: secret(
    {
      name: 'TGEFD_API_KEY',
      section: 'Authentication',
      meaning: 'Keys accepted in `x-api-key`, development only: one key, or several as `id:key`.',
    },
    document('a key, or `id:key` pairs separated by commas'),
  ),
  apiKeyScopes: setting(
    { name: 'TGEFD_API_KEY_SCOPES', section: 'Authentication', meaning: 'Scopes that an API key grants.' },
    scopes,
    ['*'] as readonly string[],
  ),
  authFailureLimitPerMinute: settingByEnvironment(
    {
      name: 'TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE',
      section: 'Authentication',
      meaning:
        'Failed authentications one address may cause a minute before further failures get 429 at no cost; 0 is off.',
    },
    perMinute,
    { production: 60, development: 0 },
  ),

  jwtSecret: secret(
    { name: 'TGEFD_JWT_SECRET', section: 'JWT', meaning: 'HS256 secret, development only; at least 32 bytes.' },
    document('at least 32 bytes'),
  ),
  jwtHeader: setting(
    { name: 'TGEFD_JWT_HEADER', section: 'JWT', meaning: 'Header that carries the token.' },
    headerName,
    'authorization',
  ),
  jwtBearerPrefix: setting(
    {
      name: 'TGEFD_JWT_BEARER_PREFIX',
      section: 'JWT',
      meaning: 'What stands before the token; letter case does not matter.',
    },
    prefix('an authentication scheme, or empty'),
    'bearer ',
  ),
  jwtIssuer: setting(
    { name: 'TGEFD_JWT_ISSUER', section: 'JWT', meaning: 'Exact `iss` of every token; required in production.' },
    text('an issuer identifier'),
    null,
  ),
  jwtAudience: setting(
    { name: 'TGEFD_JWT_AUDIENCE', section: 'JWT', meaning: 'Value that `aud` must contain; required in production.' },
    text('an audience'),
    null,
  ),
  jwtSubClaim: setting(
    { name: 'TGEFD_JWT_SUB_CLAIM', section: 'JWT', meaning: 'Claim that names the caller.' },
    text('a claim name'),
    'sub',
  ),
  jwtClockSkewSeconds: setting(
    { name: 'TGEFD_JWT_CLOCK_SKEW_SEC', section: 'JWT', meaning: 'Tolerance for `exp`, `nbf` and `iat`.' },
    integer(0, 600, 'seconds'),
    60,
  ),
  jwtAllowedAlgorithms: setting(
    {
      name: 'TGEFD_JWT_ALLOWED_ALGS',
      section: 'JWT',
      meaning: 'Signature algorithms accepted. HS256 counts only where a secret is configured and no key set is.',
    },
    words(
      'algorithms among `HS256`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512`, `EdDSA`',
      /^(HS256|[RPE]S(256|384|512)|EdDSA)$/,
    ),
    ['HS256', 'RS256'] as readonly string[],
  ),
  jwtMaximumLifetimeSeconds: settingByEnvironment(
    {
      name: 'TGEFD_JWT_MAX_TTL_SEC',
      section: 'JWT',
      meaning: 'Tokens whose `exp - iat` is longer are refused; 0 is off.',
    },
    integer(0, 31_536_000, 'seconds'),
    { production: 3600, development: 0 },
  ),
  jwtTypes: setting(
    {
      name: 'TGEFD_JWT_TYP',
      section: 'JWT',
      meaning: 'Values of the `typ` header that are accepted; `absent` stands for a token without one.',
    },
    words('media types, or `absent`', /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+/-]{0,126}$/),
    ['absent', 'JWT', 'at+jwt', 'application/at+jwt'] as readonly string[],
  ),
  jwtScopesClaim: setting(
    {
      name: 'TGEFD_JWT_SCOPES_CLAIM',
      section: 'JWT',
      meaning: 'Claim that holds the scopes; otherwise the first of `scope`, `scopes`, `scp`.',
    },
    text('a claim name'),
    null,
  ),

  jwksUrl: setting(
    {
      name: 'TGEFD_JWKS_URL',
      section: 'Key set',
      meaning:
        'Where the issuer publishes its keys; required for `jwt` in production. `http:` is for loopback hosts in development only.',
    },
    url,
    null,
  ),
  jwksTtlSeconds: setting(
    {
      name: 'TGEFD_JWKS_TTL_SEC',
      section: 'Key set',
      meaning: 'How long a fetched key set serves before it must be fetched again.',
    },
    seconds(1, 86_400),
    300,
  ),
  jwksTimeoutSeconds: setting(
    { name: 'TGEFD_JWKS_TIMEOUT_SEC', section: 'Key set', meaning: 'Deadline of one fetch, body included.' },
    seconds(0.05, 30),
    3,
  ),
  jwksMaxAttempts: setting(
    { name: 'TGEFD_JWKS_MAX_ATTEMPTS', section: 'Key set', meaning: 'Attempts of one fetch.' },
    integer(1, 10),
    3,
  ),
  jwksBackoffSeconds: setting(
    {
      name: 'TGEFD_JWKS_BACKOFF_SEC',
      section: 'Key set',
      meaning: 'First pause between attempts; doubles each time, with jitter.',
    },
    seconds(0, 60),
    0.2,
  ),
  jwksMaxBackoffSeconds: setting(
    { name: 'TGEFD_JWKS_MAX_BACKOFF_SEC', section: 'Key set', meaning: 'Longest pause between attempts.' },
    seconds(0, 300),
    2,
  ),
  jwksMaxStaleSeconds: setting(
    {
      name: 'TGEFD_JWKS_MAX_STALE_SEC',
      section: 'Key set',
      meaning: 'How long the last good key set may serve while the issuer is down.',
    },
    seconds(0, 604_800),
    3600,
  ),

  mtlsIdentityHeader: setting(
    {
      name: 'TGEFD_MTLS_IDENTITY_HEADER',
      section: 'mTLS',
      meaning: 'Header in which a trusted ingress gives the verified certificate subject.',
    },
    headerName,
    'x-ssl-client-subject',
  ),
  mtlsSources: setting(
    {
      name: 'TGEFD_MTLS_SOURCES',
      section: 'mTLS',
      meaning:
        'Headers of a trusted ingress that may carry a certificate: RFC 9440 `Client-Cert`, Envoy’s XFCC, nginx’s `ssl-client-*`, the plan’s subject header. List only those your ingress overwrites.',
    },
    words('`client_cert`, `xfcc`, `nginx`, `subject`', /^(client_cert|xfcc|nginx|subject)$/),
    ['client_cert', 'xfcc', 'nginx', 'subject'] as readonly string[],
  ),
  mtlsScopesHeader: setting(
    {
      name: 'TGEFD_MTLS_SCOPES_HEADER',
      section: 'mTLS',
      meaning: 'Header in which a trusted ingress gives the scopes of the certificate.',
    },
    headerName,
    null,
  ),
  mtlsRoleHeader: setting(
    {
      name: 'TGEFD_MTLS_ROLE_HEADER',
      section: 'mTLS',
      meaning: 'Header in which a trusted ingress gives the roles of the certificate.',
    },
    headerName,
    null,
  ),
  mtlsPolicy: setting(
    {
      name: 'TGEFD_MTLS_POLICY',
      section: 'mTLS',
      meaning: 'Scopes or roles of certificates by subject, subject alternative name or SHA-256 thumbprint.',
    },
    document('a JSON array of `{"subject"|"san"|"thumbprint", "scopes"?, "roles"?}`'),
    null,
  ),

  rbacEnabled: settingByEnvironment(
    { name: 'TGEFD_RBAC_ENABLED', section: 'Scopes and roles', meaning: 'Whether an endpoint demands its scope.' },
    boolean,
    { production: true as boolean, development: false as boolean },
  ),
  scopeDiscover: setting(
    { name: 'TGEFD_SCOPE_DISCOVER', section: 'Scopes and roles', meaning: 'Scope of the discover endpoints.' },
    scope,
    'discover',
  ),
  scopeEvaluate: setting(
    { name: 'TGEFD_SCOPE_EVALUATE', section: 'Scopes and roles', meaning: 'Scope of the evaluate endpoints.' },
    scope,
    'evaluate',
  ),
  scopeMetrics: setting(
    { name: 'TGEFD_SCOPE_METRICS', section: 'Scopes and roles', meaning: 'Scope of the metrics endpoints.' },
    scope,
    'metrics',
  ),
  scopeJobs: setting(
    { name: 'TGEFD_SCOPE_JOBS', section: 'Scopes and roles', meaning: 'Scope of the jobs endpoint.' },
    scope,
    'jobs',
  ),
  scopeRevoke: setting(
    {
      name: 'TGEFD_SCOPE_REVOKE',
      section: 'Scopes and roles',
      meaning: 'Scope of `/_authorizer/revocations`; `*` does not include it unless held through the admin role.',
    },
    scope,
    'revoke',
  ),
  roleClaim: setting(
    { name: 'TGEFD_ROLE_CLAIM', section: 'Scopes and roles', meaning: 'Claim with one role.' },
    text('a claim name'),
    'role',
  ),
  rolesClaim: setting(
    { name: 'TGEFD_ROLES_CLAIM', section: 'Scopes and roles', meaning: 'Claim with several roles.' },
    text('a claim name'),
    'roles',
  ),
  roleAdminScopes: setting(
    { name: 'TGEFD_ROLE_ADMIN_SCOPES', section: 'Scopes and roles', meaning: 'Scopes of the admin role.' },
    scopes,
    ['*'] as readonly string[],
  ),
  roleAnalystScopes: setting(
    { name: 'TGEFD_ROLE_ANALYST_SCOPES', section: 'Scopes and roles', meaning: 'Scopes of the analyst role.' },
    scopes,
    ['discover', 'evaluate', 'jobs', 'metrics'] as readonly string[],
  ),
  roleReaderScopes: setting(
    { name: 'TGEFD_ROLE_READER_SCOPES', section: 'Scopes and roles', meaning: 'Scopes of the reader role.' },
    scopes,
    ['metrics', 'jobs'] as readonly string[],
  ),

  trustedProxies: setting(
    {
      name: 'TGEFD_TRUSTED_PROXIES',
      section: 'Trust boundary',
      meaning: 'Networks whose forwarded, identity and certificate headers count.',
    },
    list('CIDR ranges separated by commas'),
    '',
  ),
  ingressSecret: secret(
    {
      name: 'TGEFD_INGRESS_SECRET',
      section: 'Trust boundary',
      meaning: 'Secret of the signed ingress proof, where no peer address exists or can be trusted; at least 32 bytes.',
    },
    document('at least 32 bytes'),
  ),
  identityHeader: setting(
    {
      name: 'TGEFD_IDENTITY_HEADER',
      section: 'Trust boundary',
      meaning:
        'Header in which a trusted ingress names the caller, and under which the verified identity goes upstream (`x-auth-request-user` otherwise).',
    },
    headerName,
    null,
  ),

  upstreamUrl: setting(
    {
      name: 'TGEFD_UPSTREAM_URL',
      section: 'Upstream',
      meaning:
        'Origin that the gateway forwards to. Required unless a forward-auth door is on or a Worker has the service binding `UPSTREAM`.',
    },
    url,
    null,
  ),
  upstreamAllowHttp: setting(
    {
      name: 'TGEFD_UPSTREAM_ALLOW_HTTP',
      section: 'Upstream',
      meaning: 'Allows an `http:` upstream that is not on a loopback host.',
    },
    boolean,
    false as boolean,
  ),
  upstreamTimeoutSeconds: setting(
    {
      name: 'TGEFD_UPSTREAM_TIMEOUT_SEC',
      section: 'Upstream',
      meaning: 'How long the upstream may take to begin its answer.',
    },
    seconds(0.05, 3600),
    60,
  ),
  forwardCredentials: setting(
    {
      name: 'TGEFD_FORWARD_CREDENTIALS',
      section: 'Upstream',
      meaning: 'Whether `Authorization` and `x-api-key` go on to the upstream.',
    },
    boolean,
    false as boolean,
  ),
  maximumBodyBytes: setting(
    {
      name: 'TGEFD_MAX_BODY_BYTES',
      section: 'Upstream',
      meaning: 'Longest request body, declared or streamed; 0 is off.',
    },
    integer(0, 1_099_511_627_776 - 1, 'bytes'),
    0,
  ),
  assertionKey: secret(
    {
      name: 'TGEFD_ASSERTION_KEY',
      section: 'Upstream',
      meaning: 'Key that signs the identity assertion for the upstream (`x-tgefd-assertion`).',
    },
    document('a private JWK for EdDSA (Ed25519) or ES256'),
  ),

  rateLimitPerMinute: setting(
    { name: 'TGEFD_RATE_LIMIT_PER_MINUTE', section: 'Limits', meaning: 'General budget of one identity; 0 is off.' },
    perMinute,
    0,
  ),
  burstLimit: setting(
    {
      name: 'TGEFD_BURST_LIMIT',
      section: 'Limits',
      meaning: 'Requests the general budget lets through at once; 0 means the per-minute figure.',
    },
    burst,
    0,
  ),
  heavyRateLimitPerMinute: setting(
    {
      name: 'TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE',
      section: 'Limits',
      meaning: 'Further budget of one identity for discover and evaluate; 0 is off.',
    },
    perMinute,
    0,
  ),
  heavyBurstLimit: setting(
    {
      name: 'TGEFD_HEAVY_BURST_LIMIT',
      section: 'Limits',
      meaning: 'Requests the heavy budget lets through at once; 0 means the per-minute figure.',
    },
    burst,
    0,
  ),
  rateLimitOverrides: setting(
    { name: 'TGEFD_RATE_LIMIT_OVERRIDES', section: 'Limits', meaning: 'Budgets of single roles or identities.' },
    document('a JSON array of `{"role"|"subject", "budget", "per_minute", "burst"?}`'),
    null,
  ),
  rateLimitMode: setting(
    {
      name: 'TGEFD_RATE_LIMIT_MODE',
      section: 'Limits',
      meaning:
        '`exact` asks Redis for every decision; `leased` takes tokens ahead and mostly decides without a trip. Neither lets a budget be overshot.',
    },
    oneOf('leased', 'exact'),
    'leased',
  ),
  rateLimitOnError: setting(
    {
      name: 'TGEFD_RATE_LIMIT_ON_ERROR',
      section: 'Limits',
      meaning: 'What decides while Redis does not answer: a bucket of this process, refusal, or nothing.',
    },
    onError,
    'local',
  ),
  heavyRateLimitOnError: setting(
    { name: 'TGEFD_HEAVY_RATE_LIMIT_ON_ERROR', section: 'Limits', meaning: 'The same for the heavy budget.' },
    onError,
    'local',
  ),

  revocationOnError: setting(
    {
      name: 'TGEFD_REVOCATION_ON_ERROR',
      section: 'Revocation',
      meaning: 'Whether a credential passes while nobody can say if it is revoked.',
    },
    oneOf('closed', 'open'),
    'closed',
  ),
  revocationMaximumDelaySeconds: setting(
    {
      name: 'TGEFD_REVOCATION_MAX_DELAY_SEC',
      section: 'Revocation',
      meaning: 'How long a revocation may take to hold everywhere in leased mode.',
    },
    seconds(0.1, 300),
    5,
  ),
  revokedTokenIds: setting(
    {
      name: 'TGEFD_REVOKED_JTIS',
      section: 'Revocation',
      meaning: 'Token ids refused from deployment on, without Redis.',
    },
    words('token ids separated by commas', /^\S{1,256}$/),
    [],
  ),
  revokedKeyIds: setting(
    { name: 'TGEFD_REVOKED_KIDS', section: 'Revocation', meaning: 'Key ids refused from deployment on.' },
    words('key ids separated by commas', /^\S{1,256}$/),
    [],
  ),
  revokedSubjects: setting(
    {
      name: 'TGEFD_REVOKED_SUBS',
      section: 'Revocation',
      meaning: 'Subjects whose tokens issued before the epoch second (or without `iat`) are refused.',
    },
    words('`subject@epoch` entries separated by commas', /^\S{1,256}@\d{1,12}$/),
    [],
  ),

  redisUrl: setting(
    {
      name: 'TGEFD_REDIS_URL',
      section: 'Redis',
      aliases: ['UPSTASH_REDIS_REST_URL'],
      meaning:
        'Upstash REST endpoint for limits, revocation and the audit outbox. Not given: in memory, in development only.',
    },
    url,
    null,
  ),
  redisToken: secret(
    {
      name: 'TGEFD_REDIS_TOKEN',
      section: 'Redis',
      aliases: ['UPSTASH_REDIS_REST_TOKEN'],
      meaning: 'Token of the REST endpoint.',
    },
    text('a token'),
  ),
  redisTimeoutMs: setting(
    { name: 'TGEFD_REDIS_TIMEOUT_MS', section: 'Redis', meaning: 'Hard deadline of one decision’s trip.' },
    integer(5, 10_000, 'milliseconds'),
    150,
  ),

  auditMode: settingByEnvironment(
    {
      name: 'TGEFD_AUDIT_MODE',
      section: 'Audit',
      meaning:
        '`strict`: no answer leaves before its record is durable. `relaxed`: recorded after the answer. `off`: development only.',
    },
    oneOf('strict', 'relaxed', 'off'),
    { production: 'strict' as 'strict' | 'relaxed', development: 'relaxed' as 'strict' | 'relaxed' },
  ),
  auditLog: settingByEnvironment(
    {
      name: 'TGEFD_AUDIT_LOG',
      section: 'Audit',
      meaning: 'Whether each record is also written to stdout as one JSON line.',
    },
    boolean,
    { production: false as boolean, development: true as boolean },
  ),
  auditLogPath: setting(
    {
      name: 'TGEFD_AUDIT_LOG_PATH',
      section: 'Audit',
      only: 'node',
      meaning: 'File that each record is also appended to.',
    },
    path,
    null,
  ),
  auditPseudonymKey: secret(
    {
      name: 'TGEFD_AUDIT_PSEUDONYM_KEY',
      section: 'Audit',
      meaning:
        'HMAC key under which identities appear in records and Redis keys; at least 32 bytes. Development makes one per process.',
    },
    document('at least 32 bytes'),
  ),
  auditStreamMaximum: setting(
    {
      name: 'TGEFD_AUDIT_STREAM_MAX',
      section: 'Audit',
      meaning: 'Records the outbox may hold before it counts as unavailable; it is never trimmed.',
    },
    integer(100, 100_000_000),
    1_000_000,
  ),

  auditBucket: setting(
    { name: 'TGEFD_AUDIT_BUCKET', section: 'Archive', meaning: 'Bucket that batches are written to.' },
    text('a bucket name'),
    null,
  ),
  auditS3Endpoint: setting(
    {
      name: 'TGEFD_AUDIT_S3_ENDPOINT',
      section: 'Archive',
      meaning: 'S3 endpoint, where it is not AWS (R2, Google Cloud Storage interoperability).',
    },
    url,
    null,
  ),
  auditS3Region: setting(
    { name: 'TGEFD_AUDIT_S3_REGION', section: 'Archive', meaning: 'Region of the bucket.' },
    text('a region'),
    'auto',
  ),
  auditS3AccessKeyId: secret(
    {
      name: 'TGEFD_AUDIT_S3_ACCESS_KEY_ID',
      section: 'Archive',
      meaning: 'Access key, only where no role or token exchange is to be had.',
    },
    text('an access key id'),
  ),
  auditS3SecretAccessKey: secret(
    { name: 'TGEFD_AUDIT_S3_SECRET_ACCESS_KEY', section: 'Archive', meaning: 'Its secret.' },
    text('a secret access key'),
  ),
  auditPrefix: setting(
    { name: 'TGEFD_AUDIT_PREFIX', section: 'Archive', meaning: 'Prefix of every object.' },
    text('an object prefix'),
    'audit',
  ),
  auditSigningKey: secret(
    {
      name: 'TGEFD_AUDIT_SIGNING_KEY',
      section: 'Archive',
      meaning: 'Key that signs batch manifests; required in production where the archive runs.',
    },
    document('a private JWK for EdDSA (Ed25519) or ES256'),
  ),
  auditAnchorBucket: setting(
    {
      name: 'TGEFD_AUDIT_ANCHOR_BUCKET',
      section: 'Archive',
      meaning: 'Second bucket that hourly anchors are written to as well.',
    },
    text('a bucket name'),
    null,
  ),
  auditArchiveIntervalSeconds: setting(
    {
      name: 'TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC',
      section: 'Archive',
      only: 'node',
      meaning: 'How often the Node door drains the outbox when a bucket is configured; 0 is never.',
    },
    seconds(0, 3600),
    60,
  ),
  auditHotDays: setting(
    { name: 'TGEFD_AUDIT_HOT_DAYS', section: 'Archive', meaning: 'Age until which records stay hot.' },
    integer(1, 36_500, 'days'),
    7,
  ),
  auditWarmDays: setting(
    { name: 'TGEFD_AUDIT_WARM_DAYS', section: 'Archive', meaning: 'Age until which they stay warm.' },
    integer(1, 36_500, 'days'),
    30,
  ),
  auditColdDays: setting(
    { name: 'TGEFD_AUDIT_COLD_DAYS', section: 'Archive', meaning: 'Age at which they expire.' },
    integer(1, 36_500, 'days'),
    180,
  ),

  requireTls: settingByEnvironment(
    {
      name: 'TGEFD_REQUIRE_TLS',
      section: 'Transport and egress',
      meaning: 'Refuse callers whose own connection was plain HTTP, with 403 `insecure_transport`.',
    },
    boolean,
    { production: true as boolean, development: false as boolean },
  ),
  tlsCertificateFile: setting(
    {
      name: 'TGEFD_TLS_CERT_FILE',
      section: 'Transport and egress',
      only: 'node',
      meaning: 'Certificate chain of the Node door’s own TLS (PEM); read again when it changes.',
    },
    path,
    null,
  ),
  tlsKeyFile: setting(
    { name: 'TGEFD_TLS_KEY_FILE', section: 'Transport and egress', only: 'node', meaning: 'Its private key (PEM).' },
    path,
    null,
  ),
  tlsClientCaFile: setting(
    {
      name: 'TGEFD_TLS_CLIENT_CA_FILE',
      section: 'Transport and egress',
      only: 'node',
      meaning: 'Authorities of client certificates (PEM); client certificates are asked for when given.',
    },
    path,
    null,
  ),
  tlsClientCrlFile: setting(
    {
      name: 'TGEFD_TLS_CLIENT_CRL_FILE',
      section: 'Transport and egress',
      only: 'node',
      meaning: 'Revocation lists of client certificates (PEM).',
    },
    path,
    null,
  ),
  upstreamTlsCertificateFile: setting(
    {
      name: 'TGEFD_UPSTREAM_TLS_CERT_FILE',
      section: 'Transport and egress',
      only: 'node',
      meaning: 'Client certificate shown to the upstream (PEM).',
    },
    path,
    null,
  ),
  upstreamTlsKeyFile: setting(
    {
      name: 'TGEFD_UPSTREAM_TLS_KEY_FILE',
      section: 'Transport and egress',
      only: 'node',
      meaning: 'Its private key (PEM).',
    },
    path,
    null,
  ),
  upstreamTlsCaFile: setting(
    {
      name: 'TGEFD_UPSTREAM_TLS_CA_FILE',
      section: 'Transport and egress',
      only: 'node',
      meaning: 'Authorities the upstream’s certificate may come from (PEM), instead of the system’s.',
    },
    path,
    null,
  ),
  egressAllow: setting(
    {
      name: 'TGEFD_EGRESS_ALLOW',
      section: 'Transport and egress',
      meaning: 'Further hosts the process may call; by default exactly those the configuration names.',
    },
    words('host names, with a port where it is not 443, separated by commas', host),
    [],
  ),

  authorizerResponse: setting(
    {
      name: 'TGEFD_AUTHORIZER_RESPONSE',
      section: 'API Gateway',
      only: 'lambda',
      meaning:
        'What an HTTP API with payload 2.0 expects of its authorizer; every other API always gets a policy. The event does not tell.',
    },
    oneOf('simple', 'iam'),
    'simple',
  ),
  authorizerTtlSeconds: setting(
    {
      name: 'TGEFD_AUTHORIZER_TTL_SEC',
      section: 'API Gateway',
      only: 'lambda',
      meaning:
        'How long API Gateway keeps an answer, exactly as set there. Revocation, limits and audit do not see what is answered from it.',
    },
    integer(0, 3600, 'seconds'),
    0,
  ),

  metricsEnabled: setting(
    {
      name: 'TGEFD_METRICS_ENABLED',
      section: 'Observation',
      meaning: 'Whether `/_authorizer/metrics` answers; it demands the metrics scope.',
    },
    boolean,
    false as boolean,
  ),

  rotationMaximumAgeDays: setting(
    {
      name: 'TGEFD_ROTATION_MAX_AGE_DAYS',
      section: 'Secrets',
      meaning: 'Age past which `check-config` and a metric warn of a secret; 0 is off.',
    },
    integer(0, 3650, 'days'),
    90,
  ),
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
