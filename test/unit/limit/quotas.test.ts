import { describe, expect, test } from 'vitest';
import { compileClaimPath } from '../../../lib/codec/claim-path.ts';
import type { BudgetClass } from '../../../lib/decision/request.ts';
import { parseQuotaOverrides, type QuotaOverride } from '../../../lib/limit/plans/overrides.ts';
import { parsePlans } from '../../../lib/limit/plans/plans.ts';
import { createQuotas, type QuotaCaller, type QuotaSettings } from '../../../lib/limit/quotas.ts';

function settings(overrides: readonly QuotaOverride[] = []): QuotaSettings {
  return {
    general: { perMinute: 60, burst: 10, perDay: 0, perMonth: 0, onError: 'local' },
    heavy: { perMinute: 6, burst: 0, perDay: 0, perMonth: 0, onError: 'closed' },
    overrides,
    plans: new Map(),
    planClaim: null,
  };
}
const caller: QuotaCaller = { subject: 'alice', roles: ['reader'], claims: null };

function budgetsFor(of: QuotaCaller, budgetClass: BudgetClass, by: QuotaSettings) {
  return createQuotas(by, () => {})(of, budgetClass);
}

describe('budgets of a request', () => {
  const general = { name: 'general', perMinute: 60, burst: 10, onError: 'local' };
  const heavy = { name: 'heavy', perMinute: 6, burst: 6, onError: 'closed' };

  test('a heavy endpoint spends from both, a read from the general one, class none from nothing', () => {
    expect(budgetsFor(caller, 'heavy', settings())).toEqual([general, heavy]);
    expect(budgetsFor(caller, 'read', settings())).toEqual([general]);
    expect(budgetsFor(caller, 'none', settings())).toEqual([]);
  });

  test('a quota of 0 a minute is off', () => {
    const off = { ...settings(), general: { ...settings().general, perMinute: 0 } };
    expect(budgetsFor(caller, 'heavy', off)).toEqual([heavy]);
  });

  test.each<[string, QuotaOverride[], number]>([
    ['a subject', [{ of: { subject: 'alice' }, budget: 'general', figures: { perMinute: 1, burst: 0 } }], 1],
    ['another subject', [{ of: { subject: 'bob' }, budget: 'general', figures: { perMinute: 1, burst: 0 } }], 60],
    ['the other budget', [{ of: { subject: 'alice' }, budget: 'heavy', figures: { perMinute: 1, burst: 0 } }], 60],
    ['a role', [{ of: { role: 'reader' }, budget: 'general', figures: { perMinute: 2, burst: 0 } }], 2],
    [
      'a subject before its roles',
      [
        { of: { role: 'reader' }, budget: 'general', figures: { perMinute: 999, burst: 0 } },
        { of: { subject: 'alice' }, budget: 'general', figures: { perMinute: 1, burst: 0 } },
      ],
      1,
    ],
  ])('an override of %s', (_, overrides, perMinute) => {
    expect(budgetsFor(caller, 'read', settings(overrides))[0]?.perMinute).toBe(perMinute);
  });

  test('of several roles the most generous counts, and off is the most generous', () => {
    const overrides: QuotaOverride[] = [
      { of: { role: 'reader' }, budget: 'general', figures: { perMinute: 10, burst: 0 } },
      { of: { role: 'analyst' }, budget: 'general', figures: { perMinute: 100, burst: 0 } },
    ];
    const both = { ...caller, roles: ['reader', 'analyst'] };
    expect(budgetsFor(both, 'read', settings(overrides))[0]?.perMinute).toBe(100);
    const unlimited: QuotaOverride = { of: { role: 'admin' }, budget: 'general', figures: { perMinute: 0, burst: 0 } };
    const admin = { ...caller, subject: 'root', roles: ['admin', 'analyst'] };
    expect(budgetsFor(admin, 'read', settings([...overrides, unlimited]))).toEqual([]);
  });
});

