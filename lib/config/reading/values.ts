import { shownValue } from '../masking.ts';
import type { Problem } from '../problem.ts';
import { withPreset } from '../rules/rows.ts';
import type { Env, Environment, Variable } from '../variable.ts';
import { type SettingKey, type Settings, variableEntries, variables } from '../variables.ts';

const RFC3339_DATE = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))?$/;

/** Dates of rotation (RFC 3339, full date or instant), by the variable they speak of. */
export function readRotations(env: Env, problems: Problem[]): ReadonlyMap<SettingKey, number> {
  const dates = new Map<SettingKey, number>();
  for (const [key, { name, aliases = [], secret }] of variableEntries) {
    for (const each of secret ? [name, ...aliases] : []) {
      const text = env[`${each}_ROTATED_AT`];
      if (typeof text !== 'string') continue;
      const atMs = RFC3339_DATE.test(text) ? Date.parse(text) : Number.NaN;
      if (Number.isNaN(atMs))
        problems.push({
          variable: `${each}_ROTATED_AT`,
          found: shownValue(text),
          accepted: 'a date such as 2026-11-24, or an instant (RFC 3339)',
        });
      else dates.set(key, atMs);
    }
  }
  return dates;
}

/** The values of an environment, parsed; what does not parse is a problem and stands at its default. */
export function readValues(env: Env) {
  const problems: Problem[] = [];
  const given = new Set<SettingKey>();
  const values: Partial<Record<SettingKey, unknown>> = {};

  const read = (variable: Variable<unknown, unknown>, suffix = ''): { name: string; text: string } | null => {
    for (const name of [variable.name, ...(variable.aliases ?? [])]) {
      const text = env[name + suffix];
      if (typeof text === 'string') return { name: name + suffix, text };
    }
    return null;
  };
  const parse = (
    variable: Variable<unknown, unknown>,
    from: { name: string; text: string },
    fallback: unknown,
  ): unknown => {
    const result = variable.kind.schema.safeParse(from.text);
    if (result.success) return result.data;
    problems.push({
      variable: from.name,
      found: shownValue(from.text, variable.secret),
      accepted: variable.kind.accepts,
    });
    return fallback;
  };

  const environment: Environment = env[variables.environment.name] === 'development' ? 'development' : 'production';
  for (const [key, variable] of variableEntries) {
    const fallback = variable.fallback[environment];
    const current = read(variable);
    const previous = variable.secret ? read(variable, '_PREVIOUS') : null;
    if (current) given.add(key);
    else if (previous)
      problems.push({ variable: previous.name, found: 'a value', accepted: `a value only beside ${variable.name}` });
    if (!current) values[key] = fallback;
    else if (!variable.secret) values[key] = parse(variable, current, fallback);
    else {
      const secret = parse(variable, current, null);
      values[key] = secret === null ? null : { current: secret, previous: previous && parse(variable, previous, null) };
    }
  }
  return { settings: withPreset(values as unknown as Settings, given), given, problems };
}
