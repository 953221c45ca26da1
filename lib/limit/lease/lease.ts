/** What an isolate and the store tell each other of a lease. Plain data in, plain data out; every time is handed in. */

import type { Budget, BudgetState } from '../../decision/outcome.ts';
import {
  type Demand,
  LEASE_WINDOW_MS,
  type LeaseGrant,
  msUntilToken,
  NEVER_LEASED,
  PARTS_PER_TOKEN,
  partsUntilFirst,
  SLOW_BELOW_PER_MINUTE,
  stateOf,
  windowOf,
} from '../budgets.ts';
import { periodEndsAtMs, periodOf } from '../calendar.ts';
import { provision } from '../demand-meter.ts';
import { drop, expire, giveBack, type Lease, leftOn } from './lease-tokens.ts';

/** A lease is refilled when no more than this share of the provision is left, and renewed this long before it expires. */
const REFILL_AT_SHARE = 0.25;
const RENEW_BEFORE_MS = 3_000;
/** Pause before the next refill after one that brought less than was wanted, so that scarcity costs few trips. */
const PAUSE_AFTER_LITTLE_MS = 200;
const PAUSE_AFTER_NOTHING_MS = 500;
/** Tokens beyond this many times the provision are given back. */
const SURPLUS_FROM = 2;
/** How long a period counts as spent before the store is asked again: an operator may have granted more. */
const SPENT_PERIOD_MS = 5_000;
/** Tokens that nobody used for so long go back; sooner where the lease is about to expire with them. */
const IDLE_MS = 5_000;
const IDLE_AT_THE_END_MS = 1_500;

/** Milliseconds for which there surely is no token, neither here nor at the store; 0: there may be one. */
export function emptyForMs(lease: Lease, nowMs: number): number {
  const [grain] = lease.grains;
  const storeMs = lease.emptyUntilMs - nowMs;
  if (grain === undefined || storeMs <= 0) return Math.max(0, storeMs);
  const validMs = grain.perMinute === 0 ? 0 : grain.sinceMs + Math.ceil(grain.parts / grain.perMinute) - nowMs;
  return Math.max(0, Math.min(storeMs, validMs));
}

/** Whether the lease should be refilled, renewed or given back in the background. */
export function isRefillDue(lease: Lease, budget: Budget, nowMs: number): boolean {
  if (nowMs < lease.nextRefillMs || nowMs < lease.askedUntilMs) return false;
  const provided = provisionOf(lease, budget, nowMs);
  const left = leftOn(lease);
  if (provided === 0) return lease.window !== -1 && left > lease.reserved;
  return left <= provided * REFILL_AT_SHARE || lease.expiresAtMs - nowMs < RENEW_BEFORE_MS;
}

/** Whether tokens lie here that nobody seems to need any more and that the store can still take back. */
export function isStray(lease: Lease, nowMs: number): boolean {
  if (lease.window === -1 || nowMs < lease.askedUntilMs || nowMs >= lease.expiresAtMs) return false;
  const idleMs = lease.expiresAtMs - nowMs < RENEW_BEFORE_MS ? IDLE_AT_THE_END_MS : IDLE_MS;
  return nowMs - lease.meter.lastUseMs > idleMs && leftOn(lease) > lease.reserved;
}

/** A slow budget too small to be leased at all is not asked for a lease. */
function provisionOf(lease: Lease, { burst, perMinute }: Budget, nowMs: number): number {
  if (perMinute < SLOW_BELOW_PER_MINUTE && burst <= NEVER_LEASED) return 0;
  const atStore = burst - lease.missing / PARTS_PER_TOKEN;
  return provision(lease.meter, lease.window !== -1, lease.scarce, atStore, nowMs);
}

/**
 * What to ask of the store: `need` tokens now, and, if the identity is served often and no other message is under way, a
 * refilled lease. A demand that speaks of the lease has a `ticket` above 0, and must come to `answered` or `lost` with it;
 * when it has not by `untilMs`, it counts as lost.
 */
