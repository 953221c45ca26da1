import { describe, expect, test } from 'vitest';
import type { Budget } from '../../../../lib/decision/outcome.ts';
import { LEASE_WINDOW_MS, type LeaseGrant, PARTS_PER_TOKEN, windowOf } from '../../../../lib/limit/budgets.ts';
import { noteUse } from '../../../../lib/limit/demand-meter.ts';
import {
  answered,
  demandOf,
  emptyForMs,
  isRefillDue,
  isStray,
  lost,
  noteStore,
  stateIn,
} from '../../../../lib/limit/lease/lease.ts';
import {
  createLease,
  type Lease,
  leftOn,
  reserve,
  returnReserved,
  underFigures,
  useReserved,
} from '../../../../lib/limit/lease/lease-tokens.ts';

/** The middle of a window of the store, whose clock is an hour ahead. */
const NOW = 170_000_000 * LEASE_WINDOW_MS + 5_000;
const AHEAD = 3_600_000;
const GRACE_MS = 400;
const budget: Budget = { name: 'general', perMinute: 600, burst: 100, onError: 'local' };

/** An answer to what was asked at `NOW`, so much later. */
function heard(afterMs = 0) {
  return { storeMs: NOW + AHEAD, askedAtMs: NOW, nowMs: NOW + afterMs };
}

/** Uses it so often that it is worth a lease. */
function busy(lease: Lease, untilMs: number): void {
  for (let i = 40; i >= 0; i--) noteUse(lease.meter, untilMs - i * 50);
}

/** Asks for a lease at `nowMs` and is granted `granted` tokens out of a bucket that has them. */
function granted(lease: Lease, count: number, nowMs: number, grant?: LeaseGrant) {
  const { demand, ticket } = demandOf(lease, budget, 0, nowMs, nowMs + GRACE_MS);
  expect(ticket).toBeGreaterThan(0);
  const times = { storeMs: nowMs + AHEAD, askedAtMs: nowMs, nowMs: nowMs + 20, graceMs: GRACE_MS };
  answered(lease, demand, grant ?? { granted: count, missing: count * PARTS_PER_TOKEN }, ticket, times);
  return demand;
}

function leased(count: number, grant?: LeaseGrant): Lease {
  const lease = createLease(budget);
  busy(lease, NOW);
  granted(lease, count, NOW, grant);
  return lease;
}

/** How many tokens can be set aside at once. */
function available(lease: Lease, nowMs: number): number {
  let count = 0;
  while (reserve(lease, nowMs, nowMs + GRACE_MS)) count += 1;
  for (let i = 0; i < count; i++) returnReserved(lease);
  return count;
}

describe('tokens', () => {
  test('are there as granted, and gone when used', () => {
    const lease = leased(3);
    expect(available(lease, NOW + 20)).toBe(3);
    expect(reserve(lease, NOW + 20, NOW + 500)).toBe(true);
    useReserved(lease);
    expect(available(lease, NOW + 20)).toBe(2);
  });

  test('set aside are not for others, and return', () => {
    const lease = leased(1);
    expect(reserve(lease, NOW + 20, NOW + 500)).toBe(true);
    expect(reserve(lease, NOW + 20, NOW + 500)).toBe(false);
    returnReserved(lease);
    expect(reserve(lease, NOW + 20, NOW + 500)).toBe(true);
  });

  test('set aside for a request that was killed are free again when it must be over', () => {
    const lease = leased(1);
    reserve(lease, NOW + 20, NOW + 500);
    expect(available(lease, NOW + 500)).toBe(0);
    expect(available(lease, NOW + 501)).toBe(1);
  });

  test('of future refill are valid as it flows back, counted from when the answer came', () => {
    // Five tokens beyond an empty bucket: one every 100 ms.
    const lease = leased(5, { granted: 5, missing: (100 + 5) * PARTS_PER_TOKEN });
    const answeredAtMs = NOW + 20;
    expect(available(lease, answeredAtMs + 99)).toBe(0);
    expect(available(lease, answeredAtMs + 100)).toBe(1);
    expect(available(lease, answeredAtMs + 499)).toBe(4);
    expect(available(lease, answeredAtMs + 500)).toBe(5);
  });

  test('end a grace before the windows of the store do', () => {
    const lease = leased(1);
    const storeEndsMs = (windowOf(NOW + AHEAD) + 2) * LEASE_WINDOW_MS - AHEAD;
    expect(available(lease, storeEndsMs - GRACE_MS - 1)).toBe(1);
    expect(available(lease, storeEndsMs - GRACE_MS)).toBe(0);
  });

  test('of a lease that was renewed live on', () => {
    const lease = leased(2);
    const renewedAtMs = NOW + LEASE_WINDOW_MS;
    busy(lease, renewedAtMs);
    expect(granted(lease, 1, renewedAtMs)).toMatchObject({ window: windowOf(NOW + AHEAD), left: 2 });
    expect(available(lease, renewedAtMs + LEASE_WINDOW_MS)).toBe(3);
  });
});

