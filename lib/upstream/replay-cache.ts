import { systemClock } from './clock.ts';
import type { ReplayCache } from './verification.ts';

/**
 * Makes a replay cache of this process. When it is full of assertions that still live it refuses new ones: a flood must
 * not make it forget.
 *
 * @param maxEntries How many assertions it remembers at once.
 * @param clock Where it reads the time.
 * @returns A cache for `VerifierSettings.replayCache`.
 * @example
 * const verify = createAssertionVerifier({ audience, keys, replayCache: createMemoryReplayCache() });
 */
export function createMemoryReplayCache(maxEntries = 100_000, clock: () => Date = systemClock): ReplayCache {
  const used = new Map<string, number>();
  return {
    first(jti, untilSeconds) {
      const nowSeconds = clock().getTime() / 1000;
      if ((used.get(jti) ?? 0) > nowSeconds) return false;
      if (used.size >= maxEntries) {
        for (const [known, until] of used) if (until <= nowSeconds) used.delete(known);
        if (used.size >= maxEntries) return false;
      }
      used.set(jti, untilSeconds);
      return true;
    },
  };
}
