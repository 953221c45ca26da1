import { cliPlatform } from '../../platform/cli/platform.ts';
import { CasesError, readCases } from '../../policy/cases/case.ts';
import { createCaseDecision } from '../../policy/cases/decide.ts';
import { caseLines, judge, junit, type Outcome } from '../../policy/cases/report.ts';
import { type Command, options, Usage } from '../command.ts';
import { jsonTextOf, policyOf } from './files.ts';
import { recordedCases } from './record.ts';

const CASES_MAXIMUM_BYTES = 16 * 1024 * 1024;

export const testPolicy: Command = {
  summary: 'decides cases by the real pipeline and compares',
  usage:
    'policy test FILE ... [--policy FILE] [--json | --junit]\n    policy test --record [--policy FILE] [--from TIME] [--to TIME]: writes cases from audit records',
  async run(args, console) {
    const { values, positionals } = options(
      args,
      {
        policy: { type: 'string' },
        json: { type: 'boolean', default: false },
        junit: { type: 'boolean', default: false },
        record: { type: 'boolean', default: false },
        from: { type: 'string' },
        to: { type: 'string' },
      },
      true,
    );
    if (!values.record && positionals.length === 0) throw new Usage('which cases? One or more files');
    const config = await policyOf(values.policy, console);
    if (config === null) return 1;
    if (values.record) return recordedCases(values, config, console);
    const platform = cliPlatform(console, 'gateway', true);
    const decide = await createCaseDecision(
      config,
      (clock) => ({ ...platform.runtime(config), clock }),
      platform.clock,
    );
    const outcomes: Outcome[] = [];
    try {
      for (const file of positionals)
        for (const one of readCases(await jsonTextOf(file, CASES_MAXIMUM_BYTES)))
          outcomes.push(judge(file, one, await decide(one)));
    } catch (error) {
      if (!(error instanceof CasesError)) throw error;
      console.err(error.message);
      return 1;
    }
    if (values.json) console.out(JSON.stringify({ cases: outcomes }));
    else if (values.junit) console.out(junit(outcomes));
    else for (const line of caseLines(outcomes)) console.out(line);
    return outcomes.every(({ passed }) => passed) && outcomes.length > 0 ? 0 : 1;
  },
};
