import type { BudgetState } from '../decision/outcome.ts';

/**
 * The rate-limit fields of an answer (draft-ietf-httpapi-ratelimit-headers-11, written as RFC 9651 lists):
 * `RateLimit-Policy` names every budget that was asked (`q` requests in `w` seconds), `RateLimit` the tightest (`r` left,
 * `t` seconds until it is full again or, when nothing is left, until one more request passes). Empty without budgets.
 *
 * `q` of a budget by the minute is the sustained rate; a burst above or below it is not expressible and not told. Takes budget names that are plain
 * words: they are written as Strings without escaping.
 */
export function rateLimitFields(states: readonly BudgetState[]): [string, string][] {
  const tightest = states.reduce<BudgetState | null>(
    (found, state) => (found === null || isTighter(state, found) ? state : found),
    null,
  );
  if (tightest === null) return [];
  return [
    [
      'RateLimit-Policy',
      states.map(({ name, quota, windowSeconds }) => `"${name}";q=${quota};w=${windowSeconds}`).join(', '),
    ],
    ['RateLimit', `"${tightest.name}";r=${tightest.remaining};t=${tightest.resetSeconds}`],
  ];
}

/** Fewer left, and of two with nothing left the one that takes longer: it decides when the next request passes. */
function isTighter(one: BudgetState, other: BudgetState): boolean {
  return (
    one.remaining < other.remaining || (one.remaining === other.remaining && one.resetSeconds > other.resetSeconds)
  );
}
