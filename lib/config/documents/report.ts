import { parseStrictJson } from '../../codec/strict-json.ts';
import type { Problem } from '../problem.ts';
import { type SettingKey, type Settings, variables } from '../variables.ts';

type JsonSetting = 'endpoints' | 'shadowEndpoints' | 'rateLimitOverrides' | 'forwardClaims' | 'plans';

/** Settings whose texts are being read, and where the faults found in them go. */
export interface Report {
  readonly settings: Settings;
  /** Reports what was found; what is accepted is said by the setting's kind. */
  fault(key: SettingKey, found: string, suffix?: string): void;
  problem(problem: Problem): void;
  /** The JSON of a setting. Malformed JSON is reported, and read as what `absent` says. */
  jsonOf(key: JsonSetting, absent?: string): unknown;
}

export function createReport(settings: Settings, problems: Problem[]): Report {
  const fault: Report['fault'] = (key, found, suffix = '') =>
    problems.push({ variable: variables[key].name + suffix, found, accepted: variables[key].kind.accepts });
  return {
    settings,
    fault,
    problem: (problem) => problems.push(problem),
    jsonOf(key, absent = '[]') {
      const document = parseStrictJson(settings[key] ?? absent);
      if (document !== undefined) return document;
      fault(key, 'malformed JSON, or a member given twice');
      return JSON.parse(absent);
    },
  };
}
