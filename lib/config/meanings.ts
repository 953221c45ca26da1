import type { SettingKey } from './variables.ts';

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

/**
 * What each variable is for, chapter by chapter: the part of the table that people read. It stands in a file of its own
 * because a Worker has no use for it and would carry its weight.
 */
export const meanings: Readonly<Record<SettingKey, { readonly section: Section; readonly meaning: string }>> = {
  environment: {
    section: 'General',
    meaning: 'Production refuses every weak setting; development allows some and says so.',
  },
  endpoints: {
    section: 'General',
    meaning:
      'Rows added to the endpoint table, or replacing one of the same method and path. `{name}` stands for one segment; scope `null` means any authenticated caller.',
  },
  forwardAuth: {
    section: 'General',
    meaning:
      'The proxy that asks for decisions at `/_authorizer/check` (or `/_authorizer/ext-authz/` for Envoy), and with it the only headers that method and URI are read from.',
  },
  corsAllowedOrigins: {
    section: 'General',
    meaning: 'Origins whose preflights are answered; none by default. Preflights never reach the upstream.',
  },
  authMode: {
    section: 'Authentication',
    meaning:
      'How callers prove who they are. Not given: `none`, in development only and only while no credential setting is present; otherwise invalid.',
  },
  apiKey: {
    section: 'Authentication',
    meaning: 'Keys accepted in `x-api-key`, development only: one key, or several as `id:key`.',
  },
  apiKeyScopes: { section: 'Authentication', meaning: 'Scopes that an API key grants.' },
  authFailureLimitPerMinute: {
    section: 'Authentication',
    meaning:
      'Failed authentications one address may cause a minute before further failures get 429 at no cost; 0 is off.',
  },
  jwtSecret: { section: 'JWT', meaning: 'HS256 secret, development only; at least 32 bytes.' },
  jwtHeader: { section: 'JWT', meaning: 'Header that carries the token.' },
  jwtBearerPrefix: { section: 'JWT', meaning: 'What stands before the token; letter case does not matter.' },
  jwtIssuer: { section: 'JWT', meaning: 'Exact `iss` of every token; required in production.' },
  jwtAudience: { section: 'JWT', meaning: 'Value that `aud` must contain; required in production.' },
  jwtSubClaim: { section: 'JWT', meaning: 'Claim that names the caller.' },
  jwtClockSkewSeconds: { section: 'JWT', meaning: 'Tolerance for `exp`, `nbf` and `iat`.' },
  jwtAllowedAlgorithms: {
    section: 'JWT',
    meaning: 'Signature algorithms accepted. HS256 counts only where a secret is configured and no key set is.',
  },
  jwtMaximumLifetimeSeconds: { section: 'JWT', meaning: 'Tokens whose `exp - iat` is longer are refused; 0 is off.' },
  jwtTypes: {
    section: 'JWT',
    meaning: 'Values of the `typ` header that are accepted; `absent` stands for a token without one.',
  },
  jwtScopesClaim: {
    section: 'JWT',
    meaning: 'Claim that holds the scopes; otherwise the first of `scope`, `scopes`, `scp`.',
  },
  jwksUrl: {
    section: 'Key set',
    meaning:
      'Where the issuer publishes its keys; required for `jwt` in production. `http:` is for loopback hosts in development only.',
  },
  jwksTtlSeconds: { section: 'Key set', meaning: 'How long a fetched key set serves before it must be fetched again.' },
  jwksTimeoutSeconds: { section: 'Key set', meaning: 'Deadline of one fetch, body included.' },
  jwksMaxAttempts: { section: 'Key set', meaning: 'Attempts of one fetch.' },
  jwksBackoffSeconds: { section: 'Key set', meaning: 'First pause between attempts; doubles each time, with jitter.' },
  jwksMaxBackoffSeconds: { section: 'Key set', meaning: 'Longest pause between attempts.' },
  jwksMaxStaleSeconds: {
    section: 'Key set',
    meaning: 'How long the last good key set may serve while the issuer is down.',
  },
  mtlsIdentityHeader: {
    section: 'mTLS',
    meaning: 'Header in which a trusted ingress gives the verified certificate subject.',
  },
  mtlsSources: {
    section: 'mTLS',
    meaning:
      'Headers of a trusted ingress that may carry a certificate: RFC 9440 `Client-Cert`, Envoy’s XFCC, nginx’s `ssl-client-*`, the plan’s subject header. List only those your ingress overwrites.',
  },
  mtlsScopesHeader: {
    section: 'mTLS',
    meaning: 'Header in which a trusted ingress gives the scopes of the certificate.',
  },
  mtlsRoleHeader: { section: 'mTLS', meaning: 'Header in which a trusted ingress gives the roles of the certificate.' },
  mtlsPolicy: {
    section: 'mTLS',
    meaning: 'Scopes or roles of certificates by subject, subject alternative name or SHA-256 thumbprint.',
  },
  rbacEnabled: { section: 'Scopes and roles', meaning: 'Whether an endpoint demands its scope.' },
  scopeDiscover: { section: 'Scopes and roles', meaning: 'Scope of the discover endpoints.' },
  scopeEvaluate: { section: 'Scopes and roles', meaning: 'Scope of the evaluate endpoints.' },
  scopeMetrics: { section: 'Scopes and roles', meaning: 'Scope of the metrics endpoints.' },
  scopeJobs: { section: 'Scopes and roles', meaning: 'Scope of the jobs endpoint.' },
  scopeRevoke: {
    section: 'Scopes and roles',
    meaning: 'Scope of `/_authorizer/revocations`; `*` does not include it unless held through the admin role.',
  },
  roleClaim: { section: 'Scopes and roles', meaning: 'Claim with one role.' },
  rolesClaim: { section: 'Scopes and roles', meaning: 'Claim with several roles.' },
  roleAdminScopes: { section: 'Scopes and roles', meaning: 'Scopes of the admin role.' },
  roleAnalystScopes: { section: 'Scopes and roles', meaning: 'Scopes of the analyst role.' },
  roleReaderScopes: { section: 'Scopes and roles', meaning: 'Scopes of the reader role.' },
  trustedProxies: {
    section: 'Trust boundary',
    meaning: 'Networks whose forwarded, identity and certificate headers count.',
  },
  ingressSecret: {
    section: 'Trust boundary',
    meaning: 'Secret of the signed ingress proof, where no peer address exists or can be trusted; at least 32 bytes.',
  },
  identityHeader: {
    section: 'Trust boundary',
    meaning:
      'Header in which a trusted ingress names the caller, and under which the verified identity goes upstream (`x-auth-request-user` otherwise).',
  },
  upstreamUrl: {
    section: 'Upstream',
    meaning:
      'Origin that the gateway forwards to. Required unless a forward-auth door is on or a Worker has the service binding `UPSTREAM`; that may be an mTLS certificate too, which is then shown to this origin.',
  },
  upstreamAllowHttp: { section: 'Upstream', meaning: 'Allows an `http:` upstream that is not on a loopback host.' },
  upstreamTimeoutSeconds: { section: 'Upstream', meaning: 'How long the upstream may take to begin its answer.' },
  forwardCredentials: {
    section: 'Upstream',
    meaning: 'Whether `Authorization` and `x-api-key` go on to the upstream.',
  },
  maximumBodyBytes: { section: 'Upstream', meaning: 'Longest request body, declared or streamed; 0 is off.' },
  assertionKey: {
    section: 'Upstream',
    meaning: 'Key that signs the identity assertion for the upstream (`x-tgefd-assertion`).',
  },
  rateLimitPerMinute: { section: 'Limits', meaning: 'General budget of one identity; 0 is off.' },
  burstLimit: {
    section: 'Limits',
    meaning: 'Requests the general budget lets through at once; 0 means the per-minute figure.',
  },
  heavyRateLimitPerMinute: {
    section: 'Limits',
    meaning: 'Further budget of one identity for discover and evaluate; 0 is off.',
  },
  heavyBurstLimit: {
    section: 'Limits',
    meaning: 'Requests the heavy budget lets through at once; 0 means the per-minute figure.',
  },
  rateLimitOverrides: { section: 'Limits', meaning: 'Budgets of single roles or identities.' },
  rateLimitMode: {
    section: 'Limits',
    meaning:
      '`exact` asks Redis for every decision; `leased` takes tokens ahead and mostly decides without a trip. Neither lets a budget be overshot.',
  },
  rateLimitOnError: {
    section: 'Limits',
    meaning: 'What decides while Redis does not answer: a bucket of this process, refusal, or nothing.',
  },
  heavyRateLimitOnError: { section: 'Limits', meaning: 'The same for the heavy budget.' },
  revocationOnError: {
    section: 'Revocation',
    meaning: 'Whether a credential passes while nobody can say if it is revoked.',
  },
  revocationMaximumDelaySeconds: {
    section: 'Revocation',
    meaning: 'How long a revocation may take to hold everywhere in leased mode.',
  },
  revokedTokenIds: { section: 'Revocation', meaning: 'Token ids refused from deployment on, without Redis.' },
  revokedKeyIds: { section: 'Revocation', meaning: 'Key ids refused from deployment on.' },
  revokedSubjects: {
    section: 'Revocation',
    meaning: 'Subjects whose tokens issued before the epoch second (or without `iat`) are refused.',
  },
  redisUrl: {
    section: 'Redis',
    meaning:
      'Upstash REST endpoint for limits, revocation and the audit outbox. Not given: in memory, in development only.',
  },
  redisToken: { section: 'Redis', meaning: 'Token of the REST endpoint.' },
  redisTimeoutMs: { section: 'Redis', meaning: 'Hard deadline of one decision’s trip.' },
  auditMode: {
    section: 'Audit',
    meaning:
      '`strict`: no answer leaves before its record is durable. `relaxed`: recorded after the answer. `off`: development only.',
  },
  auditLog: { section: 'Audit', meaning: 'Whether each record is also written to stdout as one JSON line.' },
  auditLogPath: { section: 'Audit', meaning: 'File that each record is also appended to.' },
  auditPseudonymKey: {
    section: 'Audit',
    meaning:
      'HMAC key under which identities appear in records and Redis keys; at least 32 bytes. Development makes one per process.',
  },
  auditStreamMaximum: {
    section: 'Audit',
    meaning: 'Records the outbox may hold before it counts as unavailable; it is never trimmed.',
  },
  auditBucket: { section: 'Archive', meaning: 'Bucket that batches are written to.' },
  auditS3Endpoint: {
    section: 'Archive',
    meaning: 'S3 endpoint, where it is not AWS (R2, Google Cloud Storage interoperability).',
  },
  auditS3Region: { section: 'Archive', meaning: 'Region of the bucket.' },
  auditS3AccessKeyId: { section: 'Archive', meaning: 'Access key, only where no role or token exchange is to be had.' },
  auditS3SecretAccessKey: { section: 'Archive', meaning: 'Its secret.' },
  auditS3RoleArn: {
    section: 'Archive',
    meaning:
      'Role at AWS that the process assumes with a token of its own issuer (TGEFD_ISSUER_URL), where the platform gives it none.',
  },
  auditGcsProvider: {
    section: 'Archive',
    meaning:
      'Workload identity provider at Google Cloud that takes tokens of TGEFD_ISSUER_URL; the endpoint is then `https://storage.googleapis.com`.',
  },
  auditGcsServiceAccount: {
    section: 'Archive',
    meaning: 'Service account to act as there; without it the federated identity itself.',
  },
  auditPrefix: { section: 'Archive', meaning: 'Prefix of every object.' },
  auditSigningKey: {
    section: 'Archive',
    meaning:
      'Key that signs batch manifests; required in production where the archive runs. The previous one may be its public half.',
  },
  auditAnchorBucket: { section: 'Archive', meaning: 'Second bucket that hourly anchors are written to as well.' },
  auditObjectLock: {
    section: 'Archive',
    meaning:
      'S3 Object Lock retention of every batch, manifest and anchor until it expires; the bucket must have Object Lock enabled.',
  },
  auditArchiveIntervalSeconds: {
    section: 'Archive',
    meaning: 'How often the Node door drains the outbox when a bucket is configured; 0 is never.',
  },
  auditHotDays: { section: 'Archive', meaning: 'Age until which records stay hot.' },
  auditWarmDays: { section: 'Archive', meaning: 'Age until which they stay warm.' },
  auditColdDays: { section: 'Archive', meaning: 'Age at which they expire.' },
  requireTls: {
    section: 'Transport and egress',
    meaning:
      'Refuse callers whose own connection was plain HTTP, or TLS before 1.2 where the platform tells (Workers; elsewhere no such handshake ends), with 403 `insecure_transport`.',
  },
  tlsCertificateFile: {
    section: 'Transport and egress',
    meaning: 'Certificate chain of the Node door’s own TLS (PEM); read again when it changes.',
  },
  tlsKeyFile: { section: 'Transport and egress', meaning: 'Its private key (PEM).' },
  tlsClientCaFile: {
    section: 'Transport and egress',
    meaning: 'Authorities of client certificates (PEM); client certificates are asked for when given.',
  },
  tlsClientCrlFile: { section: 'Transport and egress', meaning: 'Revocation lists of client certificates (PEM).' },
  upstreamTlsCertificateFile: {
    section: 'Transport and egress',
    meaning: 'Client certificate shown to the upstream (PEM); read again when it changes.',
  },
  upstreamTlsKeyFile: { section: 'Transport and egress', meaning: 'Its private key (PEM).' },
  upstreamTlsCaFile: {
    section: 'Transport and egress',
    meaning: 'Authorities the upstream’s certificate may come from (PEM), instead of the system’s.',
  },
  internalTlsHosts: {
    section: 'Transport and egress',
    meaning:
      'Hosts among those that the configuration names (Redis, Vault, the issuer, the collector, object storage, the upstream) which are called by the three files below.',
  },
  internalTlsCertificateFile: {
    section: 'Transport and egress',
    meaning: 'Client certificate shown to them (PEM); read again when it changes.',
  },
  internalTlsKeyFile: { section: 'Transport and egress', meaning: 'Its private key (PEM).' },
  internalTlsCaFile: {
    section: 'Transport and egress',
    meaning: 'Authorities their certificates may come from (PEM), instead of the system’s.',
  },
  egressAllow: {
    section: 'Transport and egress',
    meaning: 'Further hosts the process may call; by default exactly those the configuration names.',
  },
  authorizerResponse: {
    section: 'API Gateway',
    meaning:
      'What an HTTP API with payload 2.0 expects of its authorizer; every other API always gets a policy. The event does not tell.',
  },
  authorizerTtlSeconds: {
    section: 'API Gateway',
    meaning:
      'How long API Gateway keeps an answer, exactly as set there. Revocation, limits and audit do not see what is answered from it.',
  },
  metricsEnabled: {
    section: 'Observation',
    meaning: 'Whether `/_authorizer/metrics` answers; it demands the metrics scope.',
  },
  metricsPort: {
    section: 'Observation',
    meaning:
      'A further port of `HOST` where `/_authorizer/metrics` answers without credentials, for a scraper that has none: keep it from everybody else.',
  },
  otelEnabled: { section: 'Observation', meaning: 'Whether spans are exported by OTLP over HTTP, in JSON.' },
  otelEndpoint: {
    section: 'Observation',
    meaning: 'Whole URL of the collector, path included; `http:` for a loopback host only.',
  },
  otelHeaders: {
    section: 'Observation',
    meaning: 'Header fields for the collector, taken as they stand; no second value while rotating.',
  },
  otelServiceName: { section: 'Observation', meaning: '`service.name` of the spans.' },
  otelSampleRatio: {
    section: 'Observation',
    meaning:
      'Share of traces that are kept. It marks the `traceparent` that goes upstream also while no spans are exported; only a trusted hop keeps its own mark.',
  },
  otelTimeoutSeconds: { section: 'Observation', meaning: 'Deadline of one export, which is tried once.' },
  doctorSecret: {
    section: 'Observation',
    meaning:
      'For `doctor ingress` and a few minutes: while it is set, whoever presents it is told what of its requests arrived. Remove it afterwards.',
  },
  issuerUrl: {
    section: 'Secrets',
    meaning:
      'Where clouds reach `/_authorizer` from outside, such as `https://api.example.com/_authorizer`: the issuer of our own short-lived tokens, signed with TGEFD_ASSERTION_KEY (ES256).',
  },
  secretsRefreshSeconds: {
    section: 'Secrets',
    meaning:
      'How often secrets that are kept elsewhere are read again; files also when they change. 0: only with the process. An answer that does not hold together changes nothing.',
  },
  vaultUrl: {
    section: 'Secrets',
    meaning: 'HashiCorp Vault, for secrets given as `vault:mount/path#field` (KV version 2).',
  },
  vaultNamespace: { section: 'Secrets', meaning: 'Namespace of Vault Enterprise or HCP.' },
  vaultAuth: {
    section: 'Secrets',
    meaning:
      'How the process logs in to Vault: by its service account, by another JWT, or by a token that somebody else made.',
  },
  vaultAuthMount: {
    section: 'Secrets',
    meaning: 'Where the auth method is mounted in Vault, if not under its own name.',
  },
  vaultRole: { section: 'Secrets', meaning: 'Role to log in as; required for `kubernetes` and `jwt`.' },
  vaultJwtFile: {
    section: 'Secrets',
    meaning: 'The JWT shown to Vault: a projected service-account token, read anew for each login.',
  },
  vaultToken: { section: 'Secrets', meaning: 'Token for Vault, where TGEFD_VAULT_AUTH is `token`.' },
  rotationMaximumAgeDays: {
    section: 'Secrets',
    meaning: 'Age past which `check-config` and a metric warn of a secret; 0 is off.',
  },
};
