import { describe, expect, test } from 'vitest';
import { createLayout } from '../../../lib/archive/layout.ts';
import { createVerifier } from '../../../lib/archive/signature.ts';
import { rangeOf } from '../../../lib/console/audit/range.ts';
import {
  isRunning,
  newVerificationMemo,
  type VerifyTask,
  verifyEvents,
  verifyRange,
} from '../../../lib/console/audit/verification.ts';
import { createMemoryObjectStore } from '../../../lib/storage/memory.ts';
import type { ObjectStore } from '../../../lib/storage/store.ts';
import { signingJwk } from '../archive/fixtures.ts';

function task(store: ObjectStore = createMemoryObjectStore()): VerifyTask {
  return {
    memo: newVerificationMemo(),
    archive: { store, copies: null, layout: createLayout('audit'), verifier: createVerifier([signingJwk]) },
    range: { fromMs: null, toMs: null },
    keptDays: null,
    clock: () => 1_000,
  };
}

const silent: ObjectStore = {
  ...createMemoryObjectStore(),
  list: () => Promise.reject(new Error('down')),
  folders: () => Promise.reject(new Error('down')),
};

describe('a range of the archive', () => {
  test.each<[Record<string, string>, unknown]>([
    [{}, { fromMs: null, toMs: null }],
    [{ from: '1970-01-01T00:00:05' }, { fromMs: 5_000, toMs: null }],
    [
      { from: '5', to: '7' },
      { fromMs: 5_000, toMs: 7_000 },
    ],
    [{ from: '7', to: '7' }, 'The range ends before it begins.'],
    [{ to: 'now' }, 'A time has the form 2026-11-27 14:03:27.'],
  ])('of %j is %j', (form, expected) => {
    expect(rangeOf(new URLSearchParams(form))).toEqual(expected);
  });
});

describe('a verification', () => {
  test('is remembered with what it found', async () => {
    const one = task();
    await verifyRange(one, () => {});
    expect(one.memo.last).toMatchObject({ report: { integrity: 'intact', batches: 0 }, atMs: 1_000 });
    expect(one.memo.aliveMs).toBeNull();
  });

  test('ends its lines with done, or with failed where the archive is down', async () => {
    expect(await new Response(verifyEvents(task())).text()).toBe('{"state":"done"}\n');
    const down = task(silent);
    expect(await new Response(verifyEvents(down)).text()).toBe('{"state":"failed"}\n');
    expect(down.memo).toEqual({ last: null, aliveMs: null });
  });

  test('counts as running until it was silent for a minute', () => {
    expect(isRunning({ last: null, aliveMs: null }, 5)).toBe(false);
    expect(isRunning({ last: null, aliveMs: 5 }, 60_004)).toBe(true);
    expect(isRunning({ last: null, aliveMs: 5 }, 60_005)).toBe(false);
  });
});
