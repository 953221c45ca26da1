/**
 * Tokens of one budget that one isolate has taken ahead. Plain data; every time is handed in, by the isolate's own clock
 * save where the store's is named. `settle` in budgets.ts says why nothing overshoots; what this file owes it: a token is
 * used only while valid and before its lease expires, and the store is told of each use at most once.
 */

import type { Budget, BudgetState } from '../decision/outcome.ts';
import {
  type Demand,
  LEASE_WINDOW_MS,
  type LeaseGrant,
  msUntilToken,
  PARTS_PER_TOKEN,
  partsUntilFirst,
  stateOf,
  windowOf,
} from './budgets.ts';
import { createDemandMeter, type DemandMeter, provision } from './demand-meter.ts';

/** Tokens of one grant that are left: the next is valid once `parts` have flowed back since `sinceMs`. */
interface Grain {
  readonly sinceMs: number;
  readonly perMinute: number;
  parts: number;
  left: number;
}

export interface Lease {
  /** First granted first. */
  grains: Grain[];
  /** The store's window in which it was taken or last renewed; -1: the store may not be told of it. */
  window: number;
  expiresAtMs: number;
  /** Used since the store was last told. */
  used: number;
  /** Set aside for decisions under way, and when these must be over. */
  reserved: number;
  reservedUntilMs: number;
  /** A message about this lease is under way and given up at this time, which also tells it from later ones; 0: none. */
  askedUntilMs: number;
  /** No refill in the background before this. */
  nextRefillMs: number;
  /** The store has no token before this. */
  emptyUntilMs: number;
  /** What was missing at the store when it last answered. */
  missing: number;
  answeredAtMs: number;
  /** Whether that was more than half the burst. */
  scarce: boolean;
  readonly meter: DemandMeter;
}

/** A lease is refilled when no more than this share of the provision is left, and renewed this long before it expires. */
const REFILL_AT_SHARE = 0.25;
const RENEW_BEFORE_MS = 3_000;
/** Pause before the next refill after one that brought less than was wanted, so that scarcity costs few trips. */
const PAUSE_AFTER_LITTLE_MS = 200;
const PAUSE_AFTER_NOTHING_MS = 500;

export function createLease(): Lease {
  return {
    grains: [],
    window: -1,
    expiresAtMs: 0,
    used: 0,
    reserved: 0,
    reservedUntilMs: 0,
    askedUntilMs: 0,
    nextRefillMs: 0,
    emptyUntilMs: 0,
    missing: 0,
    answeredAtMs: 0,
    scarce: false,
    meter: createDemandMeter(),
  };
}

/** Sets one valid token aside until `untilMs`, if there is one. */
export function reserve(lease: Lease, nowMs: number, untilMs: number): boolean {
  expire(lease, nowMs);
  if (nowMs > lease.reservedUntilMs) lease.reserved = 0;
  let valid = -lease.reserved;
  for (const grain of lease.grains) {
    if (valid > 0) break;
    valid += Math.min(grain.left, validIn(grain, nowMs));
  }
  if (valid <= 0) return false;
  lease.reserved += 1;
  lease.reservedUntilMs = untilMs;
  return true;
}

/** How many tokens of a grain would be valid if it had no end. */
function validIn({ sinceMs, perMinute, parts }: Grain, nowMs: number): number {
  return Math.floor(((nowMs - sinceMs) * perMinute - parts) / PARTS_PER_TOKEN) + 1;
}

/** Spends a token that was set aside. If the lease was dropped meanwhile, the token went with it and nothing is left to do. */
export function useReserved(lease: Lease): void {
  const [grain] = lease.grains;
  if (lease.reserved === 0 || grain === undefined) return;
  lease.reserved -= 1;
  grain.parts += PARTS_PER_TOKEN;
  grain.left -= 1;
  if (grain.left === 0) lease.grains.shift();
  lease.used += 1;
}

export function returnReserved(lease: Lease): void {
  lease.reserved = Math.max(0, lease.reserved - 1);
}

/** Milliseconds for which there surely is no token, neither here nor at the store; 0: there may be one. */
export function emptyForMs(lease: Lease, nowMs: number): number {
  const [grain] = lease.grains;
  const storeMs = lease.emptyUntilMs - nowMs;
  if (grain === undefined || storeMs <= 0) return Math.max(0, storeMs);
  return Math.max(0, Math.min(storeMs, grain.sinceMs + Math.ceil(grain.parts / grain.perMinute) - nowMs));
}

/** Whether the lease should be refilled or renewed in the background. */
export function isRefillDue(lease: Lease, nowMs: number): boolean {
  if (nowMs < lease.nextRefillMs || nowMs < lease.askedUntilMs) return false;
  const provided = provision(lease.meter, lease.window !== -1, lease.scarce, nowMs);
  if (provided === 0) return false;
  const left = leftOn(lease);
  return left <= provided * REFILL_AT_SHARE || lease.expiresAtMs - nowMs < RENEW_BEFORE_MS;
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
): { readonly demand: Demand; readonly ticket: number } {
  expire(lease, nowMs);
  const provided = provision(lease.meter, lease.window !== -1, lease.scarce, nowMs);
  if (provided === 0 || nowMs < lease.askedUntilMs) {
    return { demand: { budget, need, want: 0, window: -1, used: 0, left: 0 }, ticket: 0 };
  }
  if (lease.askedUntilMs > 0) lost(lease, lease.askedUntilMs);
  const { window, used } = lease;
  const left = window === -1 ? 0 : leftOn(lease);
  lease.askedUntilMs = untilMs;
  lease.used = 0;
  return {
    demand: {
      budget,
      need,
      want: Math.max(1, provided - left),
      window,
      used: window === -1 ? 0 : used,
      left,
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
  lease.expiresAtMs = askedAtMs + (lease.window + 2) * LEASE_WINDOW_MS - storeMs - graceMs;
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
  askedAtMs: number,
  nowMs: number,
): void {
  lease.missing = missing;
  lease.scarce = missing > (budget.burst * PARTS_PER_TOKEN) / 2;
  lease.answeredAtMs = nowMs;
  const waitMs = msUntilToken(missing, budget);
  lease.emptyUntilMs = waitMs === 0 ? 0 : askedAtMs + waitMs;
}

/**
 * A message about the lease was lost, and nobody knows whether the store has it. The lease may be used to its end, but is
 * never spoken of again: telling of the same use twice would free tokens that others hold.
 */
export function lost(lease: Lease, ticket: number): void {
  if (lease.askedUntilMs !== ticket) return;
  lease.askedUntilMs = 0;
  lease.window = -1;
}

/** The budget as far as this isolate knows: what the store last said, refilled since, and what is left here. */
export function stateIn(lease: Lease, budget: Budget, nowMs: number): BudgetState {
  const left = leftOn(lease) * PARTS_PER_TOKEN;
  const flowedBack = (nowMs - lease.answeredAtMs) * budget.perMinute;
  return stateOf(budget, Math.max(lease.missing - flowedBack - left, 0));
}

function leftOn({ grains }: Lease): number {
  let left = 0;
  for (const grain of grains) left += grain.left;
  return left;
}

function expire(lease: Lease, nowMs: number): void {
  if (nowMs >= lease.expiresAtMs) drop(lease);
}

function drop(lease: Lease): void {
  lease.grains = [];
  lease.window = -1;
  lease.reserved = 0;
}
