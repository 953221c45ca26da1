import type { Budget } from '../decision/outcome.ts';
import type { Clock } from '../decision/ports.ts';
import { type Bucket, type Demand, PARTS_PER_TOKEN, refill, type Settlement, settle } from './budgets.ts';

export interface MemoryBudgets {
  settle(partition: string, demands: readonly Demand[]): Settlement;
  /** Whether nothing was ever spent from a budget that has not flowed back, and there is room for its bucket. */
  isFull(partition: string, name: string): boolean;
}

interface Held {
  readonly bucket: Bucket;
  readonly budget: Budget;
}

/** How often a full map is searched for room, at most. */
const SWEEP_EVERY_MS = 1_000;

/**
 * Budgets of one process, for development, tests and as stand-in while Redis does not answer.
 *
 * Bounded, and no bucket is ever reset early: only a bucket that has refilled is dropped, and a full bucket is the same as
 * an absent one. When all `maximumBuckets` are in use, a newcomer finds its budgets empty for a second: that refuses
 * wrongly, where evicting a live bucket would let its owner start afresh and sharing one would let strangers spend it.
 */
export function createMemoryBudgets(settings: { readonly maximumBuckets: number }, clock: Clock): MemoryBudgets {
  const held = new Map<string, Held>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;

  const makeRoom = (forHowMany: number, nowMs: number): boolean => {
    if (held.size + forHowMany <= settings.maximumBuckets) return true;
    if (nowMs - sweptAtMs < SWEEP_EVERY_MS) return false;
    sweptAtMs = nowMs;
    for (const [key, { bucket, budget }] of held) {
      if (refill(bucket, budget, nowMs).missing === 0) held.delete(key);
    }
    return held.size + forHowMany <= settings.maximumBuckets;
  };

  return {
    settle(partition, demands) {
      const nowMs = clock();
      if (demands.length === 0) return { allowed: true, nowMs, grants: [] };
      const keys = demands.map(({ budget }) => `${budget.name}:${partition}`);
      const newcomers = keys.filter((key) => !held.has(key)).length;
      if (newcomers > 0 && !makeRoom(newcomers, nowMs)) return refusal(demands, nowMs);
      const { settlement, buckets } = settle(
        keys.map((key) => held.get(key)?.bucket),
        demands,
        nowMs,
      );
      for (const [i, bucket] of buckets.entries()) {
        const [key, demand] = [keys[i], demands[i]];
        if (key === undefined || demand === undefined) continue;
        if (bucket.missing === 0) held.delete(key);
        else held.set(key, { bucket, budget: demand.budget });
      }
      return settlement;
    },
    isFull: (partition, name) =>
      held.size === 0 || (held.size < settings.maximumBuckets && !held.has(`${name}:${partition}`)),
  };
}

/** What a newcomer is told for whom there is no room: empty, one token in a second. */
function refusal(demands: readonly Demand[], nowMs: number): Settlement {
  return {
    allowed: false,
    nowMs,
    grants: demands.map(({ budget }) => ({ missing: emptyForASecond(budget), granted: 0 })),
  };
}

function emptyForASecond({ burst, perMinute, period }: Budget): number {
  return period === undefined ? (burst - 1) * PARTS_PER_TOKEN + perMinute * 1_000 : burst * PARTS_PER_TOKEN;
}
