import type { AuditRecord } from '../../audit/schema.ts';
import type { Config } from '../../config/load.ts';
import type { Endpoint } from '../../decision/request.ts';
import type { PolicyCase } from '../../policy/cases/case.ts';
import { readRecords } from '../audit/search.ts';
import type { Output } from '../command.ts';
import { counted } from '../line/text.ts';

interface Period {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** What a case can bring about again: an outage, a budget and a trial are of their moment. */
const REPEATABLE: ReadonlySet<string | null> = new Set([
  null,
  'credentials_missing',
  'credentials_invalid',
  'insufficient_scope',
]);

/**
 * Writes one case for each endpoint and outcome that occurs in the records of a period. Records hold no claims: an allowed
 * case brings the scopes and claims that its row demands, a forbidden one brings none.
 *
 * @param config - the policy whose rows the records name.
 */
export async function recordedCases(values: Period, config: Config, console: Output): Promise<number> {
  const kinds = new Map<string, AuditRecord>();
  let leftOut = 0;
  const status = await readRecords(values, console, (record) => {
    const { pattern, method, outcome, code } = record;
    const isRepeatable = outcome !== 'would_deny' && REPEATABLE.has(code);
    if (pattern === null || method === 'other' || !isRepeatable) leftOut++;
    else kinds.set([method, pattern, code].join(' '), record);
  });
  const rows = new Map(config.documents.endpoints.map((row) => [`${row.method} ${row.pattern}`, row]));
  const cases = [...kinds.values()].flatMap((record) => {
    const row = rows.get(`${record.method === 'HEAD' ? 'GET' : record.method} ${record.pattern}`);
    return row === undefined ? [] : [caseOf(record, row)];
  });
  console.document(JSON.stringify(cases, null, 2));
  console.err(
    `${counted(cases.length, 'case')}; ${counted(leftOut, 'record')} of unknown paths, outages, limits and trials left out`,
  );
  return status;
}

function caseOf({ method, code, status, auth_method: way }: AuditRecord, row: Endpoint): PolicyCase {
  const request = { method, path: row.pattern.replace(/\{[^}]*\}/g, '1') };
  const name = `${method} ${row.pattern}: ${code ?? 'allowed'}`;
  return { name, request, ...callerOf(code, way, row), expect: { status: status ?? 200, code } };
}

function callerOf(code: string | null, way: AuditRecord['auth_method'], row: Endpoint): Partial<PolicyCase> {
  if (code === 'credentials_missing') return {};
  if (way === 'mtls') return { certificate: { subject: 'CN=recorded' } };
  if (code === 'credentials_invalid') return { token: 'recorded.and.invalid' };
  const claims = { sub: 'recorded', scope: '' };
  if (code !== null) return { claims };
  return { claims: { ...claims, scope: scopesOf(row.scope).join(' '), ...demandedClaims(row) } };
}

function scopesOf(scope: Endpoint['scope']): readonly string[] {
  if (scope === null) return [];
  if (typeof scope === 'string') return [scope];
  return 'any' in scope ? scope.any.slice(0, 1) : scope.all;
}

/** The first value that a row demands of each claim; `{name}` is what the path of the case has there. */
function demandedClaims({ claims = [] }: Endpoint): Record<string, unknown> {
  return Object.fromEntries(
    claims.map(({ path, values: [value = ''] }) => [
      path,
      typeof value === 'string' && /^\{.+\}$/.test(value) ? '1' : value,
    ]),
  );
}
