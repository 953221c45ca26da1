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
function day(burst: number): Budget {
  return { ...budget(0, burst, 'general-day'), period: 'day' };
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
    expect(msUntilToken(spent?.missing ?? 0, of, NOW)).toBe(waitMs);
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
    expect(refill(spent, of, NOW - 3_600_000)).toEqual(spent);
  });

  test('a lowered burst empties a bucket, a raised one does not fill it', () => {
    const { buckets } = settle([undefined], [exactly(budget(60, 100))], NOW);
    expect(stateOf(budget(60, 1), buckets[0]?.missing ?? 0, NOW).remaining).toBe(0);
    expect(stateOf(budget(60, 200), buckets[0]?.missing ?? 0, NOW).remaining).toBe(199);
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
    expect(stateOf(budget(60, 60), missing, NOW)).toEqual({
      name: 'general',
      quota: 60,
      windowSeconds: 60,
      remaining,
      resetSeconds,
    });
  });

  test('a bucket is full when nothing is missing', () => {
    expect(msUntilFull(0, budget(60, 60), NOW)).toBe(0);
    expect(msUntilFull(PARTS_PER_TOKEN, budget(60, 60), NOW)).toBe(1_000);
  });
});

describe('quotas by the calendar', () => {
  const month: Budget = { ...budget(0, 3, 'general-month'), period: 'month' };
  const spend = (of: Budget, atMs: readonly number[]) => {
    let bucket: Bucket | undefined;
    return atMs.map((nowMs) => {
      const { settlement, buckets } = settle([bucket], [exactly(of)], nowMs);
      bucket = buckets[0];
      return settlement.allowed;
    });
  };
  const at = (text: string) => Date.parse(text);

  test.each<[string, Budget, readonly string[], readonly boolean[]]>([
    [
      'a day ends at midnight UTC',
      day(1),
      ['2026-11-27T00:00:00Z', '2026-11-27T23:59:59.999Z', '2026-11-28T00:00:00Z'],
      [true, false, true],
    ],
    [
      'a month ends with its last day',
      { ...month, burst: 1 },
      ['2026-02-01T00:00:00Z', '2026-02-28T23:59:59.999Z', '2026-03-01T00:00:00Z'],
      [true, false, true],
    ],
    [
      'a leap year has one day more',
      { ...month, burst: 1 },
      ['2028-02-28T12:00:00Z', '2028-02-29T23:59:59.999Z', '2028-03-01T00:00:00Z'],
      [true, false, true],
    ],
    [
      'a year ends with its last month',
      { ...month, burst: 1 },
      ['2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00Z', '2027-01-31T23:59:59.999Z'],
      [true, true, false],
    ],
    [
      // 2016-12-31T23:59:60Z: Unix time steps back by a second just after midnight.
      'a leap second that repeats the last second of a day begins no day twice',
      day(1),
      ['2016-12-31T23:59:59.900Z', '2017-01-01T00:00:00.100Z', '2016-12-31T23:59:59.500Z', '2017-01-01T00:00:00.200Z'],
      [true, true, false, false],
    ],
  ])('%s', (_, of, times, allowed) => {
    expect(spend(of, times.map(at))).toEqual(allowed);
  });

  test('nothing flows back within the period, and Retry-After is its end', () => {
    const noon = at('2026-11-27T12:00:00Z');
    expect(spend(day(2), [noon, noon + 1, noon + 3_600_000, noon + 43_199_999])).toEqual([true, true, false, false]);
    expect(msUntilToken(2 * PARTS_PER_TOKEN, day(2), noon)).toBe(43_200_000);
    expect(stateOf(day(2), 2 * PARTS_PER_TOKEN, noon)).toEqual({
      name: 'general-day',
      quota: 2,
      windowSeconds: 86_400,
      remaining: 0,
      resetSeconds: 43_200,
    });
    expect(stateOf(month, 0, at('2026-02-27T00:00:00Z'))).toMatchObject({ windowSeconds: 28 * 86_400, remaining: 3 });
  });

  test('another quota in mid-day counts what is used already', () => {
    const noon = at('2026-11-27T12:00:00Z');
    const { buckets } = settle([{ ...idle(noon), missing: 80 * PARTS_PER_TOKEN }], [exactly(day(100))], noon);
    expect(stateOf(day(1_000), buckets[0]?.missing ?? 0, noon).remaining).toBe(919);
    expect(stateOf(day(50), buckets[0]?.missing ?? 0, noon).remaining).toBe(0);
    expect(settle(buckets, [exactly(day(50))], noon).settlement.allowed).toBe(false);
  });

  test('a lease does not live into the next period', () => {
    const late = at('2026-11-27T23:59:59Z');
    const { buckets } = settle([undefined], [leasing(day(1_000), 40)], late);
    const renewal = leasing(day(1_000), 0, { window: windowOf(late), used: 10, left: 30 });
    const [next] = settle(buckets, [renewal], late + 2_000).buckets;
    expect(next).toMatchObject({ missing: 0, leasedBefore: 0, leasedNow: 0 });
  });
});

