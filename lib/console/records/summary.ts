import type { AuditRecord } from '../../audit/schema.ts';
import type { WindowState } from './window.ts';

/** Denials of one endpoint with one code and one reason. */
export interface DeniedGroup {
  readonly key: string;
  readonly endpoint: string;
  readonly status: number | null;
  readonly code: string;
  readonly reason: string;
  readonly detail: string;
  readonly count: number;
  /** Different callers behind them; those nobody verified count by their address. */
  readonly callers: number;
  readonly lastMs: number;
  readonly lastRequestId: string;
}

/** What the live screen shows, whole: a snapshot is as long for ten records a second as for a thousand. */
export interface DeniedSummary {
  readonly atMs: number;
  readonly fromMs: number;
  readonly isAnswering: boolean;
  readonly allowed: number;
  readonly denied: number;
  /** Allowed and denied in each slice of the window, the latest last. */
  readonly slices: readonly (readonly [allowed: number, denied: number])[];
  readonly groups: readonly DeniedGroup[];
  readonly groupsLeftOut: number;
}

const SLICES = 60;
const MAXIMUM_GROUPS = 40;

interface Gathering {
  readonly record: AuditRecord;
  readonly callers: Set<string>;
  count: number;
  lastMs: number;
  lastRequestId: string;
}

/** Sums up the records of the last `spanMs` before `atMs`. The console's own views are no traffic. */
export function summarize(state: WindowState, atMs: number, spanMs: number): DeniedSummary {
  const fromMs = Math.max(state.fromMs, atMs - spanMs);
  const sliceMs = spanMs / SLICES;
  const slices = Array.from({ length: SLICES }, (): [number, number] => [0, 0]);
  const groups = new Map<string, Gathering>();
  let [allowed, denied] = [0, 0];
  for (const record of state.records) {
    const ts = Date.parse(record.ts);
    if (ts < fromMs || isConsole(record)) continue;
    const isDenied = record.outcome === 'denied';
    if (isDenied) denied++;
    else allowed++;
    const slice = slices[Math.min(SLICES - 1, SLICES - 1 - Math.floor((atMs - ts) / sliceMs))];
    if (slice !== undefined) slice[isDenied ? 1 : 0]++;
    if (isDenied) gather(groups, record, ts);
  }
  const sorted = [...groups].map(([key, group]) => shown(key, group)).sort(byCount);
  return {
    atMs,
    fromMs,
    isAnswering: state.isAnswering,
    allowed,
    denied,
    slices,
    groups: sorted.slice(0, MAXIMUM_GROUPS),
    groupsLeftOut: Math.max(0, sorted.length - MAXIMUM_GROUPS),
  };
}

/** Whether a record is about the console itself. */
export function isConsole({ action }: Pick<AuditRecord, 'action'>): boolean {
  return action?.startsWith('console_') === true;
}

/** The endpoint of a record, in words. */
export function endpointOf({ method, pattern }: Pick<AuditRecord, 'method' | 'pattern'>): string {
  return pattern === null ? `${method} (no row)` : `${method} ${pattern}`;
}

function gather(groups: Map<string, Gathering>, record: AuditRecord, ts: number): void {
  const key = [record.method, record.pattern, record.code, record.reason].join(' ');
  const known = groups.get(key);
  const group = known ?? { record, callers: new Set<string>(), count: 0, lastMs: 0, lastRequestId: '' };
  if (known === undefined) groups.set(key, group);
  group.count++;
  group.callers.add(record.identity ?? record.client_address ?? '');
  if (ts >= group.lastMs) {
    group.lastMs = ts;
    group.lastRequestId = record.request_id;
  }
}

function shown(key: string, { record, callers, count, lastMs, lastRequestId }: Gathering): DeniedGroup {
  return {
    key,
    endpoint: endpointOf(record),
    status: record.status,
    code: record.code ?? '',
    reason: record.reason ?? '',
    detail: record.reason_detail ?? '',
    count,
    callers: callers.size,
    lastMs,
    lastRequestId,
  };
}

function byCount(a: DeniedGroup, b: DeniedGroup): number {
  return b.count - a.count || b.lastMs - a.lastMs;
}
