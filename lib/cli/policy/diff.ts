import { comparePolicies } from '../../policy/diff/compare.ts';
import { differenceLines, differenceMarkdown, differs } from '../../policy/diff/report.ts';
import { type Command, options, Usage } from '../command.ts';
import { policyOf } from './files.ts';

export const diff: Command = {
  summary: 'tells who gains and who loses access between two policies',
  usage:
    'policy diff BEFORE AFTER [--json | --markdown] [--allow-gain]\n    exit status 1 where anything differs; with --allow-gain only where somebody loses access',
  async run(args, console) {
    const { values, positionals } = options(
      args,
      {
        json: { type: 'boolean', default: false },
        markdown: { type: 'boolean', default: false },
        'allow-gain': { type: 'boolean', default: false },
      },
      true,
    );
    const [before, after, ...others] = positionals;
    if (before === undefined || after === undefined || others.length > 0) throw new Usage('which policies? Two files');
    const [was, is] = [await policyOf(before, console), await policyOf(after, console)];
    if (was === null || is === null) return 1;
    const difference = comparePolicies(was, is);
    if (values.json) console.out(JSON.stringify(difference));
    else if (values.markdown) console.out(differenceMarkdown(difference));
    else for (const line of differenceLines(difference)) console.out(line);
    return (values['allow-gain'] ? difference.losses.length > 0 : differs(difference)) ? 1 : 0;
  },
};
