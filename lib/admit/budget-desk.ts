import type { Budget, BudgetState } from '../decision/outcome.ts';
import { exactly, PARTS_PER_TOKEN, stateOf } from '../limit/budgets.ts';
import { periodEndsAtMs } from '../limit/calendar.ts';
import type { RedisConnection } from '../redis/connection.ts';
import { GRANT_TOKENS } from '../redis/scripts.ts';
import { createRedisStore } from './redis-store.ts';

/** What an operator does with the budgets of one partition. Null where the store does not answer. */
export interface BudgetDesk {
  show(partition: string, budgets: readonly Budget[]): Promise<readonly BudgetState[] | null>;
  /** Makes budgets full again. */
  reset(partition: string, budgets: readonly Budget[]): Promise<boolean | null>;
  /** Adds tokens to a quota of the day or month, beyond the quota if need be, until the period ends. */
  grant(
    partition: string,
    budget: Budget & { readonly period: 'day' | 'month' },
    tokens: number,
  ): Promise<boolean | null>;
}

/** The desk of the budgets in Redis. Leases that are out go on until they end, 20 s at most. */
export function createBudgetDesk(connection: RedisConnection): BudgetDesk {
  const store = createRedisStore(connection);
  const look = async (partition: string, budgets: readonly Budget[]) => {
    const demands = budgets.map((budget) => ({ ...exactly(budget), need: 0 as const }));
    const found = await store.ask({ partition, demands, fields: [], issuedAtSeconds: null, knownVersion: null });
    return found.found === 'settled' ? found.settlement : null;
  };
  return {
    async show(partition, budgets) {
      const settlement = await look(partition, budgets);
      if (settlement === null) return null;
      return budgets.map((budget, i) => stateOf(budget, settlement.grants[i]?.missing ?? 0, settlement.nowMs));
    },
    async reset(partition, budgets) {
      const keys = budgets.map(({ name }) => connection.keys.budget(name, partition));
      const reply = await connection.trip((client, signal) => client.command(['DEL', ...keys], signal, true));
      return reply.answered ? true : null;
    },
    async grant(partition, budget, tokens) {
      // A look settles the bucket in its present period, which the grant then belongs to.
      const settlement = await look(partition, [budget]);
      if (settlement === null) return null;
      const lifetimeMs = periodEndsAtMs(budget.period, settlement.nowMs) - settlement.nowMs;
      const key = connection.keys.budget(budget.name, partition);
      const reply = await connection.run(GRANT_TOKENS, [key], [tokens * PARTS_PER_TOKEN, Math.max(1, lifetimeMs)]);
      return reply.answered ? true : null;
    },
  };
}
