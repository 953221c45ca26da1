import type { Config } from '../../config/load.ts';
import { createUnderWay, type UnderWay } from '../../limit/under-way.ts';

/**
 * Places for the requests of one identity, or null where the setting is off. workerd may end a request without running
 * what waits for its answer, so a place is forgotten there once no answer can begin any more.
 */
export function composeUnderWay({ settings, place }: Config): UnderWay | null {
  const maximum = settings.maximumConcurrentRequests;
  if (maximum === 0) return null;
  const forgetAfterMs = place.platform === 'worker' ? settings.upstreamTimeoutSeconds * 1000 : Number.POSITIVE_INFINITY;
  return createUnderWay({ maximum, forgetAfterMs });
}
