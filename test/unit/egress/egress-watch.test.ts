import { expect, test } from 'vitest';
import { EgressRefused } from '../../../lib/decision/egress-refused.ts';
import { createEgressWatch } from '../../../lib/egress/watch.ts';

test('every refusal is counted, each place and reason told once, and nobody fills the log with places', () => {
  const told: unknown[] = [];
  const watch = createEgressWatch((level, event, facts) => void told.push([level, event, facts?.host, facts?.why]));
  for (let turn = 0; turn < 3; turn++) watch.note(new EgressRefused('169.254.169.254', 'redirect to another origin'));
  watch.note(new EgressRefused('169.254.169.254', 'not in the configuration'));
  expect(watch.count()).toBe(4);
  expect(told).toEqual([
    ['error', 'egress_refused', '169.254.169.254', 'redirect to another origin'],
    ['error', 'egress_refused', '169.254.169.254', 'not in the configuration'],
  ]);
  for (let turn = 0; turn < 500; turn++) watch.note(new EgressRefused(`host-${turn}.example`, 'redirect'));
  expect([watch.count(), told.length]).toEqual([504, 100]);
});
