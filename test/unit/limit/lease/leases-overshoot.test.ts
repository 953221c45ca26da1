import fc from 'fast-check';
import { expect, test } from 'vitest';
import { simulate } from '../../../bench/limits-simulation/simulate.ts';

/** Instants at which a day, a month or a year ends, a leap day and a leap second among them; and one at which none does. */
const PERIOD_ENDS = [
  '2026-11-28T00:00:00Z',
  '2026-12-01T00:00:00Z',
  '2027-01-01T00:00:00Z',
  '2027-03-01T00:00:00Z',
  '2028-02-29T00:00:00Z',
  '2028-03-01T00:00:00Z',
  '2017-01-01T00:00:00Z',
  '2026-11-27T12:00:00Z',
];

/** Leases under every kind of rate, burst, quota and load, isolates that die and trips that are lost: see `simulate`. */
const scenario = fc.record({
  isolates: fc.integer({ min: 1, max: 24 }),
  perMinute: fc.constantFrom(7, 60, 333, 600, 6_000),
  burst: fc.integer({ min: 1, max: 1_000 }),
  load: fc.constantFrom(0.5, 1.05, 2, 5),
  seconds: fc.constant(45),
  isolateLifeSeconds: fc.constantFrom(null, 20),
  lossShare: fc.constantFrom(0, 0.2),
  seed: fc.nat(),
  perDay: fc.constantFrom(null, 50, 300, 2_000),
  perMonth: fc.constantFrom(null, null, 400, 5_000),
  startsAt: fc.constantFrom(...PERIOD_ENDS.map((end) => Date.parse(end) - 20_000)),
});

test('leases never let a budget be overshot, even when isolates die and messages are lost', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (one) => {
      expect((await simulate(one)).overshoot).toBe(0);
    }),
    { seed: 5, numRuns: 60 },
  );
}, 60_000);

const usual = { isolateLifeSeconds: null, lossShare: 0, seed: 11 };

test.each([0.5, 1.05, 2])(
  'eight isolates at %f times 600 a minute: few wait, hardly any are refused wrongly',
  async (load) => {
    const outcome = await simulate({ isolates: 8, perMinute: 600, burst: 600, load, seconds: 400, ...usual });
    expect(outcome.overshoot).toBe(0);
    expect(outcome.waited).toBeLessThan(0.05);
    expect(outcome.wronglyRefused).toBeLessThan(0.005);
  },
);

test.each([0.5, 1.05, 2])(
  'eight isolates that live a minute at %f times 600 a minute: fewer than 5 % wait',
  async (load) => {
    const outcome = await simulate({
      ...usual,
      isolates: 8,
      perMinute: 600,
      burst: 600,
      load,
      seconds: 400,
      isolateLifeSeconds: 60,
    });
    expect(outcome.overshoot).toBe(0);
    expect(outcome.waited).toBeLessThan(0.05);
    expect(outcome.wronglyRefused).toBeLessThan(0.03);
  },
);

test.each([1.05, 2])('eight isolates at %f times 60 a minute strand hardly a token', async (load) => {
  const outcome = await simulate({ isolates: 8, perMinute: 60, burst: 60, load, seconds: 3_600, ...usual });
  expect(outcome.overshoot).toBe(0);
  expect(outcome.wronglyRefused).toBeLessThan(0.01);
});

test('a quota of the day is spent to the end by isolates that live on', async () => {
  const quota = { ...usual, isolates: 8, perMinute: 600, burst: 600, load: 1.05, seconds: 400, perDay: 2_000 };
  const outcome = await simulate({ ...quota, startsAt: Date.parse('2026-11-27T12:00:00Z') });
  expect(outcome.overshoot).toBe(0);
  expect(outcome.admitted).toBeGreaterThanOrEqual(1_990);
  expect(outcome.admitted).toBeLessThanOrEqual(2_000);
});

test('an isolate that serves a caller rarely asks for nearly every decision', async () => {
  const outcome = await simulate({ isolates: 128, perMinute: 60, burst: 60, load: 0.5, seconds: 600, ...usual });
  expect(outcome.waited).toBeGreaterThan(0.9);
  expect(outcome.wronglyRefused).toBe(0);
});
