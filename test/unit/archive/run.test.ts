import { describe, expect, test } from 'vitest';
import { createSpill } from '../../../lib/archive/spill/spill.ts';
import { createBench, decisionsIn, HOUR, layout, MINUTE, names, recordAt } from './fixtures.ts';

describe('an archive run', () => {
  test('waits while a small backlog is young', async () => {
    const bench = createBench();
    bench.decide(1, 10);
    bench.now.ms += MINUTE;
    expect(await bench.archive().run()).toMatchObject({ outcome: 'drained', batches: 0, entriesLeft: 10 });
    expect([...bench.objects.keys()].filter((key) => key.includes('/batches/'))).toEqual([]);
  });

  test('archives a small backlog once its oldest entry is five minutes old', async () => {
    const bench = createBench();
    bench.decide(1, 10);
    bench.now.ms += 5 * MINUTE;
    expect(await bench.archive().run()).toMatchObject({ outcome: 'drained', batches: 1, records: 10, entriesLeft: 0 });
    expect(await decisionsIn(bench.store)).toEqual(names(1, 10));
    expect([...bench.objects.keys()].sort()).toEqual([
      'audit/anchors/year=2026/month=11/day=24/hour=10.json',
      'audit/batches/year=2026/month=11/day=24/hour=10/main-0000000001.ndjson.gz',
      'audit/manifests/main/0000000001.json',
    ]);
    expect(await bench.verify()).toMatchObject({
      integrity: 'intact',
      completeness: 'intact',
      order: 'intact',
      records: 10,
    });
  });

  test('leaves entries alone that have not settled', async () => {
    const bench = createBench();
    bench.decide(1, 5);
    bench.now.ms += 5 * MINUTE;
    bench.decide(6, 8, 1);
    await bench.archive().run();
    expect(await decisionsIn(bench.store)).toEqual(names(1, 5));
    expect(await bench.outbox.backlog()).toMatchObject({ entries: 3 });
  });

  test('cuts batches at the size bound and chains them', async () => {
    const bench = createBench();
    bench.decide(1, 20_000, 1);
    bench.now.ms += 5 * MINUTE;
    const run = await bench.archive().run();
    expect(run).toMatchObject({ outcome: 'drained', records: 20_000, entriesLeft: 0 });
    expect(run.batches).toBeGreaterThan(1);
    expect(await decisionsIn(bench.store)).toEqual(names(1, 20_000));
    expect(await bench.verify()).toMatchObject({
      integrity: 'intact',
      completeness: 'intact',
      order: 'intact',
      records: 20_000,
    });
  });

  test('a batch lies under the hour of its first entry', async () => {
    const bench = createBench();
    bench.now.ms += HOUR - 15;
    bench.decide(1, 5);
    bench.now.ms += 5 * MINUTE;
    await bench.archive().run();
    expect([...bench.objects.keys()].filter((key) => key.includes('/batches/'))).toEqual([
      'audit/batches/year=2026/month=11/day=24/hour=10/main-0000000001.ndjson.gz',
    ]);
  });

  test('an entry that is no record is told by size and hash, and holds nothing up', async () => {
    const bench = createBench();
    bench.decide(1, 1);
    for (const text of [
      '',
      'no json',
      '{"type":"audit","id":"x"}',
      '[1]',
      '{"type":"audit",\n"id":"x","ts":"2026-11-24T10:00:00.000Z"}',
    ]) {
      void bench.outbox.append(text);
    }
    bench.decide(2, 2);
    bench.now.ms += 5 * MINUTE;
    await bench.archive().run();
    const found = await decisionsIn(bench.store);
    expect(found).toHaveLength(7);
    expect(found[2]).toMatch(
      /^\{"type":"audit_unreadable","version":1,"bytes":7,"sha256":"[0-9a-f]{64}","stream_id":"\d+-\d+","n":3\}$/,
    );
    expect(await bench.verify()).toMatchObject({ integrity: 'intact', records: 7 });
  });

  test('a second archive finds the work taken', async () => {
    const bench = createBench();
    bench.decide(1, 5);
    await bench.outbox.acquire('another', MINUTE);
    bench.now.ms += 5 * MINUTE - MINUTE + 1;
    await bench.outbox.acquire('another', MINUTE);
    expect(await bench.archive().run()).toMatchObject({ outcome: 'busy', batches: 0 });
  });

  test('stops at its time, and says that it is behind', async () => {
    const bench = createBench();
    bench.decide(1, 20_000, 1);
    bench.now.ms += 5 * MINUTE;
    const run = await bench.archive({}, { runMs: -1 }).run();
    expect(run).toMatchObject({ outcome: 'behind', batches: 1 });
    expect(run.entriesLeft).toBeGreaterThan(0);
  });
});

