/**
 * The arithmetic of budgets: token buckets, and leases of tokens taken ahead of their use. Pure; every time is handed in.
 * The Redis script (`redis-scripts.ts`) does exactly the same on the server, and a property test holds the two together.
 *
 * A bucket counts what is *missing* from it, in parts of a token so small that a millisecond's refill is a whole number:
 * all arithmetic is on integers, nothing is rounded, and an absent bucket is simply a full one.
 */

import type { Budget, BudgetState } from '../decision/outcome.ts';
import { periodEndsAtMs, periodOf, periodSeconds } from './calendar.ts';

/** Parts of one token: `perMinute` of them flow back each millisecond. */
export const PARTS_PER_TOKEN = 60_000;

/** Leases belong to the window of the store's clock in which they were taken or renewed, and run out with the next one. */
export const LEASE_WINDOW_MS = 10_000;

/** How far ahead of its refill a budget may be leased once it is empty. */
export const LEASE_HORIZON_MS = 2_000;

/** A budget that refills slower than this is slow: a token that is lost with its holder is missed for long. */
export const SLOW_BELOW_PER_MINUTE = 30;

/** Tokens of a slow budget that nobody may lease: the last ones are spent one by one, at the store. */
export const NEVER_LEASED = 128;

export interface Bucket {
  /** Parts missing until it is full. More than the burst's worth when future refill is already leased; negative in a
   * period for which an operator has granted more. */
  readonly missing: number;
  readonly atMs: number;
  /** Tokens out on lease and not reported as used, by window: the one before that of `atMs`, and that one. */
  readonly leasedBefore: number;
  readonly leasedNow: number;
  /** How many holders took or renewed a lease in each. */
  readonly holdersBefore: number;
  readonly holdersNow: number;
}

/** What one decision, or one holder of leases, asks of one budget. */
export interface Demand {
  readonly budget: Budget;
  /** Tokens that the decision spends now: 1, or 0 when a lease covers it. */
  readonly need: 0 | 1;
  /** Tokens that the holder would like to take ahead; 0 for an exact spend. */
  readonly want: number;
  /** Window of the holder's lease, or -1 when it has none that it may speak of. */
  readonly window: number;
  /** Tokens of that lease used since it was last spoken of, tokens still unused, and unused ones that are given back. */
  readonly used: number;
  readonly left: number;
  readonly back: number;
}

/** A budget after settling, and what was leased of it. */
export interface LeaseGrant {
  readonly missing: number;
  readonly granted: number;
}

export interface Settlement {
  /** Whether every needed token was there. If not, none was spent. */
  readonly allowed: boolean;
  /** The store's clock. */
  readonly nowMs: number;
  /** In the order of the demands. */
  readonly grants: readonly LeaseGrant[];
}

export function windowOf(atMs: number): number {
  return Math.floor(atMs / LEASE_WINDOW_MS);
}

/** A demand that spends one token now and leases nothing. */
export function exactly(budget: Budget): Demand {
  return { budget, need: 1, want: 0, window: -1, used: 0, left: 0, back: 0 };
}

/**
 * A bucket at `nowMs`. Tokens flow back at `perMinute`, but never more than the burst is in the bucket and on lease
 * together: what is on lease keeps missing until it is reported used or its windows are over. Time never runs backwards.
 */
export function refill(bucket: Bucket | undefined, { perMinute, period }: Budget, nowMs: number): Bucket {
  if (bucket === undefined) return full(nowMs);
  let { missing, atMs, leasedBefore, leasedNow, holdersBefore, holdersNow } = bucket;
  const now = Math.max(nowMs, atMs);
  // Leases end with the period too: whoever holds one knows when that is.
  if (period !== undefined && periodOf(period, atMs) !== periodOf(period, now)) return full(now);
  // After two turns nothing is on lease any more, and the rest of the way needs no further stops.
  for (let turns = 0; turns < 2 && windowOf(atMs) < windowOf(now); turns++) {
    const turn = (windowOf(atMs) + 1) * LEASE_WINDOW_MS;
    if (period === undefined) missing = decay(missing, (turn - atMs) * perMinute, leasedBefore + leasedNow);
    atMs = turn;
    leasedBefore = leasedNow;
    leasedNow = 0;
    holdersBefore = holdersNow;
    holdersNow = 0;
  }
  if (period === undefined) missing = decay(missing, (now - atMs) * perMinute, leasedBefore + leasedNow);
  return { missing, atMs: now, leasedBefore, leasedNow, holdersBefore, holdersNow };
}

function full(atMs: number): Bucket {
  return { missing: 0, atMs, leasedBefore: 0, leasedNow: 0, holdersBefore: 0, holdersNow: 0 };
}

function decay(missing: number, parts: number, leased: number): number {
  return Math.max(missing - parts, leased * PARTS_PER_TOKEN, 0);
}

/**
 * Settles demands on the buckets of one partition (`undefined`: full). Gives the buckets afterwards, in the same order.
 *
 * Nothing overshoots: the valid tokens of a budget, in its bucket and on lease, are never more than its burst (`refill`
 * keeps leased tokens missing, and no more than the burst is ever on lease), and they become valid no faster than it
 * refills: a token leased from future refill is valid only from the instant at which it would have flowed back
 * (`partsUntilFirst`). So between any two instants no more than the burst plus the refill between them is spent.
 */
