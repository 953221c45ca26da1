import { expect, test } from 'vitest';
import type { Budget } from '../../../lib/decision/outcome.ts';
import { PARTS_PER_TOKEN } from '../../../lib/limit/budgets.ts';
import { createFallback, refuserOf } from '../../../lib/limit/fallback.ts';

const general: Budget = { name: 'general', perMinute: 60, burst: 10, onError: 'local' };
const heavy: Budget = { name: 'heavy', perMinute: 6, burst: 2, onError: 'open' };
const asked = { partition: 'p', revocationUnknown: false, retryAfterSeconds: 7 };

test('the budget that refused is named, not one that was leased ahead on the same trip', () => {
  const grants = [
    { missing: 15 * PARTS_PER_TOKEN, granted: 10 },
    { missing: 2 * PARTS_PER_TOKEN, granted: 0 },
  ];
  const settlement = { allowed: false, nowMs: 0, grants };
  const quick = { ...heavy, perMinute: 60 };
  expect(refuserOf([general, quick], settlement)).toEqual({ budget: 'heavy', retryAfterSeconds: 1 });
});

test('of two that refuse the one that takes longest is named', () => {
  const grants = [
    { missing: 10 * PARTS_PER_TOKEN, granted: 0 },
    { missing: 2 * PARTS_PER_TOKEN, granted: 0 },
  ];
  const settlement = { allowed: false, nowMs: 0, grants };
  expect(refuserOf([general, heavy], settlement)).toEqual({ budget: 'heavy', retryAfterSeconds: 10 });
});

test('a local budget is counted and told, an open one neither', () => {
  const fallback = createFallback({ revocationOnError: 'closed', maximumBuckets: 10 }, () => 1_800_000_000_000);
  expect(fallback({ ...asked, budgets: [general, heavy] })).toEqual({
    outcome: 'admitted',
    budgets: [{ name: 'general', quota: 60, windowSeconds: 60, remaining: 9, resetSeconds: 1 }],
    degraded: ['limits_local', 'limits_open'],
  });
});

test('where nothing was asked of it, nothing is degraded', () => {
  const fallback = createFallback({ revocationOnError: 'closed', maximumBuckets: 10 }, () => 1_800_000_000_000);
  expect(fallback({ ...asked, partition: null, budgets: [] })).toEqual({
    outcome: 'admitted',
    budgets: [],
    degraded: [],
  });
});
