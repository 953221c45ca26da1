import { expect, test } from 'vitest';
import {
  type ArchiveLock,
  compareIds,
  type Outbox,
  type Source,
  storedAtMs,
  type Tail,
} from '../../lib/audit/outbox.ts';

export interface OutboxUnderTest {
  readonly outbox: Outbox & Source & ArchiveLock & Tail;
  /** Milliseconds by the outbox's own clock. */
  nowMs(): number;
  /** Lets its clock go on. */
  pass(ms: number): Promise<void>;
}

/** What every outbox keeps to. `make` gives an empty one that holds `maximumEntries`. */
export function outboxContract(make: (maximumEntries: number) => Promise<OutboxUnderTest>): void {
  const record = (name: string) => JSON.stringify({ type: 'audit', id: name, quote: '"\\é' });
  const FAR = Number.MAX_SAFE_INTEGER;

  test('gives back what was appended, oldest first, byte for byte, with ascending ids', async () => {
    const { outbox, nowMs } = await make(100);
    const before = nowMs();
    for (const name of ['a', 'b', 'c']) expect(await outbox.append(record(name))).toMatchObject({ outcome: 'stored' });
    const entries = await outbox.read(FAR, 1_000_000);
    expect(entries.map((entry) => entry.record)).toEqual([record('a'), record('b'), record('c')]);
    const ids = entries.map(({ id }) => id);
    expect([...ids].sort(compareIds)).toEqual(ids);
    expect(new Set(ids).size).toBe(3);
    expect(storedAtMs(ids[0] ?? '')).toBeGreaterThanOrEqual(before - 1000);
    expect(storedAtMs(ids[2] ?? '')).toBeLessThanOrEqual(nowMs() + 1000);
  });

  test('tells its depth, and answers full at its bound without storing or dropping anything', async () => {
    const { outbox } = await make(3);
    for (const depth of [1, 2, 3])
      expect(await outbox.append(record(`${depth}`))).toEqual({ outcome: 'stored', depth });
    expect(await outbox.append(record('4'))).toEqual({ outcome: 'full', depth: 3 });
    expect((await outbox.read(FAR, 1_000_000)).map((entry) => entry.record)).toEqual(['1', '2', '3'].map(record));
    const [first] = await outbox.read(FAR, 1);
    await outbox.remove([first?.id ?? '']);
    expect(await outbox.append(record('5'))).toEqual({ outcome: 'stored', depth: 3 });
  });

  test('reads only what was stored by a time, and only as much as asked for, but always one', async () => {
    const { outbox, nowMs, pass } = await make(5000);
    for (let number = 0; number < 10; number++) await outbox.append(record(`old-${number}`));
    await pass(20);
    const cut = nowMs() - 10;
    await pass(20);
    await outbox.append(record('young'));
    expect(await outbox.read(cut, 1_000_000)).toHaveLength(10);
    expect(await outbox.read(FAR, 1)).toHaveLength(1);
    const some = await outbox.read(FAR, 1500);
    expect(some.length).toBeGreaterThan(1);
    expect(some.length).toBeLessThan(11);
  });

  test('reads more than a page', async () => {
    const { outbox } = await make(5000);
    for (let start = 0; start < 2500; start += 25) {
      const answers = Array.from({ length: 25 }, (_, number) => outbox.append(record(`${start + number}`)));
      for (const answer of await Promise.all(answers)) expect(answer.outcome).toBe('stored');
    }
    const entries = await outbox.read(FAR, 10_000_000);
    expect(new Set(entries.map((entry) => entry.record)).size).toBe(2500);
    await outbox.remove(entries.map(({ id }) => id));
    expect(await outbox.backlog()).toEqual({ entries: 0, oldestMs: null });
  });

  test('keeps what is not removed; removing twice is no error', async () => {
    const { outbox } = await make(100);
    for (const name of ['a', 'b', 'c']) await outbox.append(record(name));
    const [, second] = await outbox.read(FAR, 1_000_000);
    await outbox.remove([second?.id ?? '']);
    await outbox.remove([second?.id ?? '']);
    await outbox.remove([]);
    const left = await outbox.read(FAR, 1_000_000);
    expect(left.map((entry) => entry.record)).toEqual([record('a'), record('c')]);
    expect(await outbox.backlog()).toEqual({ entries: 2, oldestMs: storedAtMs(left[0]?.id ?? '') });
  });

  test('an empty one has nothing', async () => {
    const { outbox } = await make(100);
    expect(await outbox.read(FAR, 1000)).toEqual([]);
    expect(await outbox.backlog()).toEqual({ entries: 0, oldestMs: null });
  });

  test('one holder at a time has the lease, until it gives it back or it ends', async () => {
    const { outbox, pass } = await make(100);
    expect(await outbox.acquire('one', 10_000)).toBe(true);
    expect(await outbox.acquire('two', 10_000)).toBe(false);
    expect(await outbox.acquire('one', 10_000)).toBe(true);
    await outbox.release('two');
    expect(await outbox.acquire('two', 10_000)).toBe(false);
    await outbox.release('one');
    expect(await outbox.acquire('two', 50)).toBe(true);
    await pass(80);
    expect(await outbox.acquire('one', 10_000)).toBe(true);
  });

  test('who looks on sees what comes after, and takes nothing away', async () => {
    const { outbox } = await make(100);
    await outbox.append(record('before'));
    const start = await outbox.follow(null, 10);
    expect(start.entries).toEqual([]);
    for (const name of ['a', 'b', 'c']) await outbox.append(record(name));
    const two = await outbox.follow(start.lastId, 2);
    expect(two.entries.map((entry) => entry.record)).toEqual([record('a'), record('b')]);
    const rest = await outbox.follow(two.lastId, 2);
    expect(rest.entries.map((entry) => entry.record)).toEqual([record('c')]);
    expect(await outbox.follow(rest.lastId, 2)).toEqual({ entries: [], lastId: rest.lastId });
    expect(await outbox.read(FAR, 1_000_000)).toHaveLength(4);
  });
}
