import { describe, expect, test } from 'vitest';
import { adviceFor } from '../../../lib/console/denied/advice.ts';
import { count, duration, share, visible } from '../../../lib/console/page/format.ts';
import { newNonce, pageFields } from '../../../lib/console/page/headers.ts';
import { secondsIn } from '../../../lib/console/page/instant.ts';
import { consoleRows } from '../../../lib/console/rows.ts';
import { screens } from '../../../lib/console/screens.tsx';

describe('words and figures of the console', () => {
  test.each([
    [duration(45.4), '45 s'],
    [duration(-3), '0 s'],
    [duration(600), '10 min'],
    [duration(10_000), '3 h'],
    [duration(700_000), '8 d'],
    [count(1_234_567), '1\u202f234\u202f567'],
    [share(0, 9), '0 %'],
    [share(1, 1_000), '<1 %'],
    [share(1, 3), '33 %'],
    [share(1, 0), '0 %'],
    [visible('a\u202eb\u0000'), 'a\\u{202e}b\\u{0}'],
    [visible('a'.repeat(9), 5), 'aaaa…'],
  ])('%j is %j', (shown, expected) => {
    expect(shown).toBe(expected);
  });

  test.each<[string, number | undefined | null]>([
    ['', undefined],
    ['1800000000', 1_800_000_000],
    ['2027-01-15T08:00', 1_800_000_000],
    ['2027-01-15 08:00:00', 1_800_000_000],
    ['2027-13-15T08:00', null],
    ['2027-01-15', null],
    ['tomorrow', null],
  ])('the time %j is %j', (text, expected) => {
    expect(secondsIn(text)).toBe(expected);
  });

  test('there is advice for an unknown reason too', () => {
    expect(adviceFor('something_new')).toMatch(/\w+/);
  });
});

describe('pages of the console', () => {
  test('allow scripts and styles by the nonce of the answer alone', () => {
    const nonce = newNonce();
    expect(nonce).not.toBe(newNonce());
    const policy = new Map(pageFields(nonce)).get('content-security-policy') ?? '';
    expect(policy).toContain(`script-src 'nonce-${nonce}'`);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  });

  const rows = consoleRows({ look: 'console', act: 'revoke' });

  test('have a row that decides about each, and no row without a page', () => {
    const named = rows.map(({ method, pattern }) => `${method} ${pattern}`);
    const without = ['POST /sign-in', 'POST /sign-out'];
    expect([...screens.keys(), ...without].sort()).toEqual([...named].sort());
    expect(rows.every(({ own, action }) => own && action.startsWith('console_'))).toBe(true);
  });

  test('take both scopes where something is revoked, and the one to look elsewhere', () => {
    const acting = rows.filter(({ scope }) => scope !== 'console');
    expect(acting.map(({ method, pattern }) => `${method} ${pattern}`)).toEqual([
      'POST /revoke',
      'POST /revoke/confirmed',
      'POST /revoke/take-back',
    ]);
    for (const { scope } of acting) expect(scope).toEqual({ all: ['console', 'revoke'] });
  });
});