export function settle(
  buckets: readonly (Bucket | undefined)[],
  demands: readonly Demand[],
  nowMs: number,
): { readonly settlement: Settlement; readonly buckets: readonly Bucket[] } {
  const renewed = demands.map((demand, i) => renew(refill(buckets[i], demand.budget, nowMs), demand));
  const allowed = demands.every(
    ({ budget, need }, i) => need === 0 || tokensIn(renewed[i]?.missing ?? 0, budget.burst) >= need,
  );
  const grants: LeaseGrant[] = [];
  const after = renewed.map((bucket, i): Bucket => {
    const demand = demands[i];
    if (demand === undefined) return bucket;
    const spent = { ...bucket, missing: bucket.missing + (allowed ? demand.need * PARTS_PER_TOKEN : 0) };
    const { holders, granted } = lease(spent, demand);
    const missing = spent.missing + granted * PARTS_PER_TOKEN;
    grants.push({ missing, granted });
    return { ...spent, missing, leasedNow: spent.leasedNow + granted, holdersNow: holders };
  });
  return { settlement: { allowed, nowMs, grants }, buckets: after };
}

/**
 * What was used is on lease no longer, what is given back is in the bucket again, and what is left moves to the present
 * window. Of a lease that the store does not know any more nothing comes back: its tokens have flowed back by themselves.
 */
function renew(bucket: Bucket, { window, used, left, back }: Demand): Bucket {
  const present = windowOf(bucket.atMs);
  const { missing, leasedBefore, leasedNow } = bucket;
  if (window === present) {
    const kept = Math.max(0, leasedNow - used);
    const returned = Math.min(kept, back);
    return { ...bucket, leasedNow: kept - returned, missing: missing - returned * PARTS_PER_TOKEN };
  }
  if (window !== present - 1) return bucket;
  const gone = Math.min(leasedBefore, used + left + back);
  const unused = Math.max(0, gone - used);
  const returned = Math.min(unused, back);
  return {
    ...bucket,
    leasedBefore: leasedBefore - gone,
    leasedNow: leasedNow + unused - returned,
    missing: missing - returned * PARTS_PER_TOKEN,
  };
}

/**
 * How many tokens a holder gets ahead: at most what may be leased of the bucket ÷ (2 × holders), so that many holders can
 * come one after the other and none goes away with all of it; from an empty bucket, a holder's share of the refill to come.
 * A holder that is new may never come again: it gets of the upper half only. The last tokens of a slow budget stay.
 */
function lease(bucket: Bucket, { budget, want, window }: Demand): { holders: number; granted: number } {
  if (want === 0) return { holders: bucket.holdersNow, granted: 0 };
  const holders = bucket.holdersNow + (window === windowOf(bucket.atMs) ? 0 : 1);
  // A holder that was counted in a bucket which the store has lost since is still one.
  const sharers = Math.max(holders, bucket.holdersBefore, 1);
  const inBucket = tokensIn(bucket.missing, budget.burst);
  const ahead = budget.perMinute * LEASE_HORIZON_MS;
  const slow = budget.perMinute < SLOW_BELOW_PER_MINUTE;
  const kept = slow ? NEVER_LEASED : window === -1 ? Math.floor(budget.burst / 2) : 0;
  const spare = Math.floor(Math.max(0, inBucket - kept) / (2 * sharers));
  const share = Math.floor(ahead / (PARTS_PER_TOKEN * sharers));
  const withinHorizon = Math.floor((budget.burst * PARTS_PER_TOKEN - bucket.missing + ahead) / PARTS_PER_TOKEN);
  const withinBurst = budget.burst - bucket.leasedBefore - bucket.leasedNow;
  const granted = Math.max(0, Math.min(want, Math.max(spare, Math.min(share, withinHorizon)), withinBurst));
  return { holders, granted };
}

/** Whole tokens in a bucket; negative when future refill is leased. */
function tokensIn(missing: number, burst: number): number {
  return Math.floor(burst - missing / PARTS_PER_TOKEN);
}

/** How long until as little as `missing` may be missing is reached by refill alone, milliseconds. */
function msUntil(parts: number, perMinute: number): number {
  return Math.ceil(Math.max(0, parts) / perMinute);
}

/** Milliseconds until a bucket that nobody spends from has a token, 0 when it has one. */
export function msUntilToken(missing: number, { burst, perMinute, period }: Budget, nowMs: number): number {
  if (period === undefined) return msUntil(missing + PARTS_PER_TOKEN - burst * PARTS_PER_TOKEN, perMinute);
  return tokensIn(missing, burst) > 0 ? 0 : periodEndsAtMs(period, nowMs) - nowMs;
}

/** Milliseconds until a bucket that nobody spends from is full. */
export function msUntilFull(missing: number, { perMinute, period }: Budget, nowMs: number): number {
  return period === undefined ? msUntil(missing, perMinute) : periodEndsAtMs(period, nowMs) - nowMs;
}

/**
 * From when on leased tokens are valid: the first when this many parts (negative: already) have flowed back since the
 * answer, each further one a token's worth of parts later. A token from the bucket is valid at once, one leased from
 * future refill not before it would have flowed back.
 */
export function partsUntilFirst({ missing, granted }: LeaseGrant, { burst }: Budget): number {
  return missing - (granted - 1 + burst) * PARTS_PER_TOKEN;
}

/** A budget as the caller is told of it: whole tokens left, whole seconds until it is full or, when empty, until one more. */
export function stateOf(budget: Budget, missing: number, nowMs: number): BudgetState {
  const { name, perMinute, burst, period } = budget;
  const remaining = Math.max(0, tokensIn(missing, burst));
  const waitMs = remaining > 0 ? msUntilFull(missing, budget, nowMs) : msUntilToken(missing, budget, nowMs);
  const resetSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  return period === undefined
    ? { name, quota: perMinute, windowSeconds: 60, remaining, resetSeconds }
    : { name, quota: burst, windowSeconds: periodSeconds(period, nowMs), remaining, resetSeconds };
}
