/** Requests of one partition that are under way at once. */
export interface UnderWay {
  /** Takes a place. Gives what leaves it again, once however often it is called, or null where there is none. */
  enter(partition: string, nowMs: number): (() => void) | null;
}

export interface UnderWaySettings {
  /** Places of one partition. */
  readonly maximum: number;
  /** A place that nobody left is forgotten after this time, or up to twice as long: a runtime may end a request without a
   * word. Infinite where the adapter always tells. */
  readonly forgetAfterMs: number;
}

/** Counts in two generations; holds plain numbers only, and nothing of a partition without requests under way. */
export function createUnderWay({ maximum, forgetAfterMs }: UnderWaySettings): UnderWay {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  let turnAtMs = Number.NEGATIVE_INFINITY;

  const turn = (nowMs: number) => {
    if (forgetAfterMs === Number.POSITIVE_INFINITY || nowMs < turnAtMs) return;
    if (turnAtMs !== Number.NEGATIVE_INFINITY) {
      old = nowMs - turnAtMs < forgetAfterMs ? young : new Map();
      young = new Map();
    }
    turnAtMs = nowMs + forgetAfterMs;
  };

  return {
    enter(partition, nowMs) {
      turn(nowMs);
      const places = young;
      const here = places.get(partition) ?? 0;
      if (here + (old.get(partition) ?? 0) >= maximum) return null;
      places.set(partition, here + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const count = (places.get(partition) ?? 1) - 1;
        if (count > 0) places.set(partition, count);
        else places.delete(partition);
      };
    },
  };
}