function idle(atMs: number): Bucket {
  return { missing: 0, atMs, leasedBefore: 0, leasedNow: 0, holdersBefore: 0, holdersNow: 0 };
}

describe('leases', () => {
  test('a new holder gets at most the upper half of the bucket ÷ (2 × holders)', () => {
    expect(play([leasing(budget(60, 100), 80)])).toEqual([25]);
    const many = Array.from({ length: 4 }, () => leasing(budget(60, 100), 80));
    expect(play(many)).toEqual([25, 6, 3, 2]);
  });

  test('a holder that comes again in the same window is counted once', () => {
    const of = budget(60, 100);
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

  test.each([
    [budget(1, 1), 0],
    [budget(1, 40), 0],
    [budget(29, 128), 0],
    [budget(29, 148), 10],
    [day(128), 0],
    [day(148), 10],
  ])('the last tokens of a slow budget are never leased: %j', (of, most) => {
    expect(play([leasing(of, 100)])).toEqual([most]);
  });

  test('tokens that are given back are in the bucket again, once, and only while the store knows of them', () => {
    const of = day(1_000);
    const [leased] = settle([undefined], [leasing(of, 40)], NOW).buckets;
    expect(leased).toMatchObject({ missing: 40 * PARTS_PER_TOKEN, leasedNow: 40 });
    const back = leasing(of, 0, { window: windowOf(NOW), used: 5, left: 5, back: 30 });
    const [returned] = settle([leased], [back], NOW).buckets;
    expect(returned).toMatchObject({ missing: 10 * PARTS_PER_TOKEN, leasedNow: 5 });
    const [again] = settle([returned], [back], NOW).buckets;
    expect(again).toMatchObject({ missing: 10 * PARTS_PER_TOKEN, leasedNow: 0 });
    const [moved] = settle([leased], [back], NOW + LEASE_WINDOW_MS).buckets;
    expect(moved).toMatchObject({ missing: 10 * PARTS_PER_TOKEN, leasedBefore: 0, leasedNow: 5 });
    const [late] = settle([leased], [back], NOW + 2 * LEASE_WINDOW_MS).buckets;
    expect(late).toMatchObject({ missing: 40 * PARTS_PER_TOKEN, leasedNow: 0 });
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
    const of = budget(60_000, 200);
    const { buckets } = settle([undefined], [leasing(of, 40)], NOW);
    const [leased] = buckets;
    // A second refills a thousand tokens, but not these forty.
    expect(refill(leased, of, NOW + 1_000).missing).toBe(40 * PARTS_PER_TOKEN);
    expect(refill(leased, of, NOW + 2 * LEASE_WINDOW_MS - 1).missing).toBe(40 * PARTS_PER_TOKEN);
    expect(refill(leased, of, NOW + 2 * LEASE_WINDOW_MS + 40).missing).toBe(0);
    const reported = settle([leased], [leasing(of, 1, { window: windowOf(NOW), used: 40, left: 0 })], NOW + 1_000);
    expect(refill(reported.buckets[0], of, NOW + 1_040).missing).toBe(PARTS_PER_TOKEN);
  });

  test('what is left of a lease moves to the present window when it is renewed, and only once', () => {
    const of = budget(60, 200);
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
