import { strangerWarnings } from '../config/issuers/posture.ts';
import type { Config } from '../config/load.ts';
import type { Endpoint, ScopeDemand } from '../decision/request.ts';
import type { Finding } from './finding.ts';
import { trapFindings } from './lint-traps.ts';

/**
 * Looks for mistakes in a policy that is valid: rows that open part of a wider row, scopes that nothing grants, rows open to
 * strangers of a shared issuer, and writing methods without a heavy budget.
 *
 * @param config - the configuration with the policy.
 * @returns the findings, in the order of the rows.
 */
export function lint(config: Config): readonly Finding[] {
  const rows = config.documents.endpoints.filter(({ own }) => !own);
  return [
    ...looserRows(rows),
    ...openRows(rows),
    ...ungranted(config, rows),
    ...strangers(config),
    ...light(config, rows),
    ...trapFindings(config, rows),
  ];
}

function nameOf({ method, pattern, mcp }: Endpoint): string {
  return mcp === undefined ? `${method} ${pattern}` : `${method} ${pattern} ${mcp.method} ${mcp.name ?? ''}`.trimEnd();
}

function looserRows(rows: readonly Endpoint[]): Finding[] {
  return rows.flatMap((row) =>
    rows
      .filter((wider) => wider !== row && wider.method === row.method && covers(wider.pattern, row.pattern))
      .filter((wider) => isLooser(row.scope, wider.scope))
      .map((wider): Finding => {
        const text = `takes requests from ${nameOf(wider)} and demands less: ${said(row.scope)} instead of ${said(wider.scope)}`;
        return { level: 'warning', rule: 'looser_row', at: nameOf(row), text };
      }),
  );
}

/** Whether every path of one pattern also matches a wider one. */
function covers(wider: string, narrow: string): boolean {
  const [wide, tight] = [wider.split('/'), narrow.split('/')];
  for (const [index, segment] of wide.entries()) {
    const other = tight[index];
    if (segment.endsWith('...}')) return other !== undefined;
    if (other === undefined || other.endsWith('...}')) return false;
    if (!segment.startsWith('{') && segment !== other) return false;
  }
  return wide.length === tight.length && wider !== narrow;
}

function isLooser(row: ScopeDemand, wider: ScopeDemand): boolean {
  if (wider === null) return false;
  if (row === null) return true;
  const [own, others] = [namesIn(row), namesIn(wider)];
  const demandsAll = typeof row === 'string' || 'all' in row;
  return !(demandsAll && others.every((name) => own.includes(name))) && own.some((name) => !others.includes(name));
}

function namesIn(scope: ScopeDemand): readonly string[] {
  if (scope === null) return [];
  if (typeof scope === 'string') return [scope];
  return 'any' in scope ? scope.any : scope.all;
}

function said(scope: ScopeDemand): string {
  const names = namesIn(scope);
  if (scope === null) return 'no scope';
  return names.join(typeof scope === 'object' && 'any' in scope ? ' or ' : ' and ');
}

function openRows(rows: readonly Endpoint[]): Finding[] {
  return rows
    .filter(({ scope, claims, issuers }) => scope === null && claims === undefined && issuers === undefined)
    .map((row) => ({
      level: 'note',
      rule: 'open_row',
      at: nameOf(row),
      text: 'is open to every authenticated caller',
    }));
}

function ungranted({ settings, documents, issuers }: Config, rows: readonly Endpoint[]): Finding[] {
  const granted = new Set<string>([
    ...settings.roleAdminScopes,
    ...settings.roleAnalystScopes,
    ...settings.roleReaderScopes,
    ...Object.values(documents.roleScopes).flat(),
    ...issuers.flatMap(({ roleScopes }) => Object.values(roleScopes).flat()),
    ...documents.mtlsPolicy.flatMap((rule) => ('scopes' in rule ? (rule.scopes ?? []) : [])),
  ]);
  const demanded = new Set(rows.flatMap(({ scope }) => namesIn(scope)));
  return [...demanded]
    .filter((scope) => !granted.has(scope) && !granted.has('*'))
    .map((scope) => ({
      level: 'note',
      rule: 'ungranted_scope',
      at: scope,
      text: 'is granted by no role and no certificate rule: only a token that names it opens its rows',
    }));
}

function strangers({ issuers, documents, settings }: Config): Finding[] {
  return strangerWarnings(issuers, documents.endpoints, settings.rbacEnabled).map(({ variable, found, accepted }) => ({
    level: 'warning',
    rule: 'open_to_strangers',
    at: variable,
    text: `${found}; accepted: ${accepted}`,
  }));
}

function light({ settings }: Config, rows: readonly Endpoint[]): Finding[] {
  if (settings.heavyRateLimitPerMinute === 0) return [];
  return rows
    .filter(({ method, budget }) => ['POST', 'PUT', 'PATCH'].includes(method) && budget !== 'heavy')
    .map((row) => ({
      level: 'note',
      rule: 'no_heavy_budget',
      at: nameOf(row),
      text: `changes something and spends from the ${row.budget} budget only`,
    }));
}
