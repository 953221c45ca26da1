import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Budget } from '../../../lib/decision/outcome.ts';
import {
  type Bucket,
  type Demand,
  exactly,
  LEASE_HORIZON_MS,
  LEASE_WINDOW_MS,
  msUntilFull,
  msUntilToken,
  PARTS_PER_TOKEN,
  partsUntilFirst,
  refill,
  settle,
  stateOf,
  windowOf,
} from '../../../lib/limit/budgets.ts';

const NOW = 170_000_000 * LEASE_WINDOW_MS;
function budget(perMinute: number, burst: number, name = 'general'): Budget {
  return {
    name,
    perMinute,
    burst,
    onError: 'local',
  };
}
function leasing(of: Budget, want: number, lease: Partial<Demand> = {}): Demand {
  return {
    ...exactly(of),
    need: 0,
    want,
    ...lease,
  };
}

/** Settles one demand after the other on one bucket. */
function play(demands: readonly Demand[], atMs = NOW) {
  let bucket: Bucket | undefined;
  return demands.map((demand) => {
    const { settlement, buckets } = settle([bucket], [demand], atMs);
    bucket = buckets[0];
    return settlement.grants[0]?.granted ?? Number.NaN;
  });
}

describe('spending', () => {
  test('a full bucket lets exactly its burst pass at once', () => {
    const of = budget(60, 3);
    let bucket: Bucket | undefined;
    const allowed = Array.from({ length: 5 }, () => {
      const { settlement, buckets } = settle([bucket], [exactly(of)], NOW);
      bucket = buckets[0];
      return settlement.allowed;
    });
    expect(allowed).toEqual([true, true, true, false, false]);
  });

  test.each([
    [60, 1_000],
    [600, 100],
    [60_000, 1],
    [7, 8_572], // 60,000 / 7, rounded up: not a millisecond early
  ])('%i a minute give one token back after %i ms and not before', (perMinute, waitMs) => {
    const of = budget(perMinute, 1);
    const { buckets } = settle([undefined], [exactly(of)], NOW);
    const [spent] = buckets;
    expect(settle([spent], [exactly(of)], NOW + waitMs - 1).settlement.allowed).toBe(false);
    expect(settle([spent], [exactly(of)], NOW + waitMs).settlement.allowed).toBe(true);
    expect(msUntilToken(spent?.missing ?? 0, of)).toBe(waitMs);
  });

  test('a request that one budget refuses spends from none', () => {
    const [general, heavy] = [budget(60, 5), budget(60, 1, 'heavy')];
    const first = settle([undefined, undefined], [exactly(general), exactly(heavy)], NOW);
    expect(first.settlement.allowed).toBe(true);
    const second = settle(first.buckets, [exactly(general), exactly(heavy)], NOW);
    expect(second.settlement.allowed).toBe(false);
    expect(second.settlement.grants).toEqual(first.settlement.grants);
  });

  test('time that runs backwards gives nothing back and takes nothing away', () => {
    const of = budget(60, 2);
    const { buckets } = settle([undefined], [exactly(of)], NOW);
    const [spent] = buckets;
    expect(refill(spent, 60, NOW - 3_600_000)).toEqual(spent);
  });

  test('a lowered burst empties a bucket, a raised one does not fill it', () => {
    const { buckets } = settle([undefined], [exactly(budget(60, 100))], NOW);
    expect(stateOf(budget(60, 1), buckets[0]?.missing ?? 0).remaining).toBe(0);
    expect(stateOf(budget(60, 200), buckets[0]?.missing ?? 0).remaining).toBe(199);
  });
});

describe('telling', () => {
  test.each([
    [0, 60, 1],
    [PARTS_PER_TOKEN, 59, 1],
    [PARTS_PER_TOKEN * 30, 30, 30],
    [PARTS_PER_TOKEN * 59 + 1, 0, 1],
    [PARTS_PER_TOKEN * 60, 0, 1],
    [PARTS_PER_TOKEN * 62, 0, 3],
  ])('%i parts missing of 60: %i left, %i s', (missing, remaining, resetSeconds) => {
    expect(stateOf(budget(60, 60), missing)).toEqual({
      name: 'general',
      perMinute: 60,
      burst: 60,
      remaining,
      resetSeconds,
    });
  });

  test('a bucket is full when nothing is missing', () => {
    expect(msUntilFull(0, budget(60, 60))).toBe(0);
    expect(msUntilFull(PARTS_PER_TOKEN, budget(60, 60))).toBe(1_000);
  });
});

