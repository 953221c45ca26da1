import type { Clock } from '../decision/ports.ts';

/** Something that is good for a while only. */
export interface Expiring<T> {
  readonly value: T;
  /** How long it is good for from now on. */
  readonly lifeMs: number;
}

/** Fetched anew this long before it ends, so that a call under way is not cut off. */
const AHEAD_MS = 300_000;

/**
 * Keeps what `fetch` gives until shortly before it ends (five minutes, or half of a life that is shorter than ten). Where
 * promises may be shared, callers at one time share one fetch; on a Worker each request makes its own, and the last
 * to come back is kept. A failed fetch falls back on what has not ended yet, and rejects when there is none.
 */
export function createExpiring<T>(
  fetch: () => Promise<Expiring<T>>,
  parts: {
    /** Monotonic: whoever sets the wall clock does not prolong what is kept. */
    readonly stopwatch: Clock;
    readonly sharePromises: boolean;
  },
): () => Promise<T> {
  let kept: { readonly value: T; readonly expiresAtMs: number; readonly renewAtMs: number } | null = null;
  let underWay: Promise<T> | null = null;

  const renew = async (): Promise<T> => {
    const before = kept;
    try {
      const askedAtMs = parts.stopwatch();
      const { value, lifeMs } = await fetch();
      const expiresAtMs = askedAtMs + lifeMs;
      kept = { value, expiresAtMs, renewAtMs: expiresAtMs - Math.min(AHEAD_MS, lifeMs / 2) };
      return value;
    } catch (error) {
      if (before !== null && parts.stopwatch() < before.expiresAtMs) return before.value;
      throw error;
    }
  };

  return () => {
    if (kept !== null && parts.stopwatch() < kept.renewAtMs) return Promise.resolve(kept.value);
    if (!parts.sharePromises) return renew();
    underWay ??= renew().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}
