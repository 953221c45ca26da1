/**
 * Tokens of one budget that one isolate has taken ahead. Plain data; every time is handed in, by the isolate's own clock
 * save where the store's is named. `settle` in budgets.ts says why nothing overshoots; what this file owes it: a token is
 * used only while valid and before its lease expires, and the store is told of each use at most once.
 */

import type { Budget } from '../../decision/outcome.ts';
import { PARTS_PER_TOKEN } from '../budgets.ts';
import { createDemandMeter, type DemandMeter } from '../demand-meter.ts';

/** Tokens of one grant that are left: the next is valid once `parts` have flowed back since `sinceMs`. */
interface Grain {
  readonly sinceMs: number;
  readonly perMinute: number;
  parts: number;
  left: number;
}

export interface Lease {
  /** Of which budget, as it was last asked for. */
  budget: Budget;
  /** First granted first. */
  grains: Grain[];
  /** The store's window in which it was taken or last renewed; -1: the store may not be told of it. */
  window: number;
  expiresAtMs: number;
  /** Used since the store was last told. */
  used: number;
  /** Tokens that go back to the store with the next message. */
  back: number;
  /** Set aside for decisions under way, and when these must be over. */
  reserved: number;
  reservedUntilMs: number;
  /** A message about this lease is under way and given up at this time, which also tells it from later ones; 0: none. */
  askedUntilMs: number;
  /** No refill in the background before this. */
  nextRefillMs: number;
  /** The store is not asked for a token before this, since it has none. */
  emptyUntilMs: number;
  /** When the store has a token again: later than that where an operator may grant one before. */
  refillsAtMs: number;
  /** What was missing at the store when it last answered. */
  missing: number;
  answeredAtMs: number;
  /** Whether that was more than half the burst. */
  scarce: boolean;
  readonly meter: DemandMeter;
}

export function createLease(budget: Budget): Lease {
  return {
    budget,
    grains: [],
    window: -1,
    expiresAtMs: 0,
    used: 0,
    back: 0,
    reserved: 0,
    reservedUntilMs: 0,
    askedUntilMs: 0,
    nextRefillMs: 0,
    emptyUntilMs: 0,
    refillsAtMs: 0,
    missing: 0,
    answeredAtMs: 0,
    scarce: false,
    meter: createDemandMeter(),
  };
}

/** The lease for a budget whose figures may be others now, as after a change of plan: tokens under the old ones go back. */
export function underFigures(lease: Lease, budget: Budget): Lease {
  const { perMinute, burst } = lease.budget;
  if (perMinute !== budget.perMinute || burst !== budget.burst) {
    giveBack(lease, Number.MAX_SAFE_INTEGER);
    lease.emptyUntilMs = 0;
    lease.nextRefillMs = 0;
  }
  lease.budget = budget;
  return lease;
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

/** Sets unused tokens aside for the way back to the store, the last granted first; those reserved stay. */
export function giveBack(lease: Lease, count: number): void {
  let rest = Math.min(count, leftOn(lease) - lease.reserved);
  while (rest > 0) {
    const grain = lease.grains.at(-1);
    if (grain === undefined) return;
    const taken = Math.min(rest, grain.left);
    grain.left -= taken;
    lease.back += taken;
    rest -= taken;
    if (grain.left === 0) lease.grains.pop();
  }
}

/** Tokens that are here, valid already or not yet. */
export function leftOn({ grains }: Lease): number {
  let left = 0;
  for (const grain of grains) left += grain.left;
  return left;
}

/** Drops a lease that is over. */
export function expire(lease: Lease, nowMs: number): void {
  if (nowMs >= lease.expiresAtMs) drop(lease);
}

/** Forgets every token of a lease. */
export function drop(lease: Lease): void {
  lease.grains = [];
  lease.window = -1;
  lease.reserved = 0;
  lease.back = 0;
}
