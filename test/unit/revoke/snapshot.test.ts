import { describe, expect, test } from 'vitest';
import { NO_VERSION, type RevocationChanges } from '../../../lib/revoke/changes.ts';
import type { RevocationField } from '../../../lib/revoke/revocation.ts';
import { createRevocationSnapshot } from '../../../lib/revoke/snapshot.ts';

const NOW = 1_800_000_000_000;
const LATER = NOW / 1000 + 3600;
let wallMs = NOW;
function snapshot(maximumEntries = 100) {
  return createRevocationSnapshot({ maximumDelayMs: 5_000, maximumEntries }, () => wallMs);
}
function token(id: string): RevocationField {
  return { kind: 'jti', field: `jti:${id}` };
}
function entry(field: string, expiresAtSeconds: number | null = LATER, beforeSeconds: number | null = null) {
  return {
    field,
    expiresAtSeconds,
    beforeSeconds,
  };
}
function changes(version: string, entries: RevocationChanges['entries'], some: Partial<RevocationChanges> = {}) {
  return {
    version,
    upTo: version,
    replace: false,
    entries,
    ...some,
  };
}

describe('freshness', () => {
  test('a new snapshot knows nothing', () => {
    expect(snapshot().isFresh(NOW)).toBe(false);
  });

  test('it counts from when the trip began, not from when it came back, and ends with the bound', () => {
    const one = snapshot();
    one.apply(NO_VERSION, null, NOW);
    expect(one.isFresh(NOW + 5_000)).toBe(true);
    expect(one.isFresh(NOW + 5_001)).toBe(false);
  });

  test('it is not fresh before the last page is there', () => {
    const one = snapshot();
    one.apply(NO_VERSION, changes('1.9', [entry('jti:a')], { upTo: '1.4', replace: true }), NOW);
    expect(one.isFresh(NOW)).toBe(false);
    one.apply('1.4', changes('1.9', [entry('jti:b')]), NOW + 10);
    expect(one.isFresh(NOW + 10)).toBe(true);
    expect(one.check([token('a')], null)).toBe('jti');
    expect(one.check([token('b')], null)).toBe('jti');
  });

  test('more to come makes an old snapshot no fresher, and no less', () => {
    const one = snapshot();
    one.apply(NO_VERSION, null, NOW);
    one.apply(NO_VERSION, changes('1.9', [], { upTo: '1.4' }), NOW + 4_000);
    expect(one.isFresh(NOW + 5_000)).toBe(true);
    expect(one.isFresh(NOW + 5_001)).toBe(false);
  });

  test('it is due for a refresh from half the bound on, for one caller at a time', () => {
    const one = snapshot();
    one.apply(NO_VERSION, null, NOW);
    expect(one.refreshDue(NOW + 2_499)).toBe(false);
    expect(one.refreshDue(NOW + 2_500)).toBe(true);
    expect(one.refreshDue(NOW + 2_600)).toBe(false);
    expect(one.refreshDue(NOW + 3_500)).toBe(true); // The first was never heard of again.
  });
});

describe('changes', () => {
  test('an answer to a version that is known no longer is left alone', () => {
    const one = snapshot();
    one.apply(NO_VERSION, changes('1.2', [entry('jti:a')], { replace: true }), NOW);
    one.apply(NO_VERSION, null, NOW + 4_000);
    one.apply(NO_VERSION, changes('1.1', [], { replace: true }), NOW + 4_000);
    expect(one.version()).toBe('1.2');
    expect(one.check([token('a')], null)).toBe('jti');
    expect(one.isFresh(NOW + 5_001)).toBe(false);
  });

  test('an entry that was taken back is forgotten', () => {
    const one = snapshot();
    one.apply(NO_VERSION, changes('1.1', [entry('jti:a')], { replace: true }), NOW);
    one.apply('1.1', changes('1.2', [entry('jti:a', null)]), NOW);
    expect(one.check([token('a')], null)).toBeNull();
  });

  test('a store that began anew replaces everything', () => {
    const one = snapshot();
    one.apply(NO_VERSION, changes('1.1', [entry('jti:a')], { replace: true }), NOW);
    one.apply('1.1', changes('2.1', [entry('jti:b')], { replace: true }), NOW);
    expect(one.check([token('a')], null)).toBeNull();
    expect(one.check([token('b')], null)).toBe('jti');
  });

  test('entries end with what they revoke', () => {
    const one = snapshot();
    one.apply(NO_VERSION, changes('1.1', [entry('jti:a', NOW / 1000 + 1)], { replace: true }), NOW);
    wallMs = NOW + 999;
    expect(one.check([token('a')], null)).toBe('jti');
    wallMs = NOW + 1_000;
    expect(one.check([token('a')], null)).toBeNull();
    wallMs = NOW;
  });

  test('a cut-off revokes what was issued before it', () => {
    const one = snapshot();
    one.apply(NO_VERSION, changes('1.1', [entry('sub:alice', LATER, 5_000)], { replace: true }), NOW);
    const alice: RevocationField = { kind: 'sub', field: 'sub:alice' };
    expect(one.check([alice], 4_999)).toBe('sub');
    expect(one.check([alice], 5_000)).toBeNull();
    expect(one.check([alice], null)).toBe('sub');
  });
});

describe('too many entries', () => {
  const many = (count: number, expiresAtSeconds = LATER) =>
    Array.from({ length: count }, (_, i) => entry(`jti:${expiresAtSeconds}-${i}`, expiresAtSeconds));

  test('those that have expired make room', () => {
    const one = snapshot(10);
    one.apply(NO_VERSION, changes('1.9', many(9, NOW / 1000 - 1), { replace: true }), NOW - 2_000);
    one.apply('1.9', changes('1.19', many(9)), NOW);
    expect(one.isFresh(NOW)).toBe(true);
    expect(one.state(NOW).entries).toBe(9);
  });

  test('then there is no snapshot any more, rather than one with holes', () => {
    const one = snapshot(10);
    one.apply(NO_VERSION, changes('1.11', many(11), { replace: true }), NOW);
    expect(one.version()).toBeNull();
    expect(one.isFresh(NOW)).toBe(false);
    expect(one.refreshDue(NOW + 60_000)).toBe(false);
    expect(one.state(NOW)).toEqual({ entries: 0, ageMs: null });
  });
});