describe('messages', () => {
  test('tell of what was used since the last, once', () => {
    const lease = leased(3);
    reserve(lease, NOW + 20, NOW + 500);
    useReserved(lease);
    expect(granted(lease, 5, NOW + 50)).toMatchObject({ used: 1, left: 2 });
    expect(granted(lease, 5, NOW + 100)).toMatchObject({ used: 0, left: 7 });
  });

  test('never cross: while one is under way a decision asks for its own token only', () => {
    const lease = leased(3);
    demandOf(lease, budget, 0, NOW + 50, NOW + 450);
    const second = demandOf(lease, budget, 1, NOW + 60, NOW + 460);
    expect(second).toEqual({
      demand: { budget, need: 1, want: 0, window: -1, used: 0, left: 0, back: 0 },
      ticket: 0,
    });
    expect(isRefillDue(lease, budget, NOW + 60)).toBe(false);
  });

  test('that were lost are never repeated; the lease goes on unspoken of', () => {
    const lease = leased(3);
    const { ticket } = demandOf(lease, budget, 0, NOW + 50, NOW + 450);
    lost(lease, ticket);
    expect(available(lease, NOW + 60)).toBe(3);
    const next = demandOf(lease, budget, 0, NOW + 100, NOW + 500).demand;
    expect(next).toMatchObject({ window: -1, used: 0, left: 0, back: 0 });
  });

  test('after a loss begin a new lease without the tokens of the old', () => {
    const lease = leased(3);
    lost(lease, demandOf(lease, budget, 0, NOW + 50, NOW + 450).ticket);
    reserve(lease, NOW + 60, NOW + 460);
    granted(lease, 4, NOW + 100);
    expect(available(lease, NOW + 120)).toBe(4);
    useReserved(lease); // Set aside before: went with the old lease.
    expect(available(lease, NOW + 120)).toBe(4);
  });

  test('whose answer comes after they were given up are not believed', () => {
    const lease = leased(3);
    const late = demandOf(lease, budget, 0, NOW + 50, NOW + 450);
    demandOf(lease, budget, 0, NOW + 460, NOW + 860);
    const times = { storeMs: NOW + AHEAD, askedAtMs: NOW + 50, nowMs: NOW + 470, graceMs: GRACE_MS };
    answered(lease, late.demand, { granted: 50, missing: 0 }, late.ticket, times);
    expect(available(lease, NOW + 480)).toBe(3);
    expect(lease.window).toBe(-1);
  });
});

describe('when to ask', () => {
  test('rarely used and scarce: for each decision', () => {
    const lease = createLease(budget);
    noteStore(lease, budget, { granted: 0, missing: 90 * PARTS_PER_TOKEN }, heard());
    for (let i = 0; i < 20; i++) {
      const nowMs = NOW + i * 30_000;
      noteUse(lease.meter, nowMs);
      expect(demandOf(lease, budget, 1, nowMs, nowMs + GRACE_MS)).toMatchObject({ demand: { want: 0 }, ticket: 0 });
    }
  });

  test('at the first use: for a few, so that an isolate of a short life waits once', () => {
    const lease = createLease(budget);
    noteUse(lease.meter, NOW);
    const { want } = demandOf(lease, budget, 1, NOW, NOW + GRACE_MS).demand;
    expect(want).toBeGreaterThan(0);
    expect(want).toBeLessThanOrEqual(3);
  });

  test('of a slow and small budget: never', () => {
    const slow = { ...budget, perMinute: 1, burst: 40 };
    const lease = createLease(slow);
    busy(lease, NOW);
    expect(demandOf(lease, slow, 1, NOW, NOW + GRACE_MS)).toMatchObject({ demand: { want: 0 }, ticket: 0 });
  });

  test('often used: for what it uses in some seconds', () => {
    const lease = createLease(budget);
    busy(lease, NOW); // Twenty a second.
    const { want } = demandOf(lease, budget, 1, NOW, NOW + GRACE_MS).demand;
    expect(want).toBeGreaterThanOrEqual(20);
    expect(want).toBeLessThanOrEqual(40);
  });

  test('where tokens are scarce it takes more to begin a lease', () => {
    const demand = (scarce: boolean) => {
      const lease = createLease(budget);
      noteUse(lease.meter, NOW);
      noteStore(lease, budget, { granted: 0, missing: (scarce ? 90 : 10) * PARTS_PER_TOKEN }, heard());
      return demandOf(lease, budget, 1, NOW, NOW + GRACE_MS).demand.want;
    };
    expect(demand(false)).toBeGreaterThan(0);
    expect(demand(true)).toBe(0);
  });

  test('again when little is left, or the lease is soon over', () => {
    const lease = leased(30);
    expect(isRefillDue(lease, budget, NOW + 30)).toBe(false);
    expect(isRefillDue(lease, budget, lease.expiresAtMs - 2_000)).toBe(true);
    for (let i = 0; i < 25; i++) {
      reserve(lease, NOW + 30, NOW + 500);
      useReserved(lease);
    }
    busy(lease, NOW + 200);
    expect(isRefillDue(lease, budget, NOW + 200)).toBe(true);
  });
});

