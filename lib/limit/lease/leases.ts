import { createRecentMap } from '../../codec/recent-map.ts';
import type { Budget, BudgetState } from '../../decision/outcome.ts';
import type { Demand, Settlement } from '../budgets.ts';
import { noteUse } from '../demand-meter.ts';
import { answered, demandOf, emptyForMs, isRefillDue, lost, noteStore, stateIn } from './lease.ts';
import { createLease, type Lease, reserve, returnReserved, underFigures, useReserved } from './lease-tokens.ts';
import { createStrays } from './stray-leases.ts';

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
  /** After the store refused: whether every token is here by now, from leases that others have brought. They are spent. */
  claim(plan: Plan, nowMs: number): boolean;
  release(plan: Plan): void;
  /** What to ask the store for the decision itself: tokens that are not here, and leases. */
  ask(plan: Plan, nowMs: number): Message;
  /** What to ask the store in the background, or null while nothing is due. */
  refill(plan: Plan, nowMs: number): Message | null;
  /** Tokens of any partition that lie unused here and go back to the store, or null while there are none. */
  stray(nowMs: number): { readonly partition: string; readonly message: Message } | null;
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
  readonly partition: string;
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
  const strays = createStrays();

  return {
    plan: (partition, budgets, nowMs) => planFor(holdings, partition, budgets, nowMs, patienceMs),
    commit({ items }) {
      for (const { lease, reserved } of items) if (reserved) useReserved(lease);
    },
    claim: ({ items }, nowMs) => claim(items, nowMs, patienceMs),
    release({ items }) {
      for (const { lease, reserved } of items) if (reserved) returnReserved(lease);
    },
    ask: ({ partition, items }, nowMs) => messageOf('decision', partition, items, nowMs, patienceMs),
    refill({ partition, items }, nowMs) {
      const due = items.filter(({ lease, budget }) => isRefillDue(lease, budget, nowMs));
      return due.length === 0 ? null : messageOf('refill', partition, due, nowMs, patienceMs);
    },
    stray(nowMs) {
      const found = strays.next(nowMs);
      if (found === null) return null;
      const { partition, lease } = found;
      const items = [{ budget: lease.budget, lease, reserved: true }];
      return { partition, message: messageOf('return', partition, items, nowMs, patienceMs) };
    },
    settle({ demands, about, partition }, settlement, askedAtMs, nowMs) {
      for (const [i, { lease, ticket }] of about.entries()) {
        const [demand, grant] = [demands[i], settlement?.grants[i]];
        if (demand === undefined || settlement === null || grant === undefined) {
          if (ticket > 0) lost(lease, ticket);
          continue;
        }
        const times = { storeMs: settlement.nowMs, askedAtMs, nowMs, graceMs: patienceMs };
        noteStore(lease, demand.budget, grant, times);
        if (ticket > 0) answered(lease, demand, grant, ticket, times);
        if (grant.granted > 0) strays.watch(partition, lease);
      }
    },
    states: ({ items }, nowMs) => items.map(({ lease, budget }) => stateIn(lease, budget, nowMs)),
  };
}

function planFor(
  holdings: Holdings,
  partition: string,
  budgets: readonly Budget[],
  nowMs: number,
  patienceMs: number,
): Plan {
  const items: PlanItem[] = [];
  let [kind, refuser, longestMs]: [Plan['kind'], Plan['refuser'], number] = ['local', null, 0];
  for (const budget of budgets) {
    const lease = holdings.lease(partition, budget);
    const reserved = reserve(lease, nowMs, nowMs + patienceMs);
    items.push({ budget, lease, reserved });
    if (reserved) continue;
    const emptyMs = emptyForMs(lease, nowMs);
    if (emptyMs > longestMs) {
      longestMs = emptyMs;
      const untilMs = Math.max(emptyMs, budget.period === undefined ? 0 : lease.refillsAtMs - nowMs);
      refuser = { budget: budget.name, retryAfterSeconds: Math.max(1, Math.ceil(untilMs / 1000)) };
    }
    kind = 'ask';
  }
  if (refuser !== null) kind = 'empty';
  for (const { lease, budget } of items)
    if (refuser === null || budget.name === refuser.budget) noteUse(lease.meter, nowMs);
  return { partition, items, kind, refuser };
}

function claim(items: readonly PlanItem[], nowMs: number, patienceMs: number): boolean {
  const claimed: Lease[] = [];
  for (const { lease, reserved } of items) {
    if (reserved) continue;
    if (!reserve(lease, nowMs, nowMs + patienceMs)) {
      for (const each of claimed) returnReserved(each);
      return false;
    }
    claimed.push(lease);
  }
  for (const { lease } of items) useReserved(lease);
  return true;
}

function messageOf(
  kind: 'decision' | 'refill' | 'return',
  partition: string,
  items: readonly PlanItem[],
  nowMs: number,
  patienceMs: number,
): Message {
  const demands: Demand[] = [];
  const about: { lease: Lease; ticket: number }[] = [];
  for (const { budget, lease, reserved } of items) {
    const need = kind === 'decision' && !reserved ? 1 : 0;
    const { demand, ticket } = demandOf(lease, budget, need, nowMs, nowMs + patienceMs, kind === 'return');
    demands.push(demand);
    about.push({ lease, ticket });
  }
  return { partition, demands, about };
}

type Holdings = ReturnType<typeof createHoldings>;

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
    lease(partition: string, budget: Budget): Lease {
      const held = ofPartition(partition);
      const known = held.get(budget.name);
      if (known !== undefined) return known.budget === budget ? known : underFigures(known, budget);
      const lease = createLease(budget);
      held.set(budget.name, lease);
      return lease;
    },
  };
}
