import type { AuthMethod } from '../decision/principal.ts';
import type { Problem } from './problem.ts';
import type { Platform, Secret } from './variable.ts';
import { type SettingKey, type Settings, variables } from './variables.ts';

/** Where the configuration is going to be used: some demands depend on it. */
export interface Place {
  readonly platform: Platform;
  /** `gateway` decides; `archive` drains the audit outbox; a Node process with a bucket does both. */
  readonly role: 'gateway' | 'archive';
  /** A Worker's service binding `UPSTREAM` stands in for `TGEFD_UPSTREAM_URL`. */
  readonly upstreamBinding: boolean;
  /** An R2 binding stands in for `TGEFD_AUDIT_BUCKET`. */
  readonly bucketBinding: boolean;
}

const minimumSecretBytes = 32;
const loopback = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\]|(?:[A-Za-z0-9-]+\.)+localhost)$/;

/** Whether a URL's host is a loopback name or address (RFC 6761 §6.3, RFC 1122 §3.2.1.3). */
export function isLoopback(target: URL): boolean {
  return loopback.test(target.hostname);
}

function bytes(value: string) {
  return new TextEncoder().encode(value).length;
}

/**
 * What variables demand of each other and of the environment (contract §3, "Production refuses"). Pure: gives the auth
 * mode and the algorithms that will really be used, and one problem for each demand that is not met. Warnings name what
 * is allowed but useless. Does not read documents such as `TGEFD_ENDPOINTS`: see `documents.ts`.
 */
