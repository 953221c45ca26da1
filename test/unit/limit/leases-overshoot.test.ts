import fc from 'fast-check';
import { expect, test } from 'vitest';
import { simulate } from '../../bench/limits-simulation/simulate.ts';

/** Leases under every kind of rate, burst, load, isolates that die and trips that are lost: see `simulate`. */
const scenario = fc.record({
  isolates: fc.integer({ min: 1, max: 24 }),
  perMinute: fc.constantFrom(7, 60, 333, 600, 6_000),
  burst: fc.integer({ min: 1, max: 1_000 }),
  load: fc.constantFrom(0.5, 1.05, 2, 5),
  seconds: fc.constant(45),
  isolateLifeSeconds: fc.constantFrom(null, 20),
  lossShare: fc.constantFrom(0, 0.2),
  seed: fc.nat(),
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

test('an isolate that serves a caller rarely asks for every decision', async () => {
  const outcome = await simulate({ isolates: 128, perMinute: 60, burst: 60, load: 0.5, seconds: 600, ...usual });
  expect(outcome.waited).toBeGreaterThan(0.99);
  expect(outcome.wronglyRefused).toBe(0);
});
