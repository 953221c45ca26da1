import type { Config } from '../../config/load.ts';
import { cliPlatform } from '../../platform/cli/platform.ts';
import { CasesError, readCases } from '../../policy/cases/case.ts';
import { createCaseDecision } from '../../policy/cases/decide.ts';
import { caseLines, judge, junit, type Outcome } from '../../policy/cases/report.ts';
import { periodOptions } from '../audit/parts.ts';
import { command, type Output, Unusable, Usage } from '../command.ts';
import { counted } from '../line/text.ts';
import { jsonTextOf, policyOf } from './files.ts';
import { recordedCases } from './record.ts';

const CASES_MAXIMUM_BYTES = 16 * 1024 * 1024;

export const testPolicy = command({
  summary: 'Decides test cases with the real pipeline, or makes cases from audit records.',
  operands: [{ name: 'FILE', count: 'any', file: true, means: 'Files with cases, JSON or YAML.' }],
  options: {
    policy: { type: 'string', value: 'FILE', means: 'The policy document. Without it: the policy of the environment.' },
    junit: { type: 'boolean', means: 'Prints the outcome as JUnit XML.' },
    record: { type: 'boolean', means: 'Prints cases that are made from the records of a period, and decides none.' },
    ...periodOptions,
  },
  examples: [
    { line: 'policy test cases.yaml --policy policy.json', does: 'Decides every case of the file.' },
    { line: 'policy test --record --from 7d', does: 'Prints one case for each endpoint and outcome of a week.' },
  ],
  json: 'An object: `cases`, each with `file`, `name`, `passed`, `mismatches` and `result`. With --record: a list of cases.',
  exits: { yes: 'Every case came out as expected.', no: 'A case did not, or there is none.' },
  async run({ policy, junit: asXml, record, json, ...period }, console, files) {
    if (!record && files.length === 0) throw new Usage('which cases? One or more files');
    if (asXml && json) throw new Usage('--json and --junit are two forms: give one of them');
    const config = await policyOf(policy, console);
    if (record) return recordedCases(period, config, console);
    const outcomes = await decided(files, config, console);
    console.answer({ cases: outcomes });
    if (asXml) console.out(junit(outcomes));
    else for (const line of caseLines(outcomes)) console.out(styled(line, console));
    return outcomes.every(({ passed }) => passed) && outcomes.length > 0 ? 0 : 1;
  },
});

async function decided(files: readonly string[], config: Config, console: Output): Promise<readonly Outcome[]> {
  const platform = cliPlatform(console, 'gateway', true);
  const decide = await createCaseDecision(config, (clock) => ({ ...platform.runtime(config), clock }), platform.clock);
  const outcomes: Outcome[] = [];
  try {
    for (const file of files)
      for (const one of readCases(await jsonTextOf(file, CASES_MAXIMUM_BYTES))) {
        outcomes.push(judge(file, one, await decide(one)));
        console.progress(`${counted(outcomes.length, 'case')} decided`);
      }
  } catch (error) {
    throw error instanceof CasesError ? new Unusable(error.message) : error;
  }
  return outcomes;
}

function styled(line: string, { style }: Output): string {
  if (line.startsWith('FAIL')) return style('bad', line);
  return line.startsWith('ok') ? style('good', 'ok') + line.slice(2) : line;
}
