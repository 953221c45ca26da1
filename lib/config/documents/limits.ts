import { parseQuotaOverrides, type QuotaOverride } from '../../limit/plans/overrides.ts';
import { type Plan, parsePlans } from '../../limit/plans/plans.ts';
import type { Problem } from '../problem.ts';
import { type SettingKey, type Settings, variables } from '../variables.ts';
import type { Documents } from './documents.ts';
import type { Report } from './report.ts';

/** Quotas of some callers, and the table of plans. */
export function readLimits(report: Report): Pick<Documents, 'quotaOverrides' | 'plans'> {
  const { overrides, problems } = parseQuotaOverrides(report.jsonOf('rateLimitOverrides'));
  for (const problem of problems) report.fault('rateLimitOverrides', problem);
  const plans = parsePlans(report.jsonOf('plans', '{}'));
  for (const problem of plans.problems) report.fault('plans', problem);
  if (plans.problems.length === 0)
    for (const problem of planProblems(report.settings, plans.plans, overrides)) report.problem(problem);
  return { quotaOverrides: overrides, plans: plans.plans };
}

/** What the table of plans, the claim and the overrides demand of each other. */
function planProblems(
  settings: Settings,
  plans: ReadonlyMap<string, Plan>,
  overrides: readonly QuotaOverride[],
): readonly Problem[] {
  const problems: Problem[] = [];
  const problem = (key: SettingKey, found: string, accepted: string) =>
    problems.push({ variable: variables[key].name, found, accepted });
  const named = overrides.flatMap((override) => ('plan' in override ? [override.plan] : []));
  if (named.some((plan) => !plans.has(plan)))
    problem('rateLimitOverrides', 'a `plan` that is not in the table', 'plans of TGEFD_PLANS');
  if (settings.planClaim !== null && plans.size === 0)
    problem('planClaim', 'a claim', 'a claim only beside TGEFD_PLANS with at least one plan');
  if (plans.size > 0 && settings.planClaim === null && named.length === 0)
    problem('plans', 'plans that nobody can have', 'plans beside TGEFD_PLAN_CLAIM, or a `plan` in an override');
  return problems;
}
