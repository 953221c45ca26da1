import type { AuthMethod } from '../../decision/principal.ts';
import type { Endpoint } from '../../decision/request.ts';
import type { Documents } from '../documents/documents.ts';
import type { IssuerSettings } from '../issuers/issuer.ts';
import { firstSpellings } from '../issuers/spellings.ts';
import type { Problem } from '../problem.ts';
import { type SettingKey, type Settings, variables } from '../variables.ts';

/** What the rows of the table are compared with. */
export interface RowSurroundings {
  readonly endpoints: readonly Endpoint[];
  /** The kinds of credentials that the mode accepts. */
  readonly ways: readonly AuthMethod[];
  /** Every configured issuer in each of its spellings; empty where any issuer counts. */
  readonly issuers: readonly string[];
}

/** How a row writes what only tokens can meet. */
const MEMBERS = { issuers: 'issuers', claims: 'claims', stepUp: 'acr or max_age_sec' } as const;

/**
 * What rows of the endpoint table demand that the rest of the configuration cannot give. A row that names a way, an issuer
 * or a claim which no caller can ever present would deny everybody, so it is a problem.
 *
 * @returns one problem for each such row, and one for each scope variable that guards no endpoint of the preset.
 */
export function rowProblems(
  settings: Settings,
  given: ReadonlySet<SettingKey>,
  { endpoints, ways, issuers }: RowSurroundings,
): readonly Problem[] {
  const problems: Problem[] = [];
  const report = (row: Endpoint, found: string, accepted: string) =>
    problems.push({
      variable: variables.endpoints.name,
      found: `row ${row.method} ${row.pattern}: ${found}`,
      accepted,
    });

  for (const row of endpoints) {
    for (const way of row.auth ?? [])
      if (!ways.includes(way))
        report(row, `"auth" lists \`${way}\``, `ways that TGEFD_AUTH_MODE enables (${ways.join(', ')})`);
    const byToken = ways.includes('jwt') && (row.auth === undefined || row.auth.includes('jwt'));
    for (const member of ['issuers', 'claims', 'stepUp'] as const)
      if (row[member] !== undefined && !byToken)
        report(row, `"${MEMBERS[member]}" without tokens`, `"${MEMBERS[member]}" only where tokens (\`jwt\`) count`);
    if (issuers.length === 0) continue;
    for (const issuer of row.issuers ?? [])
      if (!issuers.includes(issuer))
        report(row, `"issuers" lists ${JSON.stringify(issuer)}`, `configured issuers (${issuers.join(', ')})`);
  }
  return [...problems, ...idleScopes(settings, given)];
}

/**
 * The documents with each issuer of a row in its first spelling, which a principal carries: a row may name an issuer in any
 * of the spellings that the configuration lists.
 */
export function withFirstSpellings<D extends Pick<Documents, 'endpoints' | 'shadowEndpoints'>>(
  documents: D,
  issuers: readonly Pick<IssuerSettings, 'spellings'>[],
): D {
  const first = firstSpellings(issuers);
  const spelled = (row: Endpoint): Endpoint =>
    row.issuers === undefined ? row : { ...row, issuers: row.issuers.map((issuer) => first.get(issuer) ?? issuer) };
  const { endpoints, shadowEndpoints } = documents;
  return { ...documents, endpoints: endpoints.map(spelled), shadowEndpoints: shadowEndpoints?.map(spelled) ?? null };
}

/** Scope variables of the preset's endpoints, where there is no preset. */
function idleScopes(settings: Settings, given: ReadonlySet<SettingKey>): readonly Problem[] {
  if (settings.preset !== 'none') return [];
  const idle = (['scopeDiscover', 'scopeEvaluate', 'scopeJobs'] as const).filter((key) => given.has(key));
  const metrics = given.has('scopeMetrics') && !settings.metricsEnabled ? (['scopeMetrics'] as const) : [];
  return [...idle, ...metrics].map((key) => ({
    variable: variables[key].name,
    found: 'a value',
    accepted: 'nothing with TGEFD_PRESET=none: it guards an endpoint of the preset',
  }));
}

/** The settings with what the preset gives: without one, a role has only the scopes that its variable gives it. */
export function withPreset(settings: Settings, given: ReadonlySet<SettingKey>): Settings {
  if (settings.preset !== 'none') return settings;
  const roles = ['roleAdminScopes', 'roleAnalystScopes', 'roleReaderScopes'] as const;
  const cleared = Object.fromEntries(roles.filter((key) => !given.has(key)).map((key) => [key, []]));
  return { ...settings, ...cleared };
}
