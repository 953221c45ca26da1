import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson } from '../../codec/strict-json.ts';
import { nearest } from '../names.ts';
import type { Problem } from '../problem.ts';
import type { Env, Variable } from '../variable.ts';
import { variableEntries } from '../variables.ts';
import { compiledPolicy } from './compiled.ts';
import { secretsInside } from './secrets-inside.ts';

/** The variable that holds the policy document. */
export const POLICY = 'TGEFD_POLICY';

const rows = variableEntries.map(([, variable]) => variable);

/** The members of a policy document, each with the variable of the same meaning. */
export const policyMembers: ReadonlyMap<string, Variable<unknown, unknown>> = new Map(
  rows.flatMap((row) => (typeof row.member === 'string' ? [[row.member, row] as const] : [])),
);

/** Variables whose text is JSON: each may also be read from a file, by the name with `_FILE`. */
export const documentNames: readonly string[] = rows
  .filter(({ member }) => member !== undefined && member !== 'preset')
  .map(({ name }) => name);

/** An environment with the members of its policy document in their variables. */
export interface Expanded {
  readonly env: Env;
  readonly problems: readonly Problem[];
  /** How a problem names a variable that a member stands for. */
  readonly memberOf: ReadonlyMap<string, string>;
}

const accepted = `a JSON object with members among ${[...policyMembers.keys()].join(', ')}`;

/**
 * Puts each member of the policy document (`TGEFD_POLICY`, or the one compiled into the bundle) into the variable of the same
 * meaning, so that everything further reads variables. A member beside its variable is a problem: nobody could say which
 * of the two counts. So is a member that nobody knows, and whatever looks like a secret. `$schema` is for editors.
 * Without a document this gives the environment as it is.
 */
export function expandPolicy(env: Env, compiled: string | null = compiledPolicy): Expanded {
  const own = env[POLICY];
  const text = typeof own === 'string' ? own : compiled;
  if (text === null) return { env, problems: [], memberOf: new Map() };
  const problems: Problem[] = [];
  const report = (found: string, wanted = accepted) => problems.push({ variable: POLICY, found, accepted: wanted });
  if (typeof own === 'string' && compiled !== null)
    report('a document beside the one that is compiled in', 'one of the two');
  const document = parseStrictJson(text);
  if (document === undefined) report('malformed JSON, a member given twice, or more than 16 levels');
  else if (!isJsonObject(document)) report('something else than an object');
  if (problems.length > 0 || !isJsonObject(document)) return { env, problems, memberOf: new Map() };

  const expanded: Record<string, unknown> = { ...env };
  delete expanded[POLICY];
  const memberOf = new Map<string, string>();
  for (const [member, value] of Object.entries(document)) {
    if (member === '$schema') continue;
    const variable = policyMembers.get(member);
    if (variable === undefined) {
      report(
        `the member ${JSON.stringify(member.slice(0, 80))}`,
        `probably meant: ${nearest(member, policyMembers.keys()).name}`,
      );
      continue;
    }
    const beside = [variable.name, `${variable.name}_FILE`].find((name) => typeof env[name] === 'string');
    if (beside !== undefined) report(`the member "${member}" beside ${beside}`, 'one of the two');
    expanded[variable.name] = textOf(value);
    memberOf.set(variable.name, `${POLICY} member "${member}"`);
  }
  for (const { at, what } of secretsInside(document as JsonObject))
    report(`${what} at ${at}`, 'no secret: a reference to a store, or the name of a variable');
  return { env: expanded, problems, memberOf };
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
