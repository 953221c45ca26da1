import { document, onError, oneOf, perMinute, requests } from '../../kinds.ts';
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
  heavyRateLimitPerMinute: setting({
    name: 'TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE',
    kind: perMinute,
    fallback: 0,
    meaning: 'Further budget of one identity for discover and evaluate; 0 is off.',
  }),
  heavyBurstLimit: setting({
    name: 'TGEFD_HEAVY_BURST_LIMIT',
    kind: requests,
    fallback: 0,
    meaning: 'Requests the heavy budget lets through at once; 0 means the per-minute figure.',
  }),
  rateLimitOverrides: setting({
    name: 'TGEFD_RATE_LIMIT_OVERRIDES',
    member: 'overrides',
    kind: document('a JSON array of `{"role"|"subject", "budget", "per_minute", "burst"?}`'),
    fallback: null,
    meaning: 'Budgets of single roles or identities.',
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
