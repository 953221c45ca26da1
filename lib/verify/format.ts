import type { ArchivedRecord, AuditRecord, SecretAccessRecord } from '../audit/schema.ts';

/** Columns of an export as CSV, in their order. */
const columns = [
  'ts',
  'id',
  'request_id',
  'door',
  'identity',
  'auth_method',
  'action',
  'method',
  'pattern',
  'outcome',
  'status',
  'code',
  'reason',
  'reason_detail',
  'budgets',
  'degraded',
  'latency_ms',
  'client_address',
  'key_id',
  'stream_id',
  'n',
] as const satisfies readonly (keyof ArchivedRecord)[];

/** The header line of a CSV export (RFC 4180, without its line break). */
export function csvHeader(): string {
  return columns.join(',');
}

/** One record as a line of CSV. A field that a spreadsheet would take for a formula begins with an apostrophe. */
export function csvLine(record: ArchivedRecord): string {
  return columns.map((column) => csvField(cell(record, column))).join(',');
}

function cell(record: ArchivedRecord, column: (typeof columns)[number]): string {
  if (column === 'budgets') return record.budgets.map(({ name, remaining }) => `${name}:${remaining}`).join(' ');
  if (column === 'degraded') return record.degraded.join(' ');
  return String(record[column] ?? '');
}

function csvField(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** One record as a line for people: time, outcome, what was asked, by whom, why. */
export function readableLine(record: AuditRecord): string {
  const {
    ts,
    outcome,
    status,
    method,
    pattern,
    action,
    identity,
    reason,
    reason_detail: detail,
    latency_ms: ms,
  } = record;
  const why = reason === null ? '' : detail === null ? reason : `${reason} (${detail})`;
  return [
    ts,
    outcome.padEnd(7),
    String(status ?? '-').padStart(3),
    `${method} ${pattern ?? '-'}`.padEnd(24),
    (action ?? '-').padEnd(14),
    (identity ?? '-').padEnd(31),
    `${ms} ms`.padStart(9),
    record.request_id,
    ...(why === '' ? [] : [why]),
    ...(record.degraded.length === 0 ? [] : [`[${record.degraded.join(' ')}]`]),
  ].join('  ');
}

/** A reading of a secret as a line for people. */
export function accessLine({ ts, outcome, variable, source, component, key_id: keyId }: SecretAccessRecord): string {
  return `${ts} secret ${outcome.padEnd(6)} ${variable} from ${source} by ${component}${keyId === null ? '' : ` ${keyId}`}`;
}
