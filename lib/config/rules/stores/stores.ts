import type { Check } from '../check.ts';
import { checkRedis } from './redis.ts';

/** Rules about what is kept: budgets, the shared store, audit records and their archive. */
export function checkStores(check: Check): void {
  checkLimits(check);
  checkRedis(check);
  checkAudit(check);
  checkArchive(check);
  checkCloudCredentials(check);
}

/** A burst needs a rate, and a day is no more than its month. */
function checkLimits({ settings, name, problem }: Check): void {
  for (const [burst, rate] of [
    ['burstLimit', 'rateLimitPerMinute'],
    ['heavyBurstLimit', 'heavyRateLimitPerMinute'],
  ] as const)
    if (settings[burst] > 0 && settings[rate] === 0)
      problem(burst, String(settings[burst]), `a burst only beside ${name(rate)} above 0`);
  for (const [day, month] of [
    ['rateLimitPerDay', 'rateLimitPerMonth'],
    ['heavyRateLimitPerDay', 'heavyRateLimitPerMonth'],
  ] as const)
    if (settings[month] > 0 && settings[day] > settings[month])
      problem(day, String(settings[day]), `at most ${name(month)}, which is ${settings[month]}`);
}

/** Records and the ages of their tiers. */
function checkAudit({ settings, production, problem, strong }: Check): void {
  strong('auditPseudonymKey', settings.auditPseudonymKey);
  if (production && settings.auditMode === 'off') problem('auditMode', '`off`', '`strict` or `relaxed` in production');
  if (production && !settings.auditPseudonymKey)
    problem('auditPseudonymKey', 'nothing', 'a key of at least 32 bytes in production');
  if (!(settings.auditHotDays < settings.auditWarmDays && settings.auditWarmDays < settings.auditColdDays))
    problem(
      'auditHotDays',
      `${settings.auditHotDays}/${settings.auditWarmDays}/${settings.auditColdDays}`,
      'ages that grow: hot < warm < cold',
    );
}

/** Where batches go, and who signs them. */
function checkArchive({ settings, place, production, problem, secure }: Check): void {
  secure('auditS3Endpoint', settings.auditS3Endpoint, !production, '');
  const archives =
    place.role === 'archive' ||
    (place.platform === 'node' && place.role === 'gateway' && settings.auditBucket !== null);
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
}

/** Short-lived credentials of a cloud in exchange for a token of ours. */
function checkCloudCredentials({ settings, name, problem, secure }: Check): void {
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
}
