/** Refetches that a quiet issuer's keys may cost at once, so that one stray `kid` does not stand in a rotation's way. */
const burst = 2;
/** One more refetch is earned in this time: what a steady flood of unknown `kid`s costs the issuer. */
const refillMs = 10_000;
/** No two refetches are closer than this, however many unknown `kid`s arrive. */
export const refetchSpacingMs = 1_000;

/**
 * How often unknown `kid`s may cause a refetch: a token bucket with a least distance between two refetches. A forged `kid`
 * cannot be told from a rotated one before its key is there, so both draw from it, and these are the bounds for a rotation
 * that the issuer did not announce by publishing the key first: after a stray unknown `kid`, the new key is found within
 * 1 s; under a flood that never ends, within 10 s. Never more than one refetch per second, nor (past the first) than one
 * every ten. The scheduled refresh does not ask here, so no flood can starve it.
 */
export function createRefetchBudget() {
  let tokens = burst;
  let filledAtMs = 0;
  let takenAtMs = Number.NEGATIVE_INFINITY;
  /** Takes a refetch out of the budget, or answers false. */
  return (nowMs: number): boolean => {
    tokens = Math.min(burst, tokens + Math.max(0, nowMs - filledAtMs) / refillMs);
    filledAtMs = nowMs;
    const sinceMs = nowMs - takenAtMs;
    // A clock that was set back must not close the budget.
    if (tokens < 1 || (sinceMs >= 0 && sinceMs < refetchSpacingMs)) return false;
    tokens -= 1;
    takenAtMs = nowMs;
    return true;
  };
}
