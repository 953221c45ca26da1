import { expect, test } from 'vitest';
import { createSpill, createSpillSource, twinsAmong } from '../../../../lib/archive/spill/spill.ts';
import { createMemoryObjectStore } from '../../../../lib/storage/memory.ts';
import { layout, MINUTE, recordAt, T0 } from '../fixtures.ts';

test('a store that hangs fails the spill in its time', async () => {
  const spill = createSpill({ create: () => new Promise(() => {}) }, layout, 20);
  await expect(spill.put(recordAt('d-1', T0))).rejects.toThrow('timeout');
});

test('spilled twice is spilled once', async () => {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  const spill = createSpill(createMemoryObjectStore(objects), layout, 1000);
  await spill.put(recordAt('d-1', T0));
  await spill.put(recordAt('d-1', T0));
  expect([...objects.keys()]).toEqual([`audit/spill/year=2026/month=11/day=24/hour=10/minute=00/${T0}-d-1.json`]);
});

test('is read in order of time, only what has rested, as much as asked for', async () => {
  const store = createMemoryObjectStore();
  const spill = createSpill(store, layout, 1000);
  for (const [id, atMs] of [
    ['b', T0 + MINUTE],
    ['a', T0],
    ['c', T0 + 2 * MINUTE],
  ] as const)
    await spill.put(recordAt(id, atMs));
  const source = createSpillSource(store, layout, () => T0);
  const ids = async (beforeMs: number, bytes = 1_000_000) =>
    (await source.read(beforeMs, bytes)).map(({ record }) => JSON.parse(record).id);
  expect(await ids(T0 + 10 * MINUTE)).toEqual(['a', 'b', 'c']);
  expect(await ids(T0 + MINUTE)).toEqual(['a', 'b']);
  expect(await ids(T0 + 10 * MINUTE, 1)).toEqual(['a']);
  expect(await source.backlog()).toEqual({ entries: 3, oldestMs: T0 });
});

test('twins are told by decision and time; an entry that is no record has none', async () => {
  const store = createMemoryObjectStore();
  const entries = [
    { id: `${T0 + 1}-0`, record: JSON.stringify(recordAt('d-1', T0)) },
    { id: `${T0 + 2}-0`, record: JSON.stringify(recordAt('d-2', T0)) },
    { id: `${T0 + 3}-0`, record: 'no record' },
  ];
  expect(await twinsAmong(entries, store, layout)).toEqual(new Set());
  await createSpill(store, layout, 1000).put(recordAt('d-2', T0));
  expect(await twinsAmong(entries, store, layout)).toEqual(new Set([`${T0 + 2}-0`]));
});
