/** A map that forgets what has not been used for a while. */
export interface RecentMap<V> {
  /** The value, which now counts as used, or undefined. */
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

export interface RecentMapSettings<V> {
  readonly maximumEntries: number;
  /** Weight of all values together, as `weightOf` counts it; no limit where it is left out. */
  readonly maximumWeight?: number;
  readonly weightOf?: (value: V) => number;
}

/**
 * A bounded map of two generations. When the young generation is full it becomes the old one, and the old one is dropped.
 * An entry that is read from the old generation moves back to the young one. Reads no clock.
 */
export function createRecentMap<V>(settings: RecentMapSettings<V>): RecentMap<V> {
  const { weightOf } = settings;
  const entriesPerGeneration = Math.max(1, settings.maximumEntries >> 1);
  const weightPerGeneration = (settings.maximumWeight ?? Number.POSITIVE_INFINITY) / 2;
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  let weight = 0;

  const set = (key: string, value: V) => {
    const added = weightOf?.(value) ?? 0;
    if (young.size >= entriesPerGeneration || weight + added > weightPerGeneration) {
      old = young;
      young = new Map();
      weight = 0;
    }
    young.set(key, value);
    weight += added;
  };

  return {
    get(key) {
      const recent = young.get(key);
      if (recent !== undefined) return recent;
      const earlier = old.get(key);
      if (earlier === undefined) return undefined;
      old.delete(key);
      set(key, earlier);
      return earlier;
    },
    set,
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
  };
}