export function crossCheck(settings: Settings, given: ReadonlySet<SettingKey>, place: Place) {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const production = settings.environment === 'production';
  const name = (key: SettingKey) => variables[key].name;
  const problem = (key: SettingKey, found: string, accepted: string) =>
    problems.push({ variable: name(key), found, accepted });
  const warning = (key: SettingKey, found: string, accepted: string) =>
    warnings.push({ variable: name(key), found, accepted });

  const strong = (key: SettingKey, secret: Secret<string> | null, minimum = minimumSecretBytes) => {
    if (secret && bytes(secret.current) < minimum)
      problem(key, `${bytes(secret.current)} bytes`, `at least ${minimum} bytes`);
    if (secret?.previous != null && bytes(secret.previous) < minimum)
      problems.push({
        variable: `${name(key)}_PREVIOUS`,
        found: `${bytes(secret.previous)} bytes`,
        accepted: `at least ${minimum} bytes`,
      });
  };
  const secure = (key: SettingKey, target: URL | null, plainAllowed: boolean, unless: string) => {
    if (target?.protocol === 'http:' && !plainAllowed) problem(key, `an http: URL`, `an https: URL${unless}`);
  };

  const ways = chooseWays(settings, given, problem);
  const [authMode] = ways;
  const algorithms = ways.includes('jwt') ? chooseAlgorithms(settings, given, problem, warning) : [];

  if (authMode === 'api_key' && !settings.apiKey)
    problem('apiKey', 'nothing', 'a key, since TGEFD_AUTH_MODE is `api_key`');
  if (production && (settings.authMode === 'api_key' || settings.authMode === 'none'))
    problem('authMode', `\`${authMode}\``, '`jwt` or `mtls` in production');
  if (production && settings.apiKey && settings.authMode !== 'api_key')
    problem('apiKey', 'a value', 'nothing in production: API keys are for development');
  if (
    production &&
    ways.includes('mtls') &&
    place.platform === 'node' &&
    settings.trustedProxies.trim() === '' &&
    !settings.ingressSecret &&
    !settings.tlsClientCaFile
  )
    problem(
      'authMode',
      '`mtls`',
      '`mtls` together with TGEFD_TRUSTED_PROXIES, TGEFD_INGRESS_SECRET or TGEFD_TLS_CLIENT_CA_FILE',
    );

  strong('jwtSecret', settings.jwtSecret);
  strong('ingressSecret', settings.ingressSecret);
  strong('auditPseudonymKey', settings.auditPseudonymKey);
  strong('doctorSecret', settings.doctorSecret);

  secure(
    'jwksUrl',
    settings.jwksUrl,
    !production && settings.jwksUrl !== null && isLoopback(settings.jwksUrl),
    production ? '' : ', or http: on a loopback host',
  );
  secure('redisUrl', settings.redisUrl, !production, '');
  secure('auditS3Endpoint', settings.auditS3Endpoint, !production, '');
  secure('otelEndpoint', settings.otelEndpoint, isLoopback(settings.otelEndpoint), ', or http: on a loopback host');

  secure('vaultUrl', settings.vaultUrl, !production && settings.vaultUrl !== null && isLoopback(settings.vaultUrl), '');
  if (settings.vaultUrl && settings.vaultAuth === 'token' && !settings.vaultToken)
    problem('vaultToken', 'nothing', 'a token, since TGEFD_VAULT_AUTH is `token`');
  if (settings.vaultUrl && settings.vaultAuth !== 'token' && !settings.vaultRole)
    problem('vaultRole', 'nothing', `a role, since TGEFD_VAULT_AUTH is \`${settings.vaultAuth}\``);

  const upstream = settings.upstreamUrl;
  if (upstream) {
    if (upstream.pathname !== '/' || upstream.search !== '')
      problem('upstreamUrl', 'a path or query', 'an origin: scheme, host and port');
    secure(
      'upstreamUrl',
      upstream,
      isLoopback(upstream) || settings.upstreamAllowHttp,
      ', http: on a loopback host, or TGEFD_UPSTREAM_ALLOW_HTTP=true',
    );
  } else if (
    place.role === 'gateway' &&
    (place.platform === 'worker' || place.platform === 'node') &&
    settings.forwardAuth === 'off' &&
    !place.upstreamBinding
  ) {
    problem(
      'upstreamUrl',
      'nothing',
      'an origin, unless TGEFD_FORWARD_AUTH is on' +
        (place.platform === 'worker' ? ' or the service binding UPSTREAM exists' : ''),
    );
  }

  if (settings.burstLimit > 0 && settings.rateLimitPerMinute === 0)
    problem('burstLimit', String(settings.burstLimit), 'a burst only beside TGEFD_RATE_LIMIT_PER_MINUTE above 0');
  if (settings.heavyBurstLimit > 0 && settings.heavyRateLimitPerMinute === 0)
    problem(
      'heavyBurstLimit',
      String(settings.heavyBurstLimit),
      'a burst only beside TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE above 0',
    );

  if (settings.redisUrl && !settings.redisToken)
    problem('redisToken', 'nothing', 'a token, since TGEFD_REDIS_URL is given');
  if (settings.redisToken && !settings.redisUrl)
    problem('redisUrl', 'nothing', 'a URL, since TGEFD_REDIS_TOKEN is given');
  if (production && !settings.redisUrl && !settings.redisToken)
    problem('redisUrl', 'nothing', 'a URL: limits, revocation and audit need shared storage in production');

  if (production && settings.auditMode === 'off') problem('auditMode', '`off`', '`strict` or `relaxed` in production');
  if (production && !settings.auditPseudonymKey)
    problem('auditPseudonymKey', 'nothing', 'a key of at least 32 bytes in production');
  if (!(settings.auditHotDays < settings.auditWarmDays && settings.auditWarmDays < settings.auditColdDays))
    problem(
      'auditHotDays',
      `${settings.auditHotDays}/${settings.auditWarmDays}/${settings.auditColdDays}`,
      'ages that grow: hot < warm < cold',
    );
  const archives = place.role === 'archive' || (place.platform === 'node' && settings.auditBucket !== null);
  if (archives && !settings.auditBucket && !place.bucketBinding)
    problem('auditBucket', 'nothing', 'a bucket, where the archive runs');
  if (archives && production && !settings.auditSigningKey)
    problem('auditSigningKey', 'nothing', 'a private JWK, in production where the archive runs');
  if (Boolean(settings.auditS3AccessKeyId) !== Boolean(settings.auditS3SecretAccessKey))
    problem(
      settings.auditS3AccessKeyId ? 'auditS3SecretAccessKey' : 'auditS3AccessKeyId',
      'nothing',
      'both halves of the access key, or neither',
    );

  secure('issuerUrl', settings.issuerUrl, false, '');
  if (settings.issuerUrl && !/\/_authorizer$/.test(settings.issuerUrl.pathname))
    problem('issuerUrl', 'a path that ends otherwise', 'a URL whose path ends in /_authorizer');
  if (settings.issuerUrl && !settings.assertionKey)
    problem('assertionKey', 'nothing', 'a private JWK, since TGEFD_ISSUER_URL is given');
  for (const key of ['auditS3RoleArn', 'auditGcsProvider'] as const) {
    if (settings[key] === null) continue;
    if (!settings.issuerUrl) problem('issuerUrl', 'nothing', `a URL, since ${name(key)} is given`);
    if (settings.auditS3AccessKeyId) problem(key, 'a value', 'nothing beside TGEFD_AUDIT_S3_ACCESS_KEY_ID');
  }
  if (settings.auditS3RoleArn && settings.auditGcsProvider)
    problem('auditGcsProvider', 'a value', 'nothing beside TGEFD_AUDIT_S3_ROLE_ARN');
  if (settings.auditS3RoleArn && settings.auditS3Region === 'auto')
    problem('auditS3Region', '`auto`', 'the region of the role’s token service');
  if (settings.auditGcsProvider && settings.auditS3Endpoint?.hostname !== 'storage.googleapis.com')
    problem('auditS3Endpoint', settings.auditS3Endpoint?.hostname ?? 'nothing', 'https://storage.googleapis.com');
  if (settings.auditGcsServiceAccount && !settings.auditGcsProvider)
    problem('auditGcsServiceAccount', 'a value', 'a value only beside TGEFD_AUDIT_GCS_PROVIDER');

  if (settings.assertionKey && !upstream && !(settings.issuerUrl && place.role === 'archive'))
    problem(
      'assertionKey',
      'a value',
      'a value only beside TGEFD_UPSTREAM_URL, whose origin is the audience of the assertion',
    );
  for (const end of ['tls', 'upstreamTls'] as const) {
    const [certificate, key] = [`${end}CertificateFile`, `${end}KeyFile`] as const;
    if (Boolean(settings[certificate]) !== Boolean(settings[key]))
      problem(settings[certificate] ? key : certificate, 'nothing', 'both the certificate and its key, or neither');
  }
  if (settings.tlsClientCaFile && !settings.tlsCertificateFile)
    problem('tlsClientCaFile', 'a value', 'a value only beside TGEFD_TLS_CERT_FILE');
  if (settings.tlsClientCrlFile && !settings.tlsClientCaFile)
    problem('tlsClientCrlFile', 'a value', 'a value only beside TGEFD_TLS_CLIENT_CA_FILE');

  if (settings.metricsPort !== null && !settings.metricsEnabled)
    problem('metricsPort', String(settings.metricsPort), 'a port only beside TGEFD_METRICS_ENABLED=true');
  if (settings.otelHeaders && !settings.otelEnabled)
    warning('otelHeaders', 'a value', 'nothing: TGEFD_OTEL_ENABLED is not `true`');
  if (settings.doctorSecret)
    warning(
      'doctorSecret',
      'a value',
      'nothing, once the ingress has been examined: until then whoever has it is told what arrives',
    );

  if (settings.mtlsPolicy && !ways.includes('mtls'))
    warning('mtlsPolicy', 'a value', 'nothing: TGEFD_AUTH_MODE is not `mtls`');
  if (settings.jwtSecret && settings.jwksUrl && !production)
    warning('jwtSecret', 'a value', 'nothing: with TGEFD_JWKS_URL, HS256 is never accepted');

  return { authMode, ways, algorithms, problems, warnings };
}

