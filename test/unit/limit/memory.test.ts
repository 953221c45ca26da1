import { expect, test } from 'vitest';
import type { Budget } from '../../../lib/decision/outcome.ts';
import { exactly } from '../../../lib/limit/budgets.ts';
import { createMemoryBudgets } from '../../../lib/limit/memory.ts';

const general: Budget = { name: 'general', perMinute: 60, burst: 1, onError: 'local' };
const heavy: Budget = { name: 'heavy', perMinute: 60, burst: 1, onError: 'local' };

function withClock(maximumBuckets: number) {
  const time = { ms: 1_800_000_000_000 };
  return { time, budgets: createMemoryBudgets({ maximumBuckets }, () => time.ms) };
}

test('partitions and budgets do not share', () => {
  const { budgets } = withClock(10);
  expect(budgets.settle('a', [exactly(general)]).allowed).toBe(true);
  expect(budgets.settle('a', [exactly(general)]).allowed).toBe(false);
  expect(budgets.settle('b', [exactly(general)]).allowed).toBe(true);
  expect(budgets.settle('a', [exactly(heavy)]).allowed).toBe(true);
});

test('an exhausted bucket is never dropped for a newcomer', () => {
  const { budgets, time } = withClock(2);
  budgets.settle('a', [exactly(general)]);
  for (let i = 0; i < 100; i++) {
    time.ms += 1;
    budgets.settle(`other-${i}`, [exactly(general)]);
  }
  expect(budgets.settle('a', [exactly(general)]).allowed).toBe(false);
});

test('without room a newcomer is refused for a second, and let in when buckets have refilled', () => {
  const { budgets, time } = withClock(1);
  budgets.settle('a', [exactly(general)]);
  const refused = budgets.settle('b', [exactly(general)]);
  expect(refused).toMatchObject({ allowed: false, grants: [{ granted: 0 }] });
  time.ms += 1_000;
  expect(budgets.settle('b', [exactly(general)]).allowed).toBe(true);
});

test('looking at a full bucket takes no room', () => {
  const { budgets } = withClock(1);
  for (let i = 0; i < 10; i++) budgets.settle(`p-${i}`, [{ ...exactly(general), need: 0 }]);
  expect(budgets.settle('a', [exactly(general)]).allowed).toBe(true);
});
