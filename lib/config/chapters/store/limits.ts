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
    meaning: 'Requests that the general budget allows at once; 0 means the figure per minute.',
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
    meaning: 'Requests that the heavy budget allows at once; 0 means the figure per minute.',
  }),
  heavyRateLimitPerDay: setting({
    name: 'TGEFD_HEAVY_RATE_LIMIT_PER_DAY',
    kind: requestsOfPeriod,
    fallback: 0,
    meaning: 'Heavy quota of one identity for a calendar day in UTC; 0 is off.',
  }),
  heavyRateLimitPerMonth: setting({
    name: 'TGEFD_HEAVY_RATE_LIMIT_PER_MONTH',
    kind: requestsOfPeriod,
    fallback: 0,
    meaning: 'Heavy quota of one identity for a calendar month in UTC; 0 is off.',
  }),
  plans: setting({
    name: 'TGEFD_PLANS',
    member: 'plans',
    kind: document(
      'a JSON object of plan → `{"general": {"per_minute"?, "burst"?, "per_day"?, "per_month"?}, "heavy": {…}}`',
    ),
    fallback: null,
    meaning:
      'Figures of budgets by plan; 0 is off. A figure that a plan does not have is the one for everybody. A caller whose plan is not in the table has the budgets for everybody, and a metric counts it.',
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
      '`exact` asks Redis for every decision. `leased` takes tokens in advance and decides mostly without Redis. Neither overshoots a budget.',
  }),
  rateLimitOnError: setting({
    name: 'TGEFD_RATE_LIMIT_ON_ERROR',
    kind: onError,
    fallback: 'local',
    meaning:
      'What decides while Redis does not answer. `local`: a bucket of this process. `closed`: every request is refused. `open`: no limit.',
  }),
  heavyRateLimitOnError: setting({
    name: 'TGEFD_HEAVY_RATE_LIMIT_ON_ERROR',
    kind: onError,
    fallback: 'local',
    meaning: 'The same for the heavy budget.',
  }),
} as const;