describe('leases', () => {
  test('a holder gets at most what is in the bucket ÷ (2 × holders)', () => {
    expect(play([leasing(budget(60, 100), 80)])).toEqual([50]);
    const many = Array.from({ length: 4 }, () => leasing(budget(60, 100), 80));
    expect(play(many)).toEqual([50, 12, 6, 4]);
  });

  test('a holder that comes again in the same window is counted once', () => {
    const of = budget(6, 100);
    const again = { window: windowOf(NOW), used: 10, left: 0 };
    expect(play([leasing(of, 10), leasing(of, 10, again), leasing(of, 10, again)])).toEqual([10, 10, 10]);
    const { buckets } = settle([undefined], [leasing(of, 10)], NOW);
    expect(settle(buckets, [leasing(of, 10, again)], NOW).buckets[0]?.holdersNow).toBe(1);
  });

  test('a holder whose bucket the store has lost is a holder all the same', () => {
    const of = budget(60, 1);
    const again = leasing(of, 3, { need: 1, window: windowOf(NOW), used: 2, left: 1 });
    expect(settle([undefined], [again], NOW).settlement.grants).toEqual([{ granted: 1, missing: 2 * PARTS_PER_TOKEN }]);
  });

  test('a small bucket is not leased at all', () => {
    expect(play([leasing(budget(1, 1), 10)])).toEqual([0]);
  });

  test('from an empty bucket a holder gets its share of the refill to come, valid as it flows back', () => {
    const of = budget(600, 100);
    const empty: Bucket = {
      missing: 100 * PARTS_PER_TOKEN,
      atMs: NOW,
      leasedBefore: 0,
      leasedNow: 0,
      holdersBefore: 2,
      holdersNow: 0,
    };
    const { settlement } = settle([empty], [leasing(of, 50)], NOW);
    const [grant] = settlement.grants;
    expect(grant).toEqual({ granted: 10, missing: 110 * PARTS_PER_TOKEN });
    expect(partsUntilFirst(grant ?? { missing: 0, granted: 0 }, of)).toBe(100 * of.perMinute);
  });

  test('no more than the horizon is ever leased ahead', () => {
    const of = budget(600, 100);
    const lean: Bucket = {
      missing: 100 * PARTS_PER_TOKEN + of.perMinute * LEASE_HORIZON_MS - PARTS_PER_TOKEN,
      atMs: NOW,
      leasedBefore: 0,
      leasedNow: 0,
      holdersBefore: 1,
      holdersNow: 0,
    };
    expect(settle([lean], [leasing(of, 50)], NOW).settlement.grants[0]?.granted).toBe(1);
  });

  test('tokens on lease keep missing until they are reported or their windows are over', () => {
    const of = budget(60_000, 100);
    const { buckets } = settle([undefined], [leasing(of, 40)], NOW);
    const [leased] = buckets;
    // A second refills a thousand tokens, but not these forty.
    expect(refill(leased, of.perMinute, NOW + 1_000).missing).toBe(40 * PARTS_PER_TOKEN);
    expect(refill(leased, of.perMinute, NOW + 2 * LEASE_WINDOW_MS - 1).missing).toBe(40 * PARTS_PER_TOKEN);
    expect(refill(leased, of.perMinute, NOW + 2 * LEASE_WINDOW_MS + 40).missing).toBe(0);
    const reported = settle([leased], [leasing(of, 1, { window: windowOf(NOW), used: 40, left: 0 })], NOW + 1_000);
    expect(refill(reported.buckets[0], of.perMinute, NOW + 1_040).missing).toBe(PARTS_PER_TOKEN);
  });

  test('what is left of a lease moves to the present window when it is renewed, and only once', () => {
    const of = budget(6, 100);
    const [leased] = settle([undefined], [leasing(of, 40)], NOW).buckets;
    const renewal = leasing(of, 1, { window: windowOf(NOW), used: 30, left: 10 });
    const [renewed] = settle([leased], [renewal], NOW + LEASE_WINDOW_MS).buckets;
    expect(renewed).toMatchObject({ leasedBefore: 0, leasedNow: 11 });
    const [again] = settle([renewed], [renewal], NOW + LEASE_WINDOW_MS).buckets;
    expect(again?.leasedBefore).toBe(0);
  });
});

test('between any two instants no more than the burst and the refill is spent, whatever the order and rate', () => {
  const interleaving = fc.record({
    perMinute: fc.integer({ min: 1, max: 100_000 }),
    burst: fc.integer({ min: 1, max: 200 }),
    pausesMs: fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 120 }),
  });
  fc.assert(
    fc.property(interleaving, ({ perMinute, burst, pausesMs }) => {
      const of = budget(perMinute, burst);
      let bucket: Bucket | undefined;
      let nowMs = NOW;
      const spentAt: number[] = [];
      for (const pauseMs of pausesMs) {
        nowMs += pauseMs;
        const { settlement, buckets } = settle([bucket], [exactly(of)], nowMs);
        bucket = buckets[0];
        if (settlement.allowed) spentAt.push(nowMs);
      }
      for (const [i, fromMs] of spentAt.entries()) {
        for (const [j, toMs] of spentAt.entries()) {
          if (j >= i) expect((j - i + 1 - burst) * PARTS_PER_TOKEN).toBeLessThanOrEqual((toMs - fromMs) * perMinute);
        }
      }
    }),
    { seed: 3, numRuns: 200 },
  );
});
