import { createRecentMap } from '../codec/recent-map.ts';
import type { Budget, BudgetState } from '../decision/outcome.ts';
import type { Demand, Settlement } from './budgets.ts';
import { noteUse } from './demand-meter.ts';
import {
  answered,
  createLease,
  demandOf,
  emptyForMs,
  isRefillDue,
  type Lease,
  lost,
  noteStore,
  reserve,
  returnReserved,
  stateIn,
  useReserved,
} from './lease.ts';

/**
 * The leases of one isolate: with them it decides without a trip on identities that it serves often. They never let a
 * budget be overshot (see `settle` in budgets.ts); they can only refuse wrongly, by tokens that lie unused elsewhere, and so
 * are kept small: what the isolate itself used in the last seconds, refilled in the background. Rare identities and small
 * budgets stay exact. An empty budget is remembered until it can have refilled, and refuses without a trip.
 *
 * Holds plain data only, no promise: one instance may serve all requests of a Worker.
 */
export interface Leases {
  /** Looks for a token of each budget here, and sets those aside that there are: `commit` or `release` must follow. */
  plan(partition: string, budgets: readonly Budget[], nowMs: number): Plan;
  commit(plan: Plan): void;
  release(plan: Plan): void;
  /** What to ask the store for the decision itself: tokens that are not here, and leases. */
  ask(plan: Plan, nowMs: number): Message;
  /** What to ask the store in the background, or null while nothing is due. */
  refill(plan: Plan, nowMs: number): Message | null;
  /** Takes in the answer to a message; null: it was lost. Every message must come to this. */
  settle(message: Message, settlement: Settlement | null, askedAtMs: number, nowMs: number): void;
  states(plan: Plan, nowMs: number): BudgetState[];
}

export interface Plan {
  readonly partition: string;
  readonly items: readonly PlanItem[];
  /** `local`: all tokens are here. `empty`: a budget is known to be empty. `ask`: only the store knows. */
  readonly kind: 'local' | 'empty' | 'ask';
  /** Which budget refuses and for how long, when `empty`. */
  readonly refuser: { readonly budget: string; readonly retryAfterSeconds: number } | null;
}

interface PlanItem {
  readonly budget: Budget;
  readonly lease: Lease;
  readonly reserved: boolean;
}

export interface Message {
  readonly demands: readonly Demand[];
  /** For each demand its lease, and the ticket with which it speaks of it (0: it does not). */
  readonly about: readonly { readonly lease: Lease; readonly ticket: number }[];
}

export interface LeaseSettings {
  /** Longest a trip may take. */
  readonly timeoutMs: number;
  /** Partitions with leases at most. Of those beyond, the ones not used for longest are dropped, which costs their tokens. */
  readonly maximumPartitions: number;
}

/** On top of the deadline of a trip: how long an answer may take to be seen. */
const PATIENCE_MS = 250;

export function createLeases(settings: LeaseSettings): Leases {
  const patienceMs = settings.timeoutMs + PATIENCE_MS;
  const holdings = createHoldings(settings.maximumPartitions);

  const compose = (items: readonly PlanItem[], needed: boolean, nowMs: number): Message => {
    const demands: Demand[] = [];
    const about: { lease: Lease; ticket: number }[] = [];
    for (const { budget, lease, reserved } of items) {
      const { demand, ticket } = demandOf(lease, budget, needed && !reserved ? 1 : 0, nowMs, nowMs + patienceMs);
      demands.push(demand);
      about.push({ lease, ticket });
    }
    return { demands, about };
  };

  return {
    plan(partition, budgets, nowMs) {
      const items: PlanItem[] = [];
      let [kind, refuser, longestMs]: [Plan['kind'], Plan['refuser'], number] = ['local', null, 0];
      for (const budget of budgets) {
        const lease = holdings.lease(partition, budget.name);
        const reserved = reserve(lease, nowMs, nowMs + patienceMs);
        items.push({ budget, lease, reserved });
        if (reserved) continue;
        const emptyMs = emptyForMs(lease, nowMs);
        if (emptyMs > longestMs) {
          longestMs = emptyMs;
          refuser = { budget: budget.name, retryAfterSeconds: Math.max(1, Math.ceil(emptyMs / 1000)) };
        }
        kind = 'ask';
      }
      if (refuser !== null) kind = 'empty';
      for (const { lease, budget } of items)
        if (refuser === null || budget.name === refuser.budget) noteUse(lease.meter, nowMs);
      return { partition, items, kind, refuser };
    },
    commit({ items }) {
      for (const { lease, reserved } of items) if (reserved) useReserved(lease);
    },
    release({ items }) {
      for (const { lease, reserved } of items) if (reserved) returnReserved(lease);
    },
    ask: ({ items }, nowMs) => compose(items, true, nowMs),
    refill({ items }, nowMs) {
      const due = items.filter(({ lease }) => isRefillDue(lease, nowMs));
      return due.length === 0 ? null : compose(due, false, nowMs);
    },
    settle({ demands, about }, settlement, askedAtMs, nowMs) {
      for (const [i, { lease, ticket }] of about.entries()) {
        const [demand, grant] = [demands[i], settlement?.grants[i]];
        if (demand === undefined || settlement === null || grant === undefined) {
          if (ticket > 0) lost(lease, ticket);
          continue;
        }
        noteStore(lease, demand.budget, grant, askedAtMs, nowMs);
        const times = { storeMs: settlement.nowMs, askedAtMs, nowMs, graceMs: patienceMs };
        if (ticket > 0) answered(lease, demand, grant, ticket, times);
      }
    },
    states: ({ items }, nowMs) => items.map(({ lease, budget }) => stateIn(lease, budget, nowMs)),
  };
}

/** The leases of each partition by budget, for as many partitions as were used of late. */
function createHoldings(maximumPartitions: number) {
  const partitions = createRecentMap<Map<string, Lease>>({ maximumEntries: maximumPartitions });
  const ofPartition = (partition: string): Map<string, Lease> => {
    const known = partitions.get(partition);
    if (known !== undefined) return known;
    const held = new Map<string, Lease>();
    partitions.set(partition, held);
    return held;
  };
  return {
    lease(partition: string, budgetName: string): Lease {
      const held = ofPartition(partition);
      const known = held.get(budgetName);
      if (known !== undefined) return known;
      const lease = createLease();
      held.set(budgetName, lease);
      return lease;
    },
  };
}
