import type { Spill } from '../../audit/recorder.ts';
import { awsS3Host } from '../../codec/aws-partition.ts';
import type { Settings } from '../../config/variables.ts';
import type { Clock, Fetch, Log } from '../../decision/ports.ts';
import { createEgress } from '../../egress/guard.ts';
import { createEgressWatch } from '../../egress/watch.ts';
import { bucketUrl, hasConditionalWrites } from '../../storage/s3/s3-address.ts';
import { createSignedPut, type SignedPutSettings } from '../../storage/s3/s3-put.ts';
import { createLayout } from '../layout.ts';
import { createSpill } from './spill.ts';
import { SPILL_TIMEOUT_MS } from './spill-timeout.ts';

/** An answer to a PUT is empty, or an error of a few lines. */
const MAXIMUM_ANSWER_BYTES = 64 * 1024;

/** What a platform provides where the configuration names no access key: its region and temporary credentials. */
export interface PlatformCredentials {
  readonly region: string;
  readonly credentials: SignedPutSettings['credentials'];
}

/**
 * The last resort of a record over S3 without the SDK, for places that must start fast and stay small. Null where no bucket
 * is named, or neither the configuration nor the platform has credentials.
 */
export function signedSpill(
  settings: Settings,
  platform: PlatformCredentials | null,
  parts: { readonly fetch: Fetch; readonly clock: Clock; readonly log: Log },
): Spill | null {
  const { auditBucket, auditS3AccessKeyId, auditS3SecretAccessKey, auditS3Endpoint, auditS3Region } = settings;
  const { auditS3Addressing, auditConditionalWrites } = settings;
  const given =
    auditS3AccessKeyId && auditS3SecretAccessKey
      ? { accessKeyId: auditS3AccessKeyId.current, secretAccessKey: auditS3SecretAccessKey.current }
      : null;
  const credentials = given ? () => given : (platform?.credentials ?? null);
  if (auditBucket === null || credentials === null) return null;
  const region =
    auditS3Endpoint === null && auditS3Region === 'auto' ? (platform?.region ?? auditS3Region) : auditS3Region;
  const endpoint = auditS3Endpoint ?? new URL(`https://${awsS3Host(region)}`);
  const place = bucketUrl(endpoint, auditBucket, auditS3Addressing ?? 'path');
  const egress = createEgress(
    {
      allowedHosts: new Set([new URL(place).host]),
      deadlineMs: SPILL_TIMEOUT_MS,
      maximumBodyBytes: MAXIMUM_ANSWER_BYTES,
    },
    parts.fetch,
    createEgressWatch(parts.log).note,
  );
  const put = createSignedPut(
    {
      bucketUrl: place,
      region,
      conditionalWrites: auditConditionalWrites ?? hasConditionalWrites(auditS3Endpoint),
      credentials,
    },
    egress,
    parts.clock,
  );
  return createSpill(put, createLayout(settings.auditPrefix), SPILL_TIMEOUT_MS);
}
