import { isStray } from './lease.ts';
import type { Lease } from './lease-tokens.ts';

/** How often one lease is looked at, and how many are watched at most. */
const LOOK_EVERY_MS = 500;
const MAXIMUM_WATCHED = 4_096;

interface Watched {
  readonly partition: string;
  readonly lease: Lease;
}

/** Leases that hold tokens, looked at one after the other in turn: a caller may go away and leave some behind. */
export function createStrays() {
  const queue: Watched[] = [];
  const watched = new Set<Lease>();
  let at = 0;
  let nextLookMs = 0;
  return {
    watch(partition: string, lease: Lease): void {
      if (watched.has(lease) || queue.length >= MAXIMUM_WATCHED) return;
      watched.add(lease);
      queue.push({ partition, lease });
    },
    /** A lease whose tokens should go back. Looks at some of those that are watched, and seldom. */
    next(nowMs: number): Watched | null {
      if (nowMs < nextLookMs || queue.length === 0) return null;
      for (let looks = Math.min(queue.length, 32); looks > 0; looks--) {
        at %= queue.length;
        const one = queue[at];
        if (one === undefined) break;
        if (isStray(one.lease, nowMs)) return one;
        if (one.lease.expiresAtMs > nowMs) at += 1;
        else {
          watched.delete(one.lease);
          const last = queue.pop();
          if (last !== undefined && last !== one) queue[at] = last;
          if (queue.length === 0) break;
        }
      }
      nextLookMs = nowMs + LOOK_EVERY_MS / Math.max(1, Math.ceil(queue.length / 32));
      return null;
    },
  };
}
