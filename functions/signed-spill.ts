import { createLayout } from '../lib/audit/layout.ts';
import type { Spill } from '../lib/audit/recorder.ts';
import { createSignedPut, type SignedPutSettings } from '../lib/audit/s3-put.ts';
import { createSpill } from '../lib/audit/spill.ts';
import type { Settings } from '../lib/config/variables.ts';
import type { Clock, Fetch } from '../lib/decision.ts';
import { SPILL_TIMEOUT_MS } from './spill-timeout.ts';

/** What a platform provides where the configuration names no access key: its region and temporary credentials. */
export interface PlatformCredentials {
  readonly region: string;
  readonly credentials: SignedPutSettings['credentials'];
}

/**
 * The last resort of a record over S3 without the SDK, for places that must start fast and stay small. Null where no bucket
 * is named, or neither the configuration nor the platform has credentials.
 */
export const signedSpill = (
  settings: Settings,
  platform: PlatformCredentials | null,
  fetch: Fetch,
  clock: Clock,
): Spill | null => {
  const { auditBucket, auditS3AccessKeyId, auditS3SecretAccessKey, auditS3Endpoint, auditS3Region } = settings;
  const given =
    auditS3AccessKeyId && auditS3SecretAccessKey
      ? { accessKeyId: auditS3AccessKeyId.current, secretAccessKey: auditS3SecretAccessKey.current }
      : null;
  const credentials = given ? () => given : (platform?.credentials ?? null);
  if (auditBucket === null || credentials === null) return null;
  const endpoint = auditS3Endpoint?.origin ?? null;
  const region = endpoint === null && auditS3Region === 'auto' ? (platform?.region ?? auditS3Region) : auditS3Region;
  const put = createSignedPut({ endpoint, region, bucket: auditBucket, credentials }, fetch, clock);
  return createSpill(put, createLayout(settings.auditPrefix), SPILL_TIMEOUT_MS);
};
