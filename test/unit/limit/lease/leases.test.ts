import { expect, test } from 'vitest';
import type { Budget } from '../../../../lib/decision/outcome.ts';
import { PARTS_PER_TOKEN } from '../../../../lib/limit/budgets.ts';
import { createLeases, type Leases } from '../../../../lib/limit/lease/leases.ts';

const NOW = 1_800_000_000_000;
const general: Budget = { name: 'general', perMinute: 600, burst: 100, onError: 'local' };
const heavy: Budget = { ...general, name: 'heavy' };

/** A caller whose budget the store has just called empty. */
function exhaust(leases: Leases, partition: string, budgets: readonly Budget[] = [general]): void {
  const message = leases.ask(leases.plan(partition, budgets, NOW), NOW);
  const grants = budgets.map(() => ({ missing: 200 * PARTS_PER_TOKEN, granted: 0 }));
  leases.settle(message, { allowed: false, nowMs: NOW, grants }, NOW, NOW);
}

test('what is known of a partition and budget is known of no other', () => {
  const leases = createLeases({ timeoutMs: 150, maximumPartitions: 10 });
  exhaust(leases, 'a');
  expect(leases.plan('a', [general], NOW)).toMatchObject({ kind: 'empty', refuser: { budget: 'general' } });
  expect(leases.plan('a', [heavy], NOW).kind).toBe('ask');
  expect(leases.plan('b', [general], NOW).kind).toBe('ask');
});

test('a request on several budgets is refused by the one that is empty for longest', () => {
  const leases = createLeases({ timeoutMs: 150, maximumPartitions: 10 });
  const slow = { ...heavy, perMinute: 60 };
  exhaust(leases, 'a', [general, slow]);
  expect(leases.plan('a', [general, slow], NOW).refuser).toEqual({ budget: 'heavy', retryAfterSeconds: 101 });
});

test('however many partitions come, memory is bounded and those in use are kept', () => {
  const leases = createLeases({ timeoutMs: 150, maximumPartitions: 10 });
  exhaust(leases, 'kept');
  exhaust(leases, 'dropped');
  for (let i = 0; i < 1_000; i++) {
    leases.plan(`other-${i}`, [general], NOW);
    leases.plan('kept', [general], NOW);
  }
  expect(leases.plan('kept', [general], NOW).kind).toBe('empty');
  expect(leases.plan('dropped', [general], NOW).kind).toBe('ask');
});

test('a message whose answer lacks a grant counts as lost', () => {
  const leases = createLeases({ timeoutMs: 150, maximumPartitions: 10 });
  let plan = leases.plan('a', [general], NOW);
  for (let i = 0; i < 40; i++) plan = leases.plan('a', [general], NOW);
  const message = leases.ask(plan, NOW);
  expect(message.demands[0]?.want).toBeGreaterThan(0);
  leases.settle(message, { allowed: true, nowMs: NOW, grants: [] }, NOW, NOW);
  expect(leases.plan('a', [general], NOW).kind).toBe('ask');
  expect(leases.ask(plan, NOW).demands[0]?.window).toBe(-1);
});
