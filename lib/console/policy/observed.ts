import type { AuditRecord } from '../../audit/schema.ts';
import { endpointOf } from '../records/summary.ts';

/** What a trial would decide otherwise at one endpoint, as records tell it. */
export interface Observed {
  readonly endpoint: string;
  readonly kind: 'would_deny' | 'shadow_denies' | 'shadow_allows' | 'shadow_differs';
  readonly code: string | null;
  count: number;
  /** Pseudonyms; those nobody verified count once. */
  readonly callers: Set<string>;
}

/** Sums up decisions that a trial would have made otherwise, most first. */
export function observedIn(records: readonly AuditRecord[]): readonly Observed[] {
  const found = new Map<string, Observed>();
  for (const record of records) {
    const kind = kindOf(record);
    if (kind === null) continue;
    const code = kind === 'would_deny' ? record.code : (record.shadow?.code ?? null);
    const endpoint = endpointOf(record);
    const key = [endpoint, kind, code].join(' ');
    const row = found.get(key) ?? { endpoint, kind, code, count: 0, callers: new Set<string>() };
    found.set(key, row);
    row.count++;
    row.callers.add(record.identity ?? '');
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

function kindOf({ outcome, shadow }: AuditRecord): Observed['kind'] | null {
  if (outcome === 'would_deny') return outcome;
  if (shadow === undefined) return null;
  if (shadow.outcome === 'allowed') return 'shadow_allows';
  return outcome === 'allowed' ? 'shadow_denies' : 'shadow_differs';
}