describe('what is not needed goes back', () => {
  test('when the caller comes seldom now', () => {
    const lease = leased(30);
    const laterMs = NOW + 9_000;
    lease.meter.uses = 0;
    noteUse(lease.meter, laterMs);
    lease.meter.uses = 0.1;
    expect(isRefillDue(lease, budget, laterMs)).toBe(true);
    const { demand, ticket } = demandOf(lease, budget, 0, laterMs, laterMs + GRACE_MS);
    expect(ticket).toBeGreaterThan(0);
    expect(demand).toMatchObject({ want: 0, left: 0, back: 30, window: windowOf(NOW + AHEAD) });
    expect(available(lease, laterMs)).toBe(0);
  });

  test('but not what is set aside for a decision', () => {
    const lease = leased(30);
    reserve(lease, NOW + 20, NOW + 20_000);
    const { demand } = demandOf(lease, budget, 0, NOW + 6_000, NOW + 6_400, true);
    expect(demand).toMatchObject({ want: 0, left: 1, back: 29 });
    useReserved(lease);
    expect(leftOn(lease)).toBe(0);
  });

  test('when nobody came for a while, and before the lease ends', () => {
    const lease = leased(3);
    expect(isStray(lease, NOW + 1_000)).toBe(false);
    expect(isStray(lease, NOW + 6_000)).toBe(true);
    expect(isStray(lease, lease.expiresAtMs)).toBe(false);
  });

  test('when the budget has other figures, as after a change of plan', () => {
    const lease = leased(30);
    underFigures(lease, { ...budget, burst: 10 });
    expect(available(lease, NOW + 20)).toBe(0);
    expect(demandOf(lease, budget, 1, NOW + 20, NOW + 420).demand).toMatchObject({ back: 30, left: 0 });
  });
});

describe('a quota of the day', () => {
  const quota: Budget = { name: 'general-day', perMinute: 0, burst: 1_000, period: 'day', onError: 'local' };
  const midnight = Date.parse('2026-11-28T00:00:00Z');
  const times = (nowMs: number) => ({ storeMs: nowMs, askedAtMs: nowMs, nowMs, graceMs: GRACE_MS });

  test('is leased until a grace before midnight of the store', () => {
    const lease = createLease(quota);
    const nowMs = midnight - 5_000;
    busy(lease, nowMs);
    const { demand, ticket } = demandOf(lease, quota, 0, nowMs, nowMs + GRACE_MS);
    answered(lease, demand, { granted: 20, missing: 500 * PARTS_PER_TOKEN }, ticket, times(nowMs));
    expect(available(lease, nowMs)).toBe(20);
    expect(lease.expiresAtMs).toBe(midnight - GRACE_MS);
    expect(available(lease, midnight - GRACE_MS)).toBe(0);
  });

  test('that is spent is asked for again after seconds, and refused until midnight', () => {
    const lease = createLease(quota);
    const nowMs = midnight - 3_600_000;
    noteStore(lease, quota, { granted: 0, missing: 1_000 * PARTS_PER_TOKEN }, times(nowMs));
    expect(emptyForMs(lease, nowMs)).toBe(5_000);
    expect(lease.refillsAtMs).toBe(midnight);
    expect(stateIn(lease, quota, nowMs)).toMatchObject({ remaining: 0, resetSeconds: 3_600 });
    expect(stateIn(lease, quota, midnight)).toMatchObject({ remaining: 1_000 });
  });
});

describe('emptiness', () => {
  test('is known until a token can be there, by the time at which the trip began', () => {
    const lease = createLease(budget);
    noteStore(lease, budget, { granted: 0, missing: 100 * PARTS_PER_TOKEN }, heard(80));
    expect(emptyForMs(lease, NOW + 80)).toBe(20);
    expect(emptyForMs(lease, NOW + 100)).toBe(0);
  });

  test('ends earlier where a leased token becomes valid', () => {
    const lease = leased(2, { granted: 2, missing: 110 * PARTS_PER_TOKEN });
    noteStore(lease, budget, { granted: 2, missing: 110 * PARTS_PER_TOKEN }, heard(20));
    expect(emptyForMs(lease, NOW + 20)).toBe(900);
  });

  test('is told as nothing left', () => {
    const lease = createLease(budget);
    noteStore(lease, budget, { granted: 0, missing: 120 * PARTS_PER_TOKEN }, heard());
    expect(stateIn(lease, budget, NOW)).toMatchObject({ remaining: 0, resetSeconds: 3 });
  });
});
