import type { AuditRecord } from '../../audit/schema.ts';
import { isConsole } from '../records/summary.ts';

/** A caller as the latest records show it. */
export interface Caller {
  /** Pseudonym. */
  readonly identity: string;
  requests: number;
  denied: number;
  lastMs: number;
  lastRequestId: string;
  /** What was left of its budgets with the last request that spent from any. */
  budgets: AuditRecord['budgets'];
}

/** Callers by the number of their requests, most first; callers nobody verified are not among them. */
export function busiest(records: readonly AuditRecord[]): readonly Caller[] {
  const callers = new Map<string, Caller>();
  for (const record of records) {
    const { identity } = record;
    if (identity === null || isConsole(record)) continue;
    const known = callers.get(identity);
    const caller = known ?? { identity, requests: 0, denied: 0, lastMs: 0, lastRequestId: '', budgets: [] };
    if (known === undefined) callers.set(identity, caller);
    caller.requests++;
    if (record.outcome === 'denied') caller.denied++;
    caller.lastMs = Date.parse(record.ts);
    caller.lastRequestId = record.request_id;
    if (record.budgets.length > 0) caller.budgets = record.budgets;
  }
  return [...callers.values()].sort((a, b) => b.requests - a.requests || b.lastMs - a.lastMs);
}
