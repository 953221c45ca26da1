import { expect, test } from 'vitest';
import type { BudgetState } from '../../../lib/decision/outcome.ts';
import { rateLimitFields } from '../../../lib/limit/rate-limit-fields.ts';

function state(name: string, remaining: number, resetSeconds: number, quota = 60, windowSeconds = 60): BudgetState {
  return {
    name,
    quota,
    windowSeconds,
    remaining,
    resetSeconds,
  };
}

test('one budget', () => {
  expect(rateLimitFields([state('general', 59, 1)])).toEqual([
    ['RateLimit-Policy', '"general";q=60;w=60'],
    ['RateLimit', '"general";r=59;t=1'],
  ]);
});

test('all policies and the tightest limit', () => {
  expect(rateLimitFields([state('general', 50, 10), state('heavy', 3, 7, 10)])).toEqual([
    ['RateLimit-Policy', '"general";q=60;w=60, "heavy";q=10;w=60'],
    ['RateLimit', '"heavy";r=3;t=7'],
  ]);
});

test('a quota of the day is a policy of its own', () => {
  const states = [state('general', 50, 10), state('general-day', 12, 3_600, 5_000, 86_400)];
  expect(rateLimitFields(states)).toEqual([
    ['RateLimit-Policy', '"general";q=60;w=60, "general-day";q=5000;w=86400'],
    ['RateLimit', '"general-day";r=12;t=3600'],
  ]);
});

test('of two with nothing left the one that takes longer', () => {
  expect(rateLimitFields([state('general', 0, 2), state('heavy', 0, 6, 10)])[1]).toEqual([
    'RateLimit',
    '"heavy";r=0;t=6',
  ]);
  expect(rateLimitFields([state('general', 0, 9), state('heavy', 0, 6, 10)])[1]?.[1]).toBe('"general";r=0;t=9');
});

test('no budgets, no fields', () => {
  expect(rateLimitFields([])).toEqual([]);
});
