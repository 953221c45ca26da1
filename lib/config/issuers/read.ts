import { parseStrictJson } from '../../codec/strict-json.ts';
import type { Problem } from '../problem.ts';
import type { Place } from '../rules/check.ts';
import { type SettingKey, type Settings, variables } from '../variables.ts';
import { completeIssuer } from './complete.ts';
import { declaredByVariables, singleVariables, variableOf } from './declared.ts';
import type { IssuerSettings } from './issuer.ts';
import { issuerProblems, severalIntrospections, sharedSpellings } from './problems.ts';
import { parseIssuerRows } from './rows.ts';

export interface ReadIssuers {
  readonly issuers: readonly IssuerSettings[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Reads the issuers whose tokens count: the rows of `TGEFD_ISSUERS`, or the one that the single variables describe.
 *
 * @param settings - every setting.
 * @param given - the settings that were given.
 * @param place - where the configuration is used.
 * @returns the issuers, completed, with every problem and warning.
 * @example
 * readIssuers(config.settings, config.given, config.place).issuers.length;
 */
export function readIssuers(settings: Settings, given: ReadonlySet<SettingKey>, place: Place): ReadIssuers {
  const read = settings.issuers === null ? byVariables(settings, given) : byRows(settings, given, settings.issuers);
  const at = { environment: settings.environment, platform: place.platform };
  return {
    issuers: read.issuers,
    problems: [
      ...read.problems,
      ...read.issuers.flatMap((issuer) => issuerProblems(issuer, at)),
      ...sharedSpellings(read.issuers),
      ...severalIntrospections(read.issuers),
    ],
    warnings: read.warnings,
  };
}

function byRows(settings: Settings, given: ReadonlySet<SettingKey>, text: string): ReadIssuers {
  const { name } = variables.issuers;
  const problems: Problem[] = singleVariables
    .filter((key) => given.has(key))
    .map((key) => ({ variable: variables[key].name, found: 'a value', accepted: `nothing beside ${name}` }));
  const document = parseStrictJson(text);
  if (document === undefined) {
    problems.push({
      variable: name,
      found: 'malformed JSON, or a member given twice',
      accepted: variables.issuers.kind.accepts,
    });
    return { issuers: [], problems, warnings: [] };
  }
  const rows = parseIssuerRows(document, name);
  // A row that could not be read would only give rise to further problems of its own making.
  const complete = rows.problems.length > 0 ? [] : rows.rows;
  const issuers = complete.map((row, index) =>
    completeIssuer(row, {
      algorithms: ['RS256'],
      types: settings.jwtTypes,
      maximumLifetimeSeconds: settings.jwtMaximumLifetimeSeconds,
      keys: 'discovery',
      keySetHosts: settings.egressAllow,
      identifiesByIssuer: true,
      nameOf: (member) => `${name}[${index}].${member}`,
    }),
  );
  const warnings =
    settings.jwtSecret && settings.environment === 'development'
      ? [
          {
            variable: variables.jwtSecret.name,
            found: 'a value',
            accepted: `nothing: with ${name}, HS256 is never accepted`,
          },
        ]
      : [];
  return { issuers, problems: [...problems, ...rows.problems], warnings };
}

function byVariables(settings: Settings, given: ReadonlySet<SettingKey>): ReadIssuers {
  const { declared, problems } = declaredByVariables(settings, given);
  const bySecret = settings.jwtSecret !== null && declared.keys === undefined;
  const issuer = completeIssuer(declared, {
    algorithms: settings.jwtAllowedAlgorithms,
    types: settings.jwtTypes,
    maximumLifetimeSeconds: settings.jwtMaximumLifetimeSeconds,
    keys: bySecret ? 'secret' : 'discovery',
    keySetHosts: settings.egressAllow,
    identifiesByIssuer: false,
    nameOf: variableOf,
  });
  const checked = checkAlgorithms(settings, given, issuer);
  return { issuers: [issuer], problems: [...problems, ...checked.problems], warnings: checked.warnings };
}

/** What the rules on key sets and secrets leave of the listed algorithms, and what production thinks of HS256. */
function checkAlgorithms(settings: Settings, given: ReadonlySet<SettingKey>, issuer: IssuerSettings) {
  const { name } = variables.jwtAllowedAlgorithms;
  const production = settings.environment === 'production';
  const listed = settings.jwtAllowedAlgorithms;
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  if (production && settings.jwtSecret)
    problems.push({
      variable: variables.jwtSecret.name,
      found: 'a value',
      accepted: 'nothing in production: HS256 is for development',
    });
  const { algorithms, keys } = issuer;
  if (production && given.has('jwtAllowedAlgorithms') && listed.includes('HS256'))
    problems.push({ variable: name, found: '`HS256`', accepted: 'asymmetric algorithms in production' });
  else if (algorithms.length === 0 && keys.from === 'secret')
    problems.push({
      variable: name,
      found: listed.join(', ') || 'an empty list',
      accepted: '`HS256`, since only TGEFD_JWT_SECRET is given',
    });
  else if (given.has('jwtAllowedAlgorithms') && algorithms.length < listed.length && algorithms.length > 0)
    warnings.push({
      variable: name,
      found: listed.join(', '),
      accepted: `only ${algorithms.join(', ')} can be used with the keys configured`,
    });
  if (settings.jwtSecret && keys.from !== 'secret' && !production)
    warnings.push({
      variable: variables.jwtSecret.name,
      found: 'a value',
      accepted: `nothing: with ${issuer.setBy.keys}, HS256 is never accepted`,
    });
  return { problems, warnings };
}
