import type { AuditRecord } from '../../audit/schema.ts';
import { readRecords } from '../audit/search.ts';
import { command } from '../command.ts';

/** What one kind of caller would be refused, or given, at one endpoint. */
interface Row {
  readonly endpoint: string;
  readonly identity: string | null;
  readonly kind: 'would_deny' | 'shadow_denies' | 'shadow_allows' | 'shadow_differs';
  readonly code: string | null;
  readonly reason: string | null;
  count: number;
  since: string;
  until: string;
}

export const shadow = command({
  summary: 'Summarizes a trial: who would be refused, where, and since when.',
  options: {
    since: {
      type: 'string',
      value: 'TIME',
      default: '24h',
      means: 'Start of the period: a date, an instant, or an age such as 30m, 12h or 7d.',
    },
  },
  examples: [{ line: 'policy shadow --since 7d', does: 'Summarizes the last seven days.' }],
  json: 'An object: `rows`, each with `endpoint`, `identity`, `kind`, `code`, `reason`, `count`, `since` and `until`.',
  exits: { no: 'A part of the archive could not be searched.' },
  async run({ since }, console) {
    const rows = new Map<string, Row>();
    const status = await readRecords({ from: since }, console, (record) => collect(rows, record));
    const sorted = [...rows.values()].sort((a, b) => b.count - a.count);
    console.answer({ rows: sorted });
    console.table(['COUNT', 'ENDPOINT', 'CALLER', 'FINDING', 'TIME'], sorted.map(cellsOf));
    console.sentence(sorted.length === 0 ? 'nothing would be decided otherwise' : adviceFor(sorted));
    return status;
  },
});

function collect(rows: Map<string, Row>, record: AuditRecord): void {
  const kind = kindOf(record);
  if (kind === null) return;
  const code = kind === 'would_deny' ? record.code : (record.shadow?.code ?? null);
  const endpoint = `${record.method} ${record.pattern ?? '(no row)'}`;
  const key = [endpoint, record.identity, kind, code].join(' ');
  const row = rows.get(key);
  if (row !== undefined) {
    row.count++;
    if (record.ts < row.since) row.since = record.ts;
    if (record.ts > row.until) row.until = record.ts;
    return;
  }
  const reason = kind === 'would_deny' ? record.reason_detail : null;
  rows.set(key, {
    endpoint,
    identity: record.identity,
    kind,
    code,
    reason,
    count: 1,
    since: record.ts,
    until: record.ts,
  });
}

function kindOf({ outcome, shadow: other }: AuditRecord): Row['kind'] | null {
  if (outcome === 'would_deny') return 'would_deny';
  if (other === undefined) return null;
  if (other.outcome === 'denied' && outcome === 'denied') return 'shadow_differs';
  return other.outcome === 'denied' ? 'shadow_denies' : 'shadow_allows';
}

const SAID = {
  would_deny: 'would be refused',
  shadow_denies: 'the shadow table refuses',
  shadow_allows: 'the shadow table allows',
  shadow_differs: 'is refused, and the shadow table refuses otherwise',
} as const;

function cellsOf({ endpoint, identity, kind, code, reason, count, since, until }: Row): string[] {
  const why = [code, reason].filter((text) => text !== null).join(' ');
  const finding = `${SAID[kind]}${why === '' ? '' : ` (${why})`}`;
  return [String(count).padStart(7), endpoint, identity ?? 'nobody', finding, `${since} to ${until}`];
}

/** The step from what was found to the rows that would let these callers in. */
function adviceFor(rows: readonly Row[]): string {
  const losses = rows.filter(({ kind }) => kind === 'would_deny' || kind === 'shadow_denies');
  const refused = new Set(losses.map(({ endpoint }) => endpoint));
  if (refused.size === 0) return 'nobody loses access';
  return `to let them in: change the scope of ${[...refused].join(', ')} in the policy, or grant it to these callers (audit pseudonym tells whose name is whose); policy diff shows what the change does`;
}
