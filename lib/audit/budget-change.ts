import type { Outbox } from './outbox.ts';
import type { BudgetChangeRecord } from './schema.ts';

/** What an operator did with budgets, as its record tells it. */
export interface BudgetChangeFacts {
  readonly id: string;
  readonly atMs: number;
  readonly action: 'reset' | 'grant';
  /** Pseudonym of whose budgets. */
  readonly identity: string;
  readonly budgets: readonly string[];
  /** Tokens that were granted; null for a reset. */
  readonly tokens: number | null;
}

/** Records one change of budgets by an operator. Returns whether the record is stored. Never rejects. */
export async function recordBudgetChange(facts: BudgetChangeFacts, outbox: Outbox): Promise<boolean> {
  const { id, atMs, action, identity, budgets, tokens } = facts;
  const record: BudgetChangeRecord = {
    type: 'budget_change',
    version: 1,
    id,
    ts: new Date(atMs).toISOString(),
    action,
    identity,
    budgets: [...budgets],
    tokens,
  };
  try {
    return (await outbox.append(JSON.stringify(record))).outcome === 'stored';
  } catch {
    return false;
  }
}
