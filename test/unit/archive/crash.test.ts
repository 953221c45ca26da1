import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ArchiveParts } from '../../../lib/archive/run.ts';
import { createSpill } from '../../../lib/archive/spill/spill.ts';
import { createBench, decisionsIn, HOUR, layout, MINUTE, names, recordAt } from './fixtures.ts';
import { Killed, mortal, type Strike } from './mortal.ts';

function swallowKill(error: unknown) {
  if (!(error instanceof Killed)) throw error;
}

/** Decisions, an archive that dies on the way, more decisions, and another that takes over. */
async function scenario(strikeAt: number, strike: Strike, survives: boolean): Promise<number> {
  const bench = createBench();
  const spill = createSpill(bench.store, layout, 1000);
  const { parts, state } = mortal(bench.parts, strikeAt, strike, survives);
  const first = bench.archive(parts);
  bench.decide(1, 20);
  await spill.put(recordAt('d-21', bench.now.ms + 1));
  await spill.put(recordAt('d-22', bench.now.ms + 2));
  bench.now.ms += 11 * MINUTE;
  bench.decide(23, 30);
  bench.now.ms += 6 * MINUTE;
  await first.run().catch(swallowKill);
  bench.decide(31, 40);
  await spill.put(recordAt('d-41', bench.now.ms + 1));
  bench.now.ms += HOUR;
  await first.run().catch(swallowKill);
  bench.decide(42, 50);
  bench.now.ms += 6 * MINUTE;
  expect(await bench.archive().run()).toMatchObject({ outcome: 'drained', entriesLeft: 0 });
  expect((await decisionsIn(bench.store)).sort()).toEqual(names(1, 50).sort());
  const report = await bench.verify();
  expect(report.findings).toEqual([]);
  expect(report.records).toBe(50);
  return state.calls;
}

describe('an archive killed at any await', () => {
  for (const strike of ['before', 'after'] as const) {
    test(`${strike} the effect of a call, every decision is archived exactly once by the next`, async () => {
      const calls = await scenario(Number.POSITIVE_INFINITY, strike, false);
      expect(calls).toBeGreaterThan(60);
      for (let strikeAt = 1; strikeAt <= calls; strikeAt++) await scenario(strikeAt, strike, false);
    });
    test(`losing one answer ${strike} its effect and living on, it archives exactly once`, async () => {
      const calls = await scenario(Number.POSITIVE_INFINITY, strike, true);
      for (let strikeAt = 1; strikeAt <= calls; strikeAt++) await scenario(strikeAt, strike, true);
    });
  }
});

describe('two archives at once without a lease', () => {
  test('archive every decision exactly once in any interleaving', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.nat(40), { minLength: 2, maxLength: 6 }),
        async (scheduler, amounts) => {
          const bench = createBench();
          const apart = (parts: ArchiveParts): ArchiveParts => ({
            ...parts,
            lease: { acquire: async () => true, release: async () => {} },
            source: {
              read: scheduler.scheduleFunction(parts.source.read),
              backlog: scheduler.scheduleFunction(parts.source.backlog),
              now: parts.source.now,
              remove: scheduler.scheduleFunction(parts.source.remove),
            },
            store: {
              ...parts.store,
              create: scheduler.scheduleFunction(parts.store.create),
              read: scheduler.scheduleFunction(parts.store.read),
              list: scheduler.scheduleFunction(parts.store.list),
            },
          });
          let made = 0;
          const decide = async () => {
            for (const amount of amounts) {
              await scheduler.schedule(Promise.resolve());
              bench.decide(made + 1, made + amount);
              made += amount;
              bench.now.ms += HOUR; // Each lot belongs under another hour, so that a batch begun too late shows.
            }
          };
          const keepArchiving = async () => {
            const archive = bench.archive(apart(bench.parts), { runMs: Number.POSITIVE_INFINITY });
            for (let run = 0; run < amounts.length; run++) expect((await archive.run()).outcome).toBe('drained');
          };
          await scheduler.waitFor(Promise.all([decide(), keepArchiving(), keepArchiving()]));
          bench.now.ms += 20 * MINUTE;
          expect(await bench.archive().run()).toMatchObject({ outcome: 'drained', entriesLeft: 0 });
          expect((await decisionsIn(bench.store)).sort()).toEqual(names(1, made).sort());
          expect((await bench.verify()).findings).toEqual([]);
          expect(bench.events).toEqual([]);
        },
      ),
      { seed: 20261124, numRuns: 100 },
    );
  }, 60_000);

  test('one that was overtaken between its two looks starts no batch from later entries', async () => {
    const bench = createBench();
    bench.decide(1, 5);
    bench.now.ms += HOUR;
    let looks = 0;
    const overtaken = <A extends unknown[], R>(look: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        if (++looks === 2) {
          await bench.archive().run();
          bench.decide(6, 10);
          bench.now.ms += HOUR;
        }
        return look(...args);
      };
    };
    const { source, store } = bench.parts;
    const slow = bench.archive(
      {
        lease: { acquire: async () => true, release: async () => {} },
        source: { ...source, read: overtaken(source.read) },
        store: { ...store, list: overtaken(store.list) },
      },
      { runMs: Number.POSITIVE_INFINITY },
    );
    expect(await slow.run()).toMatchObject({ outcome: 'drained' });
    expect((await decisionsIn(bench.store)).sort()).toEqual(names(1, 10).sort());
    expect((await bench.verify()).findings).toEqual([]);
  });
});
