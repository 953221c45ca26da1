import { createLayout } from '../../archive/layout.ts';
import type { Settings } from '../../config/variables.ts';
import type { AwsCredentials } from '../../secrets/web-identity.ts';
import { createS3Store, type StoreClocks } from '../../storage/s3/s3.ts';
import { hasConditionalWrites } from '../../storage/s3/s3-address.ts';
import { createS3Client } from '../../storage/s3/s3-client.ts';
import type { ObjectStore } from '../../storage/store.ts';
import type { NodeEgress } from '../node/egress.ts';
import type { CloudCredentials } from './credentials.ts';

const TIMEOUT_MS = 10_000;

/** The connection that the configuration names; credentials by the SDK's own chain unless both halves are given, or our own
 * issuer is exchanged for some. */
export function s3ClientOf(
  settings: Settings,
  egress: NodeEgress | null = null,
  cloud: CloudCredentials | null = null,
): ReturnType<typeof createS3Client> {
  return createS3Client({
    endpoint: settings.auditS3Endpoint?.href.replace(/\/+$/, '') ?? null,
    addressing: settings.auditS3Addressing,
    region: settings.auditS3Endpoint === null && settings.auditS3Region === 'auto' ? null : settings.auditS3Region,
    credentials:
      settings.auditS3AccessKeyId && settings.auditS3SecretAccessKey
        ? {
            accessKeyId: settings.auditS3AccessKeyId.current,
            secretAccessKey: settings.auditS3SecretAccessKey.current,
          }
        : cloud?.cloud === 'aws'
          ? askedEachTime(cloud.credentials)
          : null,
    ...(cloud?.cloud === 'google' ? { accessToken: cloud.accessToken } : {}),
    timeoutMs: TIMEOUT_MS,
    ...(egress ? { agents: egress.agents() } : {}),
  });
}

/** The SDK keeps credentials by the wall clock. Told that they have ended, it asks for each request, and ours are kept by a
 * clock that nobody sets. */
function askedEachTime(credentials: () => Promise<AwsCredentials>): () => Promise<AwsCredentials> {
  return async () => ({ ...(await credentials()), expiration: new Date(0) });
}

/** The archive's bucket and the anchors' second one over S3; both null where no bucket is named. Node doors hand in
 * their egress, commands that of an operator's machine; a Worker has none. */
export function s3Stores(
  settings: Settings,
  clocks: StoreClocks,
  egress: NodeEgress | null = null,
  cloud: CloudCredentials | null = null,
): { readonly store: ObjectStore | null; readonly copies: ObjectStore | null } {
  const { auditBucket, auditAnchorBucket } = settings;
  if (auditBucket === null) return { store: null, copies: null };
  const client = s3ClientOf(settings, egress, cloud);
  const layout = createLayout(settings.auditPrefix);
  const storeIn = (bucket: string) =>
    createS3Store(
      client,
      {
        bucket,
        conditionalWrites: settings.auditConditionalWrites ?? hasConditionalWrites(settings.auditS3Endpoint),
        retention:
          settings.auditObjectLock === 'off'
            ? null
            : {
                mode: settings.auditObjectLock === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
                days: settings.auditColdDays,
                isKept: (key) => !key.startsWith(layout.spill),
              },
        encryption: null,
      },
      clocks,
    );
  return { store: storeIn(auditBucket), copies: auditAnchorBucket === null ? null : storeIn(auditAnchorBucket) };
}
