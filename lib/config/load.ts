import type { AuthMethod } from '../decision/principal.ts';
import type { Documents } from './documents/documents.ts';
import { readDocuments } from './documents/read.ts';
import type { EventIssuer } from './events/event-issuer.ts';
import { readEventIssuers } from './events/read.ts';
import type { IssuerSettings } from './issuers/issuer.ts';
import { strangerWarnings } from './issuers/posture.ts';
import { type ReadIssuers, readIssuers } from './issuers/read.ts';
import { hidingValues, sentenceWithoutSecrets } from './masking.ts';
import { nearName } from './names.ts';
import { documentNames, expandPolicy, POLICY } from './policy/policy-document.ts';
import type { Problem } from './problem.ts';
import { readRotations, readValues } from './reading/values.ts';
import type { Place } from './rules/check.ts';
import { messageProblems } from './rules/messages.ts';
import { rowProblems, withFirstSpellings } from './rules/rows.ts';
import { crossCheck } from './rules/rules.ts';
import { archiveWarnings } from './rules/stores/archive.ts';
import type { Env, Environment, Platform, Variable } from './variable.ts';
import { type SettingKey, type Settings, variableEntries, variables } from './variables.ts';

/** A configuration that holds together: every value parsed, every rule met. */
export interface Config {
  readonly settings: Settings;
  /** The variables that were given; all others stand at their defaults. */
  readonly given: ReadonlySet<SettingKey>;
  readonly place: Place;
  /** The first of `ways`: what a challenge names where nothing else is known. */
  readonly authMode: AuthMethod;
  /** The kinds of credentials that count, in the order in which they decide. */
  readonly ways: readonly AuthMethod[];
  /** Issuers whose tokens count; empty where no token does. */
  readonly issuers: readonly IssuerSettings[];
  /** Transmitters whose security events count. */
  readonly eventIssuers: readonly EventIssuer[];
  readonly documents: Documents;
  /** When secrets were last rotated, as far as `X_ROTATED_AT` says. */
  readonly rotatedAtMs: ReadonlyMap<SettingKey, number>;
}

export type Loaded =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/** Every name the environment may use, secrets with their file and previous spellings. */
export const knownNames: ReadonlySet<string> = new Set(
  variableEntries.flatMap(([, variable]) =>
    [variable.name, ...(variable.aliases ?? [])].flatMap((name) =>
      variable.secret
        ? [name, `${name}_FILE`, `${name}_PREVIOUS`, `${name}_PREVIOUS_FILE`, `${name}_ROTATED_AT`]
        : variable.member === undefined || variable.member === 'preset'
          ? [name]
          : [name, `${name}_FILE`],
    ),
  ),
);

/** The values of every secret of an environment, however they are spelled. */
function secretValues(env: Env): readonly string[] {
  return variableEntries.flatMap(([, { name, aliases = [], secret }]) =>
    secret
      ? [name, ...aliases].flatMap((each) =>
          [env[each], env[`${each}_PREVIOUS`]].flatMap((value) => (typeof value === 'string' ? [value] : [])),
        )
      : [],
  );
}

/**
 * Reads the whole configuration from an environment of strings (values of other types are bindings and are passed over).
 * Gives the configuration, or every problem at once: values that do not parse, names of ours that nobody knows, and what
 * the rules find contradictory or too weak. An empty value is a value, not an absence, and is judged as one.
 * Does not read files or secret stores: `sources.ts` resolves those into the environment first.
 */
export function loadConfig(original: Env, place: Place): Loaded {
  const { env, problems: ofPolicy, memberOf } = expandPolicy(original);
  const loaded = loadVariables(env, place, ofPolicy);
  if (memberOf.size === 0) return loaded;
  const named = (problem: Problem): Problem => ({
    ...problem,
    variable: nameIn(memberOf, problem.variable),
  });
  const warnings = loaded.warnings.map(named);
  if (!loaded.ok) return { ok: false, problems: loaded.problems.map(named), warnings };
  const issuers = loaded.config.issuers.map((issuer) => ({ ...issuer, setBy: namesIn(memberOf, issuer.setBy) }));
  return { ...loaded, config: { ...loaded.config, issuers }, warnings };
}

