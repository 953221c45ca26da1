import { type Outcome, type Scenario, simulate } from './simulate.ts';

/**
 * Prints what leases cost and what they err, for many isolates, budgets and loads. The figures are of the real lease code
 * under a simulated clock and network, so they do not depend on the machine.
 */
const ISOLATES = [1, 2, 8, 32, 128, 512];
const BUDGETS = [10, 60, 600, 6_000, 60_000];
const LOADS = [0.5, 1.05, 2];

function percent(share: number) {
  return `${(share * 100).toFixed(2)} %`;
}

function line(scenario: Scenario, outcome: Outcome): string {
  const { isolates, perMinute, burst, load, isolateLifeSeconds } = scenario;
  const cells = [
    isolates,
    perMinute,
    burst,
    load,
    isolateLifeSeconds ?? '–',
    outcome.decisions,
    outcome.tripsPerDecision.toFixed(3),
    percent(outcome.waited),
    outcome.overshoot,
    percent(outcome.wronglyRefused),
  ];
  return `| ${cells.join(' | ')} |`;
}

console.log(
  '| isolates | per minute | burst | load | life s | decisions | trips/decision | waited | overshoot | wrongly refused |',
);
console.log('|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|');
for (const [burstShare, isolateLifeSeconds] of [
  [1, null],
  [1, 300],
  [1, 60],
  [1 / 6, null],
] as const) {
  for (const perMinute of BUDGETS) {
    for (const isolates of ISOLATES) {
      for (const load of LOADS) {
        // Long enough for thousands of decisions, short enough for the largest budgets.
        const seconds = Math.max(180, Math.min(3_600, 300_000 / perMinute));
        const burst = Math.max(1, Math.round(perMinute * burstShare));
        const scenario = { isolates, perMinute, burst, load, seconds, isolateLifeSeconds, lossShare: 0, seed: 7 };
        console.log(line(scenario, await simulate(scenario)));
      }
    }
  }
}