export function demandOf(
  lease: Lease,
  budget: Budget,
  need: 0 | 1,
  nowMs: number,
  untilMs: number,
  returning = false,
): { readonly demand: Demand; readonly ticket: number } {
  expire(lease, nowMs);
  const provided = returning ? 0 : provisionOf(lease, budget, nowMs);
  const surplus = lease.window === -1 ? 0 : leftOn(lease) - provided * SURPLUS_FROM;
  if (surplus > 0) giveBack(lease, Math.ceil(leftOn(lease) - provided));
  if ((provided === 0 && lease.back === 0) || nowMs < lease.askedUntilMs) {
    return { demand: { budget, need, want: 0, window: -1, used: 0, left: 0, back: 0 }, ticket: 0 };
  }
  if (lease.askedUntilMs > 0) lost(lease, lease.askedUntilMs);
  const { window, used, back } = lease;
  const left = window === -1 ? 0 : leftOn(lease);
  lease.askedUntilMs = untilMs;
  lease.used = 0;
  lease.back = 0;
  return {
    demand: {
      budget,
      need,
      want: surplus > 0 || provided === 0 ? 0 : Math.max(1, provided - left),
      window,
      used: window === -1 ? 0 : used,
      left,
      back: window === -1 ? 0 : back,
    },
    ticket: untilMs,
  };
}

/**
 * Takes in the store's answer to a demand that spoke of the lease. It ends `graceMs` before the store's windows do, lest a
 * decision that has set a token aside outlive it.
 */
export function answered(
  lease: Lease,
  { budget, want, window }: Demand,
  { granted, missing }: LeaseGrant,
  ticket: number,
  times: { readonly storeMs: number; readonly askedAtMs: number; readonly nowMs: number; readonly graceMs: number },
): void {
  if (lease.askedUntilMs !== ticket) return;
  const { storeMs, askedAtMs, nowMs, graceMs } = times;
  lease.askedUntilMs = 0;
  if (window === -1) drop(lease);
  lease.window = windowOf(storeMs);
  const windowsEndMs = (lease.window + 2) * LEASE_WINDOW_MS;
  const endsMs =
    budget.period === undefined ? windowsEndMs : Math.min(windowsEndMs, periodEndsAtMs(budget.period, storeMs));
  lease.expiresAtMs = askedAtMs + endsMs - storeMs - graceMs;
  lease.nextRefillMs = granted < want ? nowMs + (granted > 0 ? PAUSE_AFTER_LITTLE_MS : PAUSE_AFTER_NOTHING_MS) : 0;
  if (granted === 0) return;
  const parts = partsUntilFirst({ granted, missing }, budget);
  lease.grains.push({ sinceMs: nowMs, perMinute: budget.perMinute, parts, left: granted });
}

/** Remembers what any answer of the store says of the budget. */
export function noteStore(
  lease: Lease,
  budget: Budget,
  { missing }: LeaseGrant,
  { storeMs, askedAtMs, nowMs }: { readonly storeMs: number; readonly askedAtMs: number; readonly nowMs: number },
): void {
  lease.missing = missing;
  lease.scarce = missing > (budget.burst * PARTS_PER_TOKEN) / 2;
  lease.answeredAtMs = nowMs;
  const waitMs = msUntilToken(missing, budget, storeMs);
  lease.refillsAtMs = waitMs === 0 ? 0 : askedAtMs + waitMs;
  const knownMs = budget.period === undefined ? waitMs : Math.min(waitMs, SPENT_PERIOD_MS);
  lease.emptyUntilMs = waitMs === 0 ? 0 : askedAtMs + knownMs;
}

/**
 * A message about the lease was lost, and nobody knows whether the store has it. The lease may be used to its end, but is
 * never spoken of again: telling of the same use twice would free tokens that others hold.
 */
export function lost(lease: Lease, ticket: number): void {
  if (lease.askedUntilMs !== ticket) return;
  lease.askedUntilMs = 0;
  lease.window = -1;
  lease.back = 0;
}

/** The budget as far as this isolate knows: what the store last said, refilled since, and what is left here. */
export function stateIn(lease: Lease, budget: Budget, nowMs: number): BudgetState {
  const left = leftOn(lease) * PARTS_PER_TOKEN;
  if (budget.period !== undefined) {
    const isOver = periodOf(budget.period, nowMs) !== periodOf(budget.period, lease.answeredAtMs);
    return stateOf(budget, isOver ? 0 : lease.missing - left, nowMs);
  }
  const flowedBack = (nowMs - lease.answeredAtMs) * budget.perMinute;
  return stateOf(budget, Math.max(lease.missing - flowedBack - left, 0), nowMs);
}