describe('quotas by day and month, and plans', () => {
  const { plans } = parsePlans({
    free: { general: { per_minute: 30, per_day: 100 }, heavy: { per_day: 5 } },
    gold: { general: { per_minute: 600, burst: 900, per_day: 0, per_month: 90_000 } },
  });
  const withPlans = (overrides: readonly QuotaOverride[] = []): QuotaSettings => ({
    ...settings(overrides),
    general: { ...settings().general, perDay: 5_000 },
    plans,
    planClaim: compileClaimPath('account.plan'),
  });
  const holder = (plan: unknown): QuotaCaller => ({ ...caller, claims: { account: { plan } } });
  const told = (of: QuotaCaller, by: QuotaSettings, budgetClass: BudgetClass = 'heavy') =>
    budgetsFor(of, budgetClass, by).map(({ name, perMinute, burst }) => `${name} ${perMinute} ${burst}`);

  test('each figure is a budget of its own', () => {
    const by = { ...settings(), general: { ...settings().general, perDay: 5_000, perMonth: 90_000 } };
    expect(budgetsFor(caller, 'read', by)).toEqual([
      { name: 'general', perMinute: 60, burst: 10, onError: 'local' },
      { name: 'general-day', perMinute: 0, burst: 5_000, period: 'day', onError: 'local' },
      { name: 'general-month', perMinute: 0, burst: 90_000, period: 'month', onError: 'local' },
    ]);
  });

  test.each<[string, QuotaCaller, readonly QuotaOverride[], readonly string[]]>([
    ['nothing', caller, [], ['general 60 10', 'general-day 0 5000', 'heavy 6 6']],
    ['a plan', holder('free'), [], ['general 30 30', 'general-day 0 100', 'heavy 6 6', 'heavy-day 0 5']],
    ['another plan', holder('gold'), [], ['general 600 900', 'general-month 0 90000', 'heavy 6 6']],
    ['an unknown plan', holder('platinum'), [], ['general 60 10', 'general-day 0 5000', 'heavy 6 6']],
    ['a claim that is no text', holder(['gold']), [], ['general 60 10', 'general-day 0 5000', 'heavy 6 6']],
    [
      'a plan by role, before the claim',
      holder('free'),
      [{ of: { role: 'reader' }, plan: 'gold' }],
      ['general 600 900', 'general-month 0 90000', 'heavy 6 6'],
    ],
    [
      'a plan by subject, before that of a role',
      holder('gold'),
      [
        { of: { role: 'reader' }, plan: 'gold' },
        { of: { subject: 'alice' }, plan: 'free' },
      ],
      ['general 30 30', 'general-day 0 100', 'heavy 6 6', 'heavy-day 0 5'],
    ],
    [
      'a figure of an override, before the plan, and the plan for the rest',
      holder('free'),
      [{ of: { subject: 'alice' }, budget: 'general', figures: { perDay: 200 } }],
      ['general 30 30', 'general-day 0 200', 'heavy 6 6', 'heavy-day 0 5'],
    ],
  ])('%s decides', (_, of, overrides, budgets) => {
    expect(told(of, withPlans(overrides))).toEqual(budgets);
  });

  test('decisions of callers with an unknown plan are counted, those without a plan are not', () => {
    let unknown = 0;
    const of = createQuotas(withPlans(), () => {
      unknown += 1;
    });
    const platinum = holder('platinum');
    of(platinum, 'read');
    of(platinum, 'read');
    of(holder('gold'), 'read');
    of(holder(null), 'read');
    of(caller, 'read');
    expect(unknown).toBe(2);
  });

  test('callers with the same figures share the same budgets', () => {
    const of = createQuotas(withPlans(), () => {});
    expect(of(holder('free'), 'read')[0]).toBe(of({ ...holder('free'), subject: 'bob' }, 'read')[0]);
  });

  test.each([
    ['[]', 'is not an object'],
    ['{"a":1}', 'plan 1: is not an object'],
    ['{"a":{}}', 'plan 1: needs `general` or `heavy`'],
    ['{"a":{"general":{"per_hour":1}}}', 'plan 1: unknown member `per_hour`'],
    ['{"a":{"general":{"per_day":-1}}}', 'plan 1: `general.per_day` is missing or not of the accepted kind'],
    ['{"a":{"general":{}}}', 'plan 1: `general`: needs `per_minute`, `per_day` or `per_month`'],
    ['{"a":{"heavy":{"burst":3}}}', 'plan 1: `heavy`: `burst` without `per_minute` above 0'],
    ['{"a":{"heavy":{"per_day":3,"per_month":2}}}', 'plan 1: `heavy`: `per_day` above `per_month`'],
    ['{"":{"heavy":{"per_day":3}}}', 'plan 1: a name of 1 to 128 characters without control characters is needed'],
  ])('%s is no table of plans', (json, problem) => {
    expect(parsePlans(JSON.parse(json)).problems).toEqual([problem]);
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
        { of: { role: 'analyst' }, budget: 'heavy', figures: { perMinute: 30, burst: 0 } },
        { of: { subject: 'alice' }, budget: 'general', figures: { perMinute: 600, burst: 50 } },
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
      'a plan with figures',
      '[{"role":"a","plan":"gold","per_minute":1}]',
      'row 1: `plan` stands alone, without `budget` and figures',
    ],
    ['no figure', '[{"role":"a","budget":"heavy"}]', 'row 1: needs `per_minute`, `per_day` or `per_month`'],
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
