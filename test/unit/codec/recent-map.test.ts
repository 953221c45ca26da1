import { describe, expect, test } from 'vitest';
import { createRecentMap } from '../../../lib/codec/recent-map.ts';

describe('a recent map', () => {
  test('keeps what is used and forgets what is not', () => {
    const map = createRecentMap<number>({ maximumEntries: 4 });
    map.set('used', 1);
    map.set('unused', 2);
    map.set('c', 3);
    expect(map.get('used')).toBe(1);
    map.set('d', 4);
    map.set('e', 5);
    expect(map.get('used')).toBe(1);
    expect(map.get('unused')).toBeUndefined();
  });

  test('is bounded by the weight of its values', () => {
    const map = createRecentMap<string>({ maximumEntries: 100, maximumWeight: 8, weightOf: (text) => text.length });
    for (const key of ['a', 'b', 'c', 'd']) map.set(key, 'xxx');
    expect(['a', 'b', 'c', 'd'].filter((key) => map.get(key) !== undefined)).toEqual(['c', 'd']);
  });

  test('forgets an entry of either generation on request', () => {
    const map = createRecentMap<number>({ maximumEntries: 2 });
    map.set('old', 1);
    map.set('young', 2);
    map.delete('old');
    map.delete('young');
    expect([map.get('old'), map.get('young')]).toEqual([undefined, undefined]);
  });
});
