import { expect, test } from 'vitest';
import { createFailures } from '../../../lib/limit/failed-authentications.ts';
import { createSharedFailures, type ReportFailures } from '../../../lib/limit/shared-failures.ts';

const NOW = 1_800_000_000_000;
const ADDRESS = 'a';

function under(perMinute: number, answer: ReportFailures) {
  const deferred: Promise<unknown>[] = [];
  const reports: number[] = [];
  const settings = { perMinute, maximumAddresses: 100 };
  const failures = createSharedFailures(settings, createFailures(settings), (address, count) => {
    reports.push(count);
    return answer(address, count);
  });
  const fail = async (times: number, nowMs = NOW, address = ADDRESS) => {
    for (let i = 0; i < times; i++) {
      failures.spend(address, nowMs, { defer: (promise) => void deferred.push(promise) });
      await Promise.all(deferred.splice(0));
    }
  };
  return { failures, reports, fail, exhausted: (nowMs = NOW) => failures.exhausted(ADDRESS, nowMs) };
}

test('an address with few failures costs no trip', async () => {
  const { reports, fail, exhausted } = under(60, async () => ({ failures: 60, resetsInMs: 0 }));
  await fail(2);
  expect(reports).toEqual([]);
  expect(exhausted()).toBeNull();
});

test('failures are reported in steps, and one by one when few are left', async () => {
  let left = 60;
  const { reports, fail } = under(60, async (_, count) => {
    left -= count;
    return { failures: left, resetsInMs: 30_000 };
  });
  await fail(57);
  expect(reports.slice(0, 3)).toEqual([3, 3, 3]);
  expect(reports.slice(-3)).toEqual([1, 1, 1]);
});

test('what others have spent is refused here until the window ends, without a further trip', async () => {
  const { reports, fail, exhausted } = under(60, async () => ({ failures: 0, resetsInMs: 30_000 }));
  await fail(3);
  expect(reports).toEqual([3]);
  expect(exhausted()).toBe(30);
  expect(exhausted(NOW + 29_999)).toBe(1);
  expect(exhausted(NOW + 30_000)).toBeNull();
  expect(reports).toEqual([3]);
});

test('while the store does not answer, this isolate counts for itself, and lets nothing pass beyond', async () => {
  const { fail, exhausted } = under(6, async () => null);
  await fail(5);
  expect(exhausted()).toBeNull();
  await fail(1);
  expect(exhausted()).not.toBeNull();
});

test('one report at a time; what comes meanwhile goes with the next', async () => {
  const answers: (() => void)[] = [];
  const settings = { perMinute: 60, maximumAddresses: 100 };
  const reports: number[] = [];
  const failures = createSharedFailures(settings, createFailures(settings), (_, count) => {
    reports.push(count);
    return new Promise((resolve) => answers.push(() => resolve({ failures: 50, resetsInMs: 0 })));
  });
  const fail = () => failures.spend(ADDRESS, NOW, { defer: () => {} });
  for (let i = 0; i < 10; i++) fail();
  expect(reports).toEqual([3]);
  answers[0]?.();
  await new Promise((resolve) => setImmediate(resolve));
  fail();
  expect(reports).toEqual([3, 8]);
});

test('memory is bounded: of too many addresses the first is forgotten', async () => {
  const { failures, fail } = under(60, async () => ({ failures: 0, resetsInMs: 30_000 }));
  await fail(3);
  expect(failures.exhausted(ADDRESS, NOW)).toBe(30);
  for (let i = 0; i < 100; i++) await fail(1, NOW, `other-${i}`);
  expect(failures.exhausted(ADDRESS, NOW)).toBeNull();
});
