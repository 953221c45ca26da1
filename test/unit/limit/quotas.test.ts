import { describe, expect, test } from 'vitest';
import { budgetsFor, parseQuotaOverrides, type QuotaOverride, type QuotaSettings } from '../../../lib/limit/quotas.ts';

function settings(overrides: readonly QuotaOverride[] = []): QuotaSettings {
  return {
    general: { perMinute: 60, burst: 10, onError: 'local' },
    heavy: { perMinute: 6, burst: 0, onError: 'closed' },
    overrides,
  };
}
const caller = { subject: 'alice', roles: ['reader'] };

describe('budgets of a request', () => {
  const general = { name: 'general', perMinute: 60, burst: 10, onError: 'local' };
  const heavy = { name: 'heavy', perMinute: 6, burst: 6, onError: 'closed' };

  test('a heavy endpoint spends from both, a read from the general one, class none from nothing', () => {
    expect(budgetsFor(caller, 'heavy', settings())).toEqual([general, heavy]);
    expect(budgetsFor(caller, 'read', settings())).toEqual([general]);
    expect(budgetsFor(caller, 'none', settings())).toEqual([]);
  });

  test('a quota of 0 a minute is off', () => {
    const off = { ...settings(), general: { perMinute: 0, burst: 0, onError: 'local' as const } };
    expect(budgetsFor(caller, 'heavy', off)).toEqual([heavy]);
  });

  test.each<[string, QuotaOverride[], number]>([
    ['a subject', [{ of: { subject: 'alice' }, budget: 'general', perMinute: 1, burst: 0 }], 1],
    ['another subject', [{ of: { subject: 'bob' }, budget: 'general', perMinute: 1, burst: 0 }], 60],
    ['the other budget', [{ of: { subject: 'alice' }, budget: 'heavy', perMinute: 1, burst: 0 }], 60],
    ['a role', [{ of: { role: 'reader' }, budget: 'general', perMinute: 2, burst: 0 }], 2],
    [
      'a subject before its roles',
      [
        { of: { role: 'reader' }, budget: 'general', perMinute: 999, burst: 0 },
        { of: { subject: 'alice' }, budget: 'general', perMinute: 1, burst: 0 },
      ],
      1,
    ],
  ])('an override of %s', (_, overrides, perMinute) => {
    expect(budgetsFor(caller, 'read', settings(overrides))[0]?.perMinute).toBe(perMinute);
  });

  test('of several roles the most generous counts, and off is the most generous', () => {
    const overrides: QuotaOverride[] = [
      { of: { role: 'reader' }, budget: 'general', perMinute: 10, burst: 0 },
      { of: { role: 'analyst' }, budget: 'general', perMinute: 100, burst: 0 },
    ];
    const both = { subject: 'alice', roles: ['reader', 'analyst'] };
    expect(budgetsFor(both, 'read', settings(overrides))[0]?.perMinute).toBe(100);
    const unlimited: QuotaOverride = { of: { role: 'admin' }, budget: 'general', perMinute: 0, burst: 0 };
    const admin = { subject: 'root', roles: ['admin', 'analyst'] };
    expect(budgetsFor(admin, 'read', settings([...overrides, unlimited]))).toEqual([]);
  });
});

describe('overrides as configured', () => {
  test('rows for roles and subjects', () => {
    const rows = [
      { role: 'Analyst', budget: 'heavy', per_minute: 30 },
      { subject: 'alice', budget: 'general', per_minute: 600, burst: 50 },
    ];
    expect(parseQuotaOverrides(rows)).toEqual({
      overrides: [
        { of: { role: 'analyst' }, budget: 'heavy', perMinute: 30, burst: 0 },
        { of: { subject: 'alice' }, budget: 'general', perMinute: 600, burst: 50 },
      ],
      problems: [],
    });
  });

  test.each([
    ['no array', '{}', 'is not an array'],
    ['no object', '[1]', 'row 1: is not an object'],
    ['neither role nor subject', '[{"budget":"heavy","per_minute":1}]', 'row 1: needs either `role` or `subject`'],
    ['both', '[{"role":"a","subject":"b","budget":"heavy","per_minute":1}]', 'row 1: needs either `role` or `subject`'],
    [
      'an unknown member',
      '[{"role":"a","budget":"heavy","per_minute":1,"perminute":2}]',
      'row 1: unknown member `perminute`',
    ],
    [
      'an unknown budget',
      '[{"role":"a","budget":"read","per_minute":1}]',
      'row 1: `budget` is missing or not of the accepted kind',
    ],
    [
      'a negative rate',
      '[{"role":"a","budget":"heavy","per_minute":-1}]',
      'row 1: `per_minute` is missing or not of the accepted kind',
    ],
    [
      'a fraction',
      '[{"role":"a","budget":"heavy","per_minute":1.5}]',
      'row 1: `per_minute` is missing or not of the accepted kind',
    ],
    [
      'a burst of nothing',
      '[{"role":"a","budget":"heavy","per_minute":0,"burst":2}]',
      'row 1: `burst` without `per_minute` above 0',
    ],
    [
      'the same twice',
      '[{"role":"a","budget":"heavy","per_minute":1},{"role":"A","budget":"heavy","per_minute":2}]',
      'row 2: a second row for the same role and budget',
    ],
  ])('%s is a problem', (_, json, problem) => {
    expect(parseQuotaOverrides(JSON.parse(json))).toEqual({ overrides: [], problems: [problem] });
  });

  test('a problem never repeats a value', () => {
    const { problems } = parseQuotaOverrides([{ subject: 'alice@example.org', budget: 'heavy', per_minute: 'many' }]);
    expect(problems.join()).not.toContain('alice');
  });
});
