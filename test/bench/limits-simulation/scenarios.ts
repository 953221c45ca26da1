import { createRandom, type Scenario, simulate } from './simulate.ts';

/**
 * Plays many random scenarios around the ends of days, months and years, with isolates that crash and trips that are lost,
 * and prints how often a budget or a quota was overshot: never. `node test/bench/limits-simulation/scenarios.ts [500]`.
 */
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

function scenarioOf(seed: number): Scenario {
  const random = createRandom(seed);
  const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  return {
    seed,
    isolates: 1 + Math.floor(random() * 24),
    perMinute: oneOf([7, 60, 333, 600, 6_000]),
    burst: 1 + Math.floor(random() * 1_000),
    load: oneOf([0.5, 1.05, 2, 5]),
    seconds: 45,
    isolateLifeSeconds: oneOf([null, 20, 5]),
    lossShare: oneOf([0, 0.2]),
    perDay: oneOf([null, 50, 300, 2_000]),
    perMonth: oneOf([null, 150, 400, 5_000]),
    startsAt: Date.parse(oneOf(PERIOD_ENDS)) - 20_000,
  };
}

const count = Number(process.argv[2] ?? 500);
const total = { scenarios: 0, crashing: 0, losing: 0, monthEnds: 0, decisions: 0, admitted: 0, overshoot: 0 };
for (let seed = 1; seed <= count; seed++) {
  const scenario = scenarioOf(seed);
  const { decisions, admitted, overshoot } = await simulate(scenario);
  total.scenarios += 1;
  if (scenario.isolateLifeSeconds !== null) total.crashing += 1;
  if (scenario.lossShare > 0) total.losing += 1;
  if (new Date((scenario.startsAt ?? 0) + 20_000).getUTCDate() === 1) total.monthEnds += 1;
  total.decisions += decisions;
  total.admitted += admitted;
  total.overshoot += overshoot;
  if (overshoot > 0) console.log(`overshoot ${overshoot}: ${JSON.stringify(scenario)}`);
}
console.log(JSON.stringify(total));
