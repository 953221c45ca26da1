import type { ClaimPath } from '../codec/claim-path.ts';
import type { Budget } from '../decision/outcome.ts';
import type { Principal } from '../decision/principal.ts';
import type { BudgetClass } from '../decision/request.ts';
import type { QuotaFigures } from './plans/figures.ts';
import type { QuotaOverride } from './plans/overrides.ts';
import type { Plan } from './plans/plans.ts';

/** The figures of one budget for everybody, and what decides while the store does not answer. 0 is off. */
export type Quota = Required<QuotaFigures> & Pick<Budget, 'onError'>;

export interface QuotaSettings {
  readonly general: Quota;
  readonly heavy: Quota;
  readonly overrides: readonly QuotaOverride[];
  readonly plans: ReadonlyMap<string, Plan>;
  /** Where a token names its caller's plan, or null. */
  readonly planClaim: ClaimPath | null;
}

export type QuotaCaller = Pick<Principal, 'subject' | 'roles' | 'claims'>;

/**
 * The budgets that a request spends from: a heavy endpoint from `general` and `heavy`, a read from `general`, class `none`
 * from nothing. Each has up to three: by the minute, the day and the month; those that are off are left out.
 *
 * Every figure is the first of these that says it: an override of the caller's subject, one of its roles (of several the most
 * generous, since each role by itself would grant it), the caller's plan, the settings for everybody. The plan is that of an
 * override of the subject, of a role, or of the claim. `unknownPlan` is told of a claim that names no plan of the table; such
 * a caller has the budgets of everybody.
 */
export function createQuotas(
  settings: QuotaSettings,
  unknownPlan: () => void,
): (caller: QuotaCaller, budgetClass: BudgetClass) => readonly Budget[] {
  const shared = createShared();
  const of = (caller: QuotaCaller): CallerBudgets => {
    const { plan, isUnknown } = planOf(caller, settings);
    const general = budgetsOf(
      'general',
      figuresFor('general', caller, plan, settings),
      settings.general.onError,
      shared,
    );
    const heavy = budgetsOf('heavy', figuresFor('heavy', caller, plan, settings), settings.heavy.onError, shared);
    return { isUnknown, general, both: [...general, ...heavy] };
  };
  const everybody = of({ subject: '', roles: [], claims: null });
  const alike = settings.overrides.length === 0 && settings.planClaim === null;
  // A remembered token has one principal, and so its budgets are worked out once.
  const known = new WeakMap<QuotaCaller, CallerBudgets>();

  return (caller, budgetClass) => {
    if (budgetClass === 'none') return NO_BUDGETS;
    let budgets = everybody;
    if (!alike) {
      budgets = known.get(caller) ?? of(caller);
      known.set(caller, budgets);
      if (budgets.isUnknown) unknownPlan();
    }
    return budgetClass === 'read' ? budgets.general : budgets.both;
  };
}

const NO_BUDGETS: readonly Budget[] = [];

interface CallerBudgets {
  readonly isUnknown: boolean;
  readonly general: readonly Budget[];
  readonly both: readonly Budget[];
}

function planOf(caller: QuotaCaller, { overrides, plans, planClaim }: QuotaSettings) {
  let byRole: Plan | null = null;
  for (const override of overrides) {
    if (!('plan' in override)) continue;
    const plan = plans.get(override.plan) ?? null;
    if ('subject' in override.of) {
      if (override.of.subject === caller.subject) return { plan, isUnknown: false };
    } else if (byRole === null && caller.roles.includes(override.of.role)) {
      byRole = plan;
    }
  }
  const claimed = byRole === null && caller.claims !== null ? planClaim?.read(caller.claims) : undefined;
  if (claimed === undefined) return { plan: byRole, isUnknown: false };
  const plan = (typeof claimed === 'string' ? plans.get(claimed) : undefined) ?? null;
  return { plan, isUnknown: plan === null };
}

function figuresFor(
  name: 'general' | 'heavy',
  { subject, roles }: QuotaCaller,
  plan: Plan | null,
  settings: QuotaSettings,
): Required<QuotaFigures> {
  let own: QuotaFigures = {};
  let ofRoles: QuotaFigures = {};
  for (const override of settings.overrides) {
    if (!('budget' in override) || override.budget !== name) continue;
    if ('subject' in override.of) {
      if (override.of.subject === subject) own = override.figures;
    } else if (roles.includes(override.of.role)) {
      ofRoles = mostGenerous(ofRoles, override.figures);
    }
  }
  const { perMinute, burst, perDay, perMonth } = settings[name];
  return { perMinute, burst, perDay, perMonth, ...plan?.[name], ...ofRoles, ...own };
}

/** Figure by figure; a burst goes with its rate. */
function mostGenerous(one: QuotaFigures, other: QuotaFigures): QuotaFigures {
  const rate = isMore(other.perMinute, one.perMinute) ? other : one;
  return {
    ...one,
    ...other,
    ...(rate.perMinute === undefined ? {} : { perMinute: rate.perMinute, burst: rate.burst ?? 0 }),
    ...(isMore(one.perDay, other.perDay) ? { perDay: one.perDay ?? 0 } : {}),
    ...(isMore(one.perMonth, other.perMonth) ? { perMonth: one.perMonth ?? 0 } : {}),
  };
}

/** Off is no limit at all; what nobody says is less than anything said. */
function isMore(one: number | undefined, other: number | undefined): boolean {
  if (one === undefined || other === undefined) return one !== undefined;
  return other !== 0 && (one === 0 || one > other);
}

type Shared = (budget: Budget) => Budget;

/** One object for all callers with the same figures, so that a comparison of objects tells whether figures have changed. */
function createShared(): Shared {
  const made = new Map<string, Budget>();
  return (budget) => {
    const key = `${budget.name} ${budget.perMinute} ${budget.burst}`;
    const known = made.get(key) ?? budget;
    made.set(key, known);
    return known;
  };
}

function budgetsOf(
  name: 'general' | 'heavy',
  { perMinute, burst, perDay, perMonth }: Required<QuotaFigures>,
  onError: Budget['onError'],
  shared: Shared,
): Budget[] {
  const budgets: Budget[] = [];
  if (perMinute > 0) budgets.push(shared({ name, perMinute, burst: burst === 0 ? perMinute : burst, onError }));
  if (perDay > 0) budgets.push(shared({ name: `${name}-day`, perMinute: 0, burst: perDay, period: 'day', onError }));
  if (perMonth > 0)
    budgets.push(shared({ name: `${name}-month`, perMinute: 0, burst: perMonth, period: 'month', onError }));
  return budgets;
}
