import { compileClaimPath } from '../../codec/claim-path.ts';
import type { Config } from '../../config/load.ts';
import type { Budget } from '../../decision/outcome.ts';
import { createQuotas, type QuotaCaller, type QuotaSettings } from '../../limit/quotas.ts';
import type { Metrics } from '../../observe/metrics.ts';

/** The figures of every budget as configured: for everybody, by plan, by role and by identity. */
export function quotaSettings({ settings, documents }: Config): QuotaSettings {
  return {
    general: {
      perMinute: settings.rateLimitPerMinute,
      burst: settings.burstLimit,
      perDay: settings.rateLimitPerDay,
      perMonth: settings.rateLimitPerMonth,
      onError: settings.rateLimitOnError,
    },
    heavy: {
      perMinute: settings.heavyRateLimitPerMinute,
      burst: settings.heavyBurstLimit,
      perDay: settings.heavyRateLimitPerDay,
      perMonth: settings.heavyRateLimitPerMonth,
      onError: settings.heavyRateLimitOnError,
    },
    overrides: documents.quotaOverrides,
    plans: documents.plans,
    planClaim: settings.planClaim === null ? null : compileClaimPath(settings.planClaim),
  };
}

/** The budgets of each caller; counts decisions of callers whose claim names no plan of the table. */
export function composeQuotas(config: Config, metrics: Metrics): ReturnType<typeof createQuotas> {
  const unknown = metrics.counter(
    'tgefd_unknown_plans_total',
    'Decisions about callers whose claim names no plan of TGEFD_PLANS.',
    {},
  );
  return createQuotas(quotaSettings(config), () => unknown.add({}));
}

/** Every budget of a caller of this kind, as the configuration has it; null where it has no such plan. */
export function budgetsOfCaller(
  config: Config,
  wanted: { readonly subject: string; readonly roles: readonly string[]; readonly plan: string | undefined },
): readonly Budget[] | null {
  const settings = quotaSettings(config);
  const { plan } = wanted;
  if (plan !== undefined && !settings.plans.has(plan)) return null;
  const caller: QuotaCaller = {
    subject: wanted.subject,
    roles: wanted.roles.map((role) => role.toLowerCase()),
    claims: plan === undefined ? null : {},
  };
  const planClaim = plan === undefined ? null : { text: 'plan', read: () => plan };
  return createQuotas({ ...settings, planClaim }, () => {})(caller, 'heavy');
}