type Report = (key: SettingKey, found: string, accepted: string) => void;

function chooseWays(
  settings: Settings,
  given: ReadonlySet<SettingKey>,
  problem: Report,
): readonly [AuthMethod, ...AuthMethod[]] {
  if (settings.authMode === 'jwt,mtls') return ['jwt', 'mtls'];
  if (settings.authMode === 'mtls,jwt') return ['mtls', 'jwt'];
  if (settings.authMode) return [settings.authMode];
  if (given.has('authMode')) return ['jwt'];
  const credentials = (['jwtSecret', 'jwksUrl', 'apiKey'] as const).filter((key) => given.has(key));
  if (settings.environment === 'production') problem('authMode', 'nothing', '`jwt` or `mtls` in production');
  else if (credentials.length > 0)
    problem(
      'authMode',
      'nothing',
      `\`jwt\`, \`mtls\` or \`api_key\`, since ${credentials.map((key) => variables[key].name).join(' and ')} is given`,
    );
  return ['none'];
}

function chooseAlgorithms(
  settings: Settings,
  given: ReadonlySet<SettingKey>,
  problem: Report,
  warning: Report,
): readonly string[] {
  const production = settings.environment === 'production';
  const listed = settings.jwtAllowedAlgorithms;
  if (production) {
    if (!settings.jwksUrl) problem('jwksUrl', 'nothing', 'the URL of the key set: `jwt` needs one in production');
    if (!settings.jwtIssuer) problem('jwtIssuer', 'nothing', 'the issuer: production enforces `iss`');
    if (!settings.jwtAudience) problem('jwtAudience', 'nothing', 'the audience: production enforces `aud`');
    if (settings.jwtSecret) problem('jwtSecret', 'a value', 'nothing in production: HS256 is for development');
    if (given.has('jwtAllowedAlgorithms') && listed.includes('HS256'))
      problem('jwtAllowedAlgorithms', '`HS256`', 'asymmetric algorithms in production');
  } else if (!settings.jwksUrl && !settings.jwtSecret) {
    problem('jwksUrl', 'nothing', 'a key set URL, or TGEFD_JWT_SECRET in development');
  }
  const usable = listed.filter((algorithm) => (settings.jwksUrl ? algorithm !== 'HS256' : algorithm === 'HS256'));
  if (usable.length === 0)
    problem(
      'jwtAllowedAlgorithms',
      listed.join(', ') || 'an empty list',
      settings.jwksUrl
        ? 'at least one asymmetric algorithm, since TGEFD_JWKS_URL is given'
        : '`HS256`, since only TGEFD_JWT_SECRET is given',
    );
  else if (given.has('jwtAllowedAlgorithms') && usable.length < listed.length && !production)
    warning(
      'jwtAllowedAlgorithms',
      listed.join(', '),
      `only ${usable.join(', ')} can be used with the keys configured`,
    );
  return usable;
}
