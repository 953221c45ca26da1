import { createLayout } from '../../archive/layout.ts';
import { createSpill } from '../../archive/spill/spill.ts';
import { SPILL_TIMEOUT_MS } from '../../archive/spill/spill-timeout.ts';
import type { Spill } from '../../audit/recorder.ts';
import type { Settings } from '../../config/variables.ts';
import type { StoreClocks } from '../../storage/s3/s3.ts';
import type { NodeEgress } from '../node/egress.ts';
import type { CloudCredentials } from './credentials.ts';

/**
 * The last resort of a record over S3, for places that wait for it only when the outbox has failed: the SDK is loaded with
 * the first record that needs it. Null where no bucket is named.
 */
export function lazyS3Spill(
  settings: Settings,
  clocks: StoreClocks,
  egress: NodeEgress,
  cloud: CloudCredentials | null,
): Spill | null {
  if (settings.auditBucket === null) return null;
  let loaded: Spill | null = null;
  return {
    async put(record) {
      if (loaded === null) {
        const { s3Stores } = await import('./object-stores.ts');
        const { store } = s3Stores(settings, clocks, egress, cloud);
        if (store === null) throw new Error('no bucket');
        loaded = createSpill(store, createLayout(settings.auditPrefix), SPILL_TIMEOUT_MS);
      }
      await loaded.put(record);
    },
  };
}