describe('spilled records', () => {
  test('get a chain of their own, and are removed once archived', async () => {
    const bench = createBench();
    const spill = createSpill(bench.store, layout, 1000);
    bench.decide(1, 2);
    await spill.put(recordAt('d-3', bench.now.ms + 5));
    bench.now.ms += 11 * MINUTE;
    await bench.archive().run();
    expect((await decisionsIn(bench.store)).sort()).toEqual(names(1, 3));
    expect([...bench.objects.keys()].filter((key) => key.includes('/spill/'))).toEqual([]);
    expect((await bench.verify()).chains.map(({ writer, records }) => [writer, records])).toEqual([
      ['main', 2],
      ['main.spill', 1],
    ]);
  });

  test('a record that was stored and spilled (its answer was lost) is archived once', async () => {
    const bench = createBench();
    const spill = createSpill(bench.store, layout, 1000);
    bench.decide(1, 3);
    await spill.put(recordAt('d-2', bench.now.ms - 10));
    bench.now.ms += 5 * MINUTE;
    await bench.archive().run();
    expect(await decisionsIn(bench.store)).toEqual(['d-1', 'd-3']);
    bench.now.ms += 10 * MINUTE;
    await bench.archive().run();
    expect((await decisionsIn(bench.store)).sort()).toEqual(names(1, 3));
  });

  test('an append that takes effect after its record was spilled finds the twin', async () => {
    const bench = createBench();
    const spill = createSpill(bench.store, layout, 1000);
    const late = recordAt('d-1', bench.now.ms);
    await spill.put(late);
    bench.now.ms += 2 * MINUTE;
    void bench.outbox.append(JSON.stringify(late));
    bench.now.ms += 5 * MINUTE;
    await bench.archive().run();
    expect(await decisionsIn(bench.store)).toEqual([]);
    bench.now.ms += 10 * MINUTE;
    await bench.archive().run();
    expect(await decisionsIn(bench.store)).toEqual(['d-1']);
  });
});

describe('an outbox that was rolled back', () => {
  test('loses nothing: an entry older than the chain is archived as late', async () => {
    const bench = createBench();
    bench.decide(1, 3);
    bench.now.ms += 5 * MINUTE;
    await bench.archive().run();
    const entry = { id: `${bench.now.ms - 5 * MINUTE - 5}-7`, record: JSON.stringify(recordAt('d-4', bench.now.ms)) };
    const source = {
      ...bench.outbox,
      read: async () => [entry],
      backlog: async () => ({ entries: 1, oldestMs: 0 }),
      remove: async () => {},
    };
    let reads = 0;
    const once = { ...source, backlog: async () => ({ entries: 1, oldestMs: reads++ > 0 ? null : 0 }) };
    await bench.archive({ source: once }).run();
    expect((await decisionsIn(bench.store)).sort()).toEqual(names(1, 4));
    expect(await bench.verify()).toMatchObject({
      integrity: 'intact',
      completeness: 'intact',
      order: 'intact',
      records: 4,
    });
    expect(bench.events.map(({ event }) => event)).toContain('audit_entries_late');
  });
});
