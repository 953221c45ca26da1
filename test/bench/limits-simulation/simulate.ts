import { createLeasedAdmission, type LeasedAdmission } from '../../../lib/admit/leased-admission.ts';
import type { AdmissionFinding, SharedStore } from '../../../lib/admit/shared-store.ts';
import type { AdmissionAnswer, Budget } from '../../../lib/decision/outcome.ts';
import { exactly, type Settlement } from '../../../lib/limit/budgets.ts';
import { createMemoryBudgets } from '../../../lib/limit/memory.ts';
import { type Agenda, createAgenda } from './agenda.ts';

/** One caller with one budget or more, served by many isolates that share one store. */
export interface Scenario {
  readonly isolates: number;
  readonly perMinute: number;
  readonly burst: number;
  /** Requests offered, as a multiple of `perMinute`. */
  readonly load: number;
  readonly seconds: number;
  /** Mean life of an isolate; it dies with its leases in hand and another begins. Null: none dies. */
  readonly isolateLifeSeconds: number | null;
  /** Share of the trips whose answer is lost; half of them have reached the store. */
  readonly lossShare: number;
  readonly seed: number;
  /** Quotas by the calendar beside the minute, where there are any, and when the scenario begins. */
  readonly perDay?: number | null;
  readonly perMonth?: number | null;
  readonly startsAt?: number;
}

export interface Outcome {
  readonly decisions: number;
  readonly admitted: number;
  /** Trips to the store for each decision, in its foreground or background. */
  readonly tripsPerDecision: number;
  /** Share of the decisions that waited for a trip. */
  readonly waited: number;
  /**
   * Requests let through beyond the budget: one bucket that is charged when a token is spent, at the store or from a lease,
   * could not have paid for them.
   */
  readonly overshoot: number;
  /** Requests that one exact bucket would have let through beyond those admitted, as a share of all decisions. */
  readonly wronglyRefused: number;
}

const ROUND_TRIP_MS = { least: 8, spread: 30 };

/**
 * Plays a scenario with the real lease code, a simulated clock and a simulated network: requests arrive at random at random
 * isolates, every trip takes its time each way. Deterministic for a seed.
 */
export async function simulate(scenario: Scenario): Promise<Outcome> {
  const random = createRandom(scenario.seed);
  const agenda = createAgenda(scenario.startsAt);
  const budgets = budgetsOf(scenario);
  let trips = 0;
  const referee = createMemoryBudgets({ maximumBuckets: 4 }, agenda.now);
  const charge = () => {
    if (!referee.settle('caller', budgets.map(exactly)).allowed) result.overshoot += 1;
  };
  // The trip that a decision makes begins before `admit` returns.
  let asking: { spent: boolean } | null = null;
  const store = createDistantStore(agenda, random, scenario.lossShare, () => {
    const trip = asking;
    return (spent) => {
      trips += 1;
      if (!spent) return;
      if (trip) trip.spent = true;
      charge();
    };
  });
  const start = (): LeasedAdmission =>
    createLeasedAdmission(SETTINGS, store, { clock: agenda.now, steady: agenda.now });
  const isolates = Array.from({ length: scenario.isolates }, start);

  const ideal = createMemoryBudgets({ maximumBuckets: 4 }, agenda.now);
  const result = { decisions: 0, admitted: 0, waited: 0, overshoot: 0, idealAdmitted: 0 };

  const decided = (answer: AdmissionAnswer) => {
    if (answer.outcome === 'admitted') result.admitted += 1;
  };
  const request = () => {
    const isolate = isolates[Math.floor(random() * isolates.length)];
    if (isolate === undefined) return;
    result.decisions += 1;
    if (ideal.settle('caller', budgets.map(exactly)).allowed) result.idealAdmitted += 1;
    const question = { partition: 'caller', budgets, fields: [], issuedAtSeconds: null };
    const own = { spent: false };
    asking = own;
    const answer = isolate.admit(question, { defer: () => {} });
    asking = null;
    if (!(answer instanceof Promise)) {
      if (answer.outcome === 'admitted') charge();
      return decided(answer);
    }
    result.waited += 1;
    void answer.then((late) => {
      // Refused by the store, and admitted by tokens that had come here meanwhile.
      if (late.outcome === 'admitted' && !own.spent) charge();
      decided(late);
    });
  };

  const endMs = agenda.now() + scenario.seconds * 1000;
  const pauseMs = () => (-Math.log(1 - random()) * 60_000) / (scenario.perMinute * scenario.load);
  let nextMs = agenda.now() + pauseMs();
  const arrive = () => {
    request();
    nextMs += pauseMs();
    if (nextMs < endMs) agenda.at(nextMs, arrive);
  };
  agenda.at(nextMs, arrive);
  if (scenario.isolateLifeSeconds !== null) {
    const meanMs = (scenario.isolateLifeSeconds * 1000) / scenario.isolates;
    const die = () => {
      isolates[Math.floor(random() * isolates.length)] = start();
      agenda.after(-Math.log(1 - random()) * meanMs, die);
    };
    agenda.after(-Math.log(1 - random()) * meanMs, die);
  }
  await agenda.runUntil(endMs + 1_000);

  const { decisions, admitted, waited, overshoot, idealAdmitted } = result;
  return {
    decisions,
    admitted,
    overshoot,
    tripsPerDecision: trips / decisions,
    waited: waited / decisions,
    wronglyRefused: Math.max(0, idealAdmitted - admitted) / decisions,
  };
}

function budgetsOf({ perMinute, burst, perDay, perMonth }: Scenario): Budget[] {
  const budgets: Budget[] = [{ name: 'general', perMinute, burst, onError: 'closed' }];
  const quota = (period: 'day' | 'month', requests: number | null | undefined) => {
    if (requests) budgets.push({ name: `general-${period}`, perMinute: 0, burst: requests, period, onError: 'closed' });
  };
  quota('day', perDay);
  quota('month', perMonth);
  return budgets;
}

const SETTINGS = {
  timeoutMs: 150,
  maximumPartitions: 16,
  maximumDelayMs: 5_000,
  maximumEntries: 16,
  maximumBuckets: 16,
  revocationOnError: 'closed',
} as const;

/** The store's arithmetic at the far end of a network. Tells of every trip that reached it whether it spent a token. */
function createDistantStore(
  agenda: Agenda,
  random: () => number,
  lossShare: number,
  begin: () => (spent: boolean) => void,
): SharedStore {
  const budgets = createMemoryBudgets({ maximumBuckets: 16 }, agenda.now);
  const oneWayMs = () => ROUND_TRIP_MS.least / 2 + (random() * ROUND_TRIP_MS.spread) / 2;
  return {
    ask: ({ partition, demands }) =>
      new Promise<AdmissionFinding>((resolve) => {
        const onTrip = begin();
        const answer = (finding: AdmissionFinding, afterMs: number) =>
          agenda.after(afterMs, () => {
            resolve(finding);
            agenda.settled();
          });
        const lost = random() < lossShare;
        if (lost) answer({ found: 'nothing', retryAfterSeconds: 1 }, SETTINGS.timeoutMs);
        if (lost && random() < 0.5) return;
        agenda.after(oneWayMs(), () => {
          const settlement: Settlement = budgets.settle(partition ?? '', demands);
          const needed = demands.some(({ need }) => need > 0);
          onTrip(settlement.allowed && needed && !lost);
          if (!lost) answer({ found: 'settled', settlement, changes: null }, oneWayMs());
        });
      }),
  };
}

/** A small generator of evenly spread numbers (mulberry32), so that every run can be had again. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
