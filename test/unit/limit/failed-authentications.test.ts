import { expect, test } from 'vitest';
import { createFailures } from '../../../lib/limit/failed-authentications.ts';

const NOW = 1_800_000_000_000;

test('an address may fail so often a minute, then waits; looking costs nothing', () => {
  const failures = createFailures({ perMinute: 3, maximumAddresses: 10 });
  for (let i = 0; i < 3; i++) {
    expect(failures.exhausted('192.0.2.1', NOW)).toBeNull();
    failures.spend('192.0.2.1', NOW);
  }
  expect(failures.exhausted('192.0.2.1', NOW)).toBe(20);
  expect(failures.exhausted('192.0.2.1', NOW + 19_999)).toBe(1);
  expect(failures.exhausted('192.0.2.1', NOW + 20_000)).toBeNull();
});

test('addresses have budgets of their own', () => {
  const failures = createFailures({ perMinute: 1, maximumAddresses: 10 });
  failures.spend('192.0.2.1', NOW);
  expect(failures.exhausted('192.0.2.1', NOW)).not.toBeNull();
  expect(failures.exhausted('192.0.2.2', NOW)).toBeNull();
});

test('failing on while exhausted does not put the end off', () => {
  const failures = createFailures({ perMinute: 60, maximumAddresses: 10 });
  for (let i = 0; i < 500; i++) failures.spend('192.0.2.1', NOW);
  expect(failures.exhausted('192.0.2.1', NOW)).toBe(1);
});

test('however many addresses fail, none gets its budget back early', () => {
  const failures = createFailures({ perMinute: 1, maximumAddresses: 4 });
  failures.spend('192.0.2.1', NOW);
  for (let i = 0; i < 10_000; i++) failures.spend(`2001:db8:0:${i.toString(16)}::/64`, NOW + i);
  expect(failures.exhausted('192.0.2.1', NOW + 10_000)).toBe(50);
});

test('with all places taken an unseen address counts as exhausted, until places are free again', () => {
  const failures = createFailures({ perMinute: 1, maximumAddresses: 2 });
  failures.spend('192.0.2.1', NOW);
  failures.spend('192.0.2.2', NOW);
  expect(failures.exhausted('192.0.2.3', NOW)).toBe(1);
  expect(failures.exhausted('192.0.2.3', NOW + 60_000)).toBeNull();
});

test('0 is off', () => {
  const failures = createFailures({ perMinute: 0, maximumAddresses: 2 });
  for (let i = 0; i < 1_000; i++) failures.spend('192.0.2.1', NOW);
  expect(failures.exhausted('192.0.2.1', NOW)).toBeNull();
});
