import { expect, test } from 'vitest';
import { createDemandMeter, noteUse, provision } from '../../../lib/limit/demand-meter.ts';

const NOW = 1_800_000_000_000;

/** A meter that has seen a use every `everyMs`, the last of them now. */
function metered(uses: number, everyMs: number) {
  const meter = createDemandMeter();
  for (let i = uses - 1; i >= 0; i--) noteUse(meter, NOW - i * everyMs);
  return meter;
}

test.each<[string, number, number, boolean, boolean, number, number]>([
  ['the first use provides for one more', 1, 10, false, false, 1, 1],
  ['one in twenty seconds is rare', 40, 20_000, false, false, 0, 0],
  ['one in two seconds provides for five', 40, 2_000, false, false, 2, 3],
  ['ten a second provide twenty tokens', 400, 100, false, false, 20, 20],
  ['a hundred a second provide for a second and a half', 4_000, 10, false, false, 140, 155],
  ['where tokens are scarce two uses say nothing', 2, 10, false, true, 0, 0],
  ['where tokens are scarce one in two seconds is rare', 40, 2_000, false, true, 0, 0],
  ['unless there is a lease', 40, 2_000, true, true, 2, 3],
  ['and ten a second provide for less', 400, 100, false, true, 7, 7],
])('%s', (_, uses, everyMs, leased, scarce, least, most) => {
  const provided = provision(metered(uses, everyMs), leased, scarce, 600, NOW);
  expect(provided).toBeGreaterThanOrEqual(least);
  expect(provided).toBeLessThanOrEqual(most);
});

test('what was long ago is forgotten, and does not slow down a new beginning', () => {
  const meter = metered(400, 100);
  expect(provision(meter, false, false, 600, NOW + 200_000)).toBe(0);
  const fresh = createDemandMeter();
  for (let i = 0; i < 50; i++) {
    noteUse(meter, NOW + 600_000 + i * 50);
    noteUse(fresh, NOW + 600_000 + i * 50);
  }
  const nowMs = NOW + 602_500;
  expect(provision(meter, false, false, 600, nowMs)).toBe(provision(fresh, false, false, 600, nowMs));
});

test('of very many tokens it provides for five seconds of the present spell, whatever went before', () => {
  const meter = metered(20, 1_000);
  for (let i = 0; i < 300; i++) noteUse(meter, NOW + 20_000 + i * 10);
  const provided = (atStore: number, scarce = false) => provision(meter, true, scarce, atStore, NOW + 23_000);
  expect(provided(1_000_000)).toBeGreaterThan(490);
  expect(provided(1_000_000)).toBeLessThan(510);
  expect(provided(51_200)).toBe(100);
  expect(provided(1_000_000, true)).toBeLessThan(20);
});
