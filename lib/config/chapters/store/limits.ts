import { claimPath, document, onError, oneOf, perMinute, requests, requestsOfPeriod } from '../../kinds.ts';
import { setting } from '../../variable.ts';

/** Chapter “Limits” of the configuration. */
export const limits = {
  rateLimitPerMinute: setting({
    name: 'TGEFD_RATE_LIMIT_PER_MINUTE',
    kind: perMinute,
    fallback: 0,
    meaning: 'General budget of one identity; 0 is off.',
  }),
  burstLimit: setting({
    name: 'TGEFD_BURST_LIMIT',
    kind: requests,
    fallback: 0,
    meaning: 'Requests the general budget lets through at once; 0 means the per-minute figure.',
  }),
  rateLimitPerDay: setting({
    name: 'TGEFD_RATE_LIMIT_PER_DAY',
    kind: requestsOfPeriod,
    fallback: 0,
    meaning: 'General quota of one identity for a calendar day in UTC; 0 is off.',
  }),
  rateLimitPerMonth: setting({
    name: 'TGEFD_RATE_LIMIT_PER_MONTH',
    kind: requestsOfPeriod,
    fallback: 0,
    meaning: 'General quota of one identity for a calendar month in UTC; 0 is off.',
  }),
  heavyRateLimitPerMinute: setting({
    name: 'TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE',
    kind: perMinute,
    fallback: 0,
    meaning: 'Further budget of one identity for rows with the budget `heavy`; 0 is off.',
  }),
  heavyBurstLimit: setting({
    name: 'TGEFD_HEAVY_BURST_LIMIT',
    kind: requests,
    fallback: 0,
    meaning: 'Requests the heavy budget lets through at once; 0 means the per-minute figure.',
  }),
  heavyRateLimitPerDay: setting({
    name: 'TGEFD_HEAVY_RATE_LIMIT_PER_DAY',
    kind: requestsOfPeriod,
    fallback: 0,
    meaning: 'The same for the heavy budget.',
  }),
  heavyRateLimitPerMonth: setting({
    name: 'TGEFD_HEAVY_RATE_LIMIT_PER_MONTH',
    kind: requestsOfPeriod,
    fallback: 0,
    meaning: 'The same for the heavy budget.',
  }),
  plans: setting({
    name: 'TGEFD_PLANS',
    member: 'plans',
    kind: document(
      'a JSON object of plan → `{"general": {"per_minute"?, "burst"?, "per_day"?, "per_month"?}, "heavy": {…}}`',
    ),
    fallback: null,
    meaning:
      'Figures of budgets by plan. What a plan does not say is as for everybody; 0 is off. A caller whose plan is not here has the budgets of everybody, and is counted.',
  }),
  planClaim: setting({
    name: 'TGEFD_PLAN_CLAIM',
    kind: claimPath,
    fallback: null,
    meaning: 'Claim that names the plan of a caller.',
  }),
  rateLimitOverrides: setting({
    name: 'TGEFD_RATE_LIMIT_OVERRIDES',
    member: 'overrides',
    kind: document(
      'a JSON array of `{"role"|"subject", "budget", "per_minute"?, "burst"?, "per_day"?, "per_month"?}` or `{"role"|"subject", "plan"}`',
    ),
    fallback: null,
    meaning: 'Figures of budgets, or a plan, for single roles or identities. They win over a plan.',
  }),
  rateLimitMode: setting({
    name: 'TGEFD_RATE_LIMIT_MODE',
    kind: oneOf('leased', 'exact'),
    fallback: 'leased',
    meaning:
      '`exact` asks Redis for every decision; `leased` takes tokens ahead and mostly decides without a trip. Neither lets a budget be overshot.',
  }),
  rateLimitOnError: setting({
    name: 'TGEFD_RATE_LIMIT_ON_ERROR',
    kind: onError,
    fallback: 'local',
    meaning: 'What decides while Redis does not answer: a bucket of this process, refusal, or nothing.',
  }),
  heavyRateLimitOnError: setting({
    name: 'TGEFD_HEAVY_RATE_LIMIT_ON_ERROR',
    kind: onError,
    fallback: 'local',
    meaning: 'The same for the heavy budget.',
  }),
} as const;