function loadVariables(env: Env, place: Place, ofPolicy: readonly Problem[]): Loaded {
  const warnings: Problem[] = [];
  const { settings, given, problems } = readValues(env);
  problems.push(...ofPolicy, ...unreadFiles(env));
  const rotatedAtMs = readRotations(env, problems);

  for (const key of given) {
    const { only, name } = variables[key] as Variable<unknown, unknown>;
    if (only && place.platform !== 'cli' && only !== place.platform)
      warnings.push({ variable: name, found: 'a value', accepted: `nothing here: it is for ${only} only` });
  }
  for (const name of Object.keys(env)) {
    if (!name.startsWith('TGEFD_') || knownNames.has(name)) continue;
    const near = nearName(name, knownNames);
    const unknown = { variable: name, found: 'an unknown name' };
    if (near?.isSlip) problems.push({ ...unknown, accepted: `probably meant: ${near.name}` });
    else if (near) warnings.push({ ...unknown, accepted: `nearest known name: ${near.name}` });
    else warnings.push({ ...unknown, accepted: 'a name of docs/reference/configuration.md; none is near this one' });
  }

  const misread = new Set(problems.map(({ variable }) => variable));
  const { documents: written, problems: documentProblems } = readDocuments(settings, place.role === 'console');
  const checked = crossCheck(settings, given, place);
  const tokens = checked.ways.includes('jwt') ? readIssuers(settings, given, place) : noIssuers;
  const signals = readEventIssuers(settings, place, tokens.issuers);
  const documents = withFirstSpellings(written, tokens.issuers);
  const ofRows = rowProblems(settings, given, {
    endpoints: documents.endpoints,
    ways: checked.ways,
    issuers: tokens.issuers.flatMap(({ spellings }) => spellings),
  });
  const ofMessages = messageProblems(settings, documents.endpoints, place);
  const ofIssuers = [...tokens.problems, ...signals.problems];
  for (const problem of [...documentProblems, ...checked.problems, ...ofIssuers, ...ofRows, ...ofMessages])
    if (!misread.has(problem.variable)) problems.push(problem);
  warnings.push(
    ...checked.warnings,
    ...tokens.warnings,
    ...signals.warnings,
    ...archiveWarnings(settings, place),
    ...strangerWarnings(tokens.issuers, documents.endpoints, settings.rbacEnabled),
  );

  const hide = hidingValues(secretValues(env));
  const open = (problem: Problem) => ({ ...problem, found: hide(sentenceWithoutSecrets(problem.found)) });
  const told = { warnings: warnings.map(open) };
  if (problems.length > 0) return { ok: false, problems: problems.map(open), ...told };
  const { authMode, ways } = checked;
  const { issuers } = tokens;
  const { eventIssuers } = signals;
  const config = { settings, given, place, authMode, ways, issuers, eventIssuers, documents, rotatedAtMs };
  return { ok: true, config, ...told };
}

const noIssuers: ReadIssuers = { issuers: [], problems: [], warnings: [] };

/**
 * The faults of a policy document by itself, before anything is known of the rest of the configuration.
 *
 * @param text - the document as JSON.
 * @param where - where it will be in force.
 * @returns one problem for each fault.
 */
export function policyFaults(
  text: string,
  { environment, platform }: { readonly environment: Environment; readonly platform: Platform },
): readonly Problem[] {
  const { env, problems, memberOf } = expandPolicy({ [POLICY]: text, TGEFD_ENV: environment }, null);
  const values = readValues(env);
  const place: Place = { platform, role: 'gateway', upstreamBinding: false, bucketBinding: false };
  const ofIssuers = values.settings.issuers === null ? [] : readIssuers(values.settings, new Set(), place).problems;
  const faults = [...problems, ...values.problems, ...readDocuments(values.settings).problems, ...ofIssuers];
  return faults.map((problem) => ({ ...problem, variable: nameIn(memberOf, problem.variable) }));
}

/** What sets the members of an issuer, as whoever wrote the policy document knows it. */
function namesIn(memberOf: ReadonlyMap<string, string>, setBy: IssuerSettings['setBy']): IssuerSettings['setBy'] {
  const names = Object.entries(setBy).map(([member, name]) => [member, nameIn(memberOf, name)]);
  return Object.fromEntries(names) as IssuerSettings['setBy'];
}

/** How a problem names a variable, or a part of one such as `TGEFD_ISSUERS[0].audience`, that a member stands for. */
function nameIn(memberOf: ReadonlyMap<string, string>, variable: string): string {
  const [whole = variable] = variable.split('[', 1);
  const member = memberOf.get(whole);
  return member === undefined ? variable : member + variable.slice(whole.length);
}

/** Files of JSON documents that nobody has read: there are none where nothing resolves them. */
function unreadFiles(env: Env): readonly Problem[] {
  return documentNames
    .map((name) => `${name}_FILE`)
    .filter((name) => typeof env[name] === 'string')
    .map((variable) => ({ variable, found: 'a path', accepted: 'nothing here: there are no files' }));
}
