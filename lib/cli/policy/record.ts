import type { AuditRecord } from '../../audit/schema.ts';
import { readRecords } from '../audit/search.ts';
import type { Console } from '../command.ts';

interface Period {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * Writes one case for each endpoint and outcome that occurs in the records of a period. Records hold no claims: the
 * scope of an allowed case is the one that its row demands, and whoever reads the cases completes them.
 */
export async function recordedCases(values: Period, console: Console): Promise<number> {
  const kinds = new Map<string, AuditRecord>();
  const status = await readRecords(values, console, (record) => {
    if (record.pattern === null || record.method === 'other') return;
    kinds.set([record.method, record.pattern, record.outcome, record.code].join(' '), record);
  });
  const cases = [...kinds.values()].map((record) => ({
    name: `${record.method} ${record.pattern}: ${record.code ?? 'allowed'}`,
    request: { method: record.method, path: (record.pattern ?? '').replace(/\{[^}]*\}/g, '1') },
    ...(record.code === 'credentials_missing' ? {} : { claims: { sub: 'recorded' } }),
    expect: { status: record.status ?? 200, code: record.code },
  }));
  console.out(JSON.stringify(cases, null, 2));
  return status;
}
