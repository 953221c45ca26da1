import { comparePolicies } from '../../policy/diff/compare.ts';
import { differenceLines, differenceMarkdown, differs } from '../../policy/diff/report.ts';
import { command, Usage } from '../command.ts';
import { policyOf } from './files.ts';

export const diff = command({
  summary: 'Lists who gains and who loses access between two policies.',
  operands: [
    { name: 'BEFORE', count: 'one', file: true, means: 'A policy document, JSON or YAML.' },
    { name: 'AFTER', count: 'one', file: true, means: 'The second policy document.' },
  ],
  options: {
    markdown: { type: 'boolean', means: 'Prints Markdown, for a pull request.' },
    'allow-gain': { type: 'boolean', means: 'Ends with 1 only if a caller loses access.' },
  },
  examples: [{ line: 'policy diff main.json branch.json', does: 'Lists every caller whose access changes.' }],
  json: 'An object: `gains` and `losses` (`endpoint`, `caller`, `before`, `after`), and `others` (`at`, `before`, `after`).',
  exits: { yes: 'Nothing differs; with --allow-gain: nobody loses access.', no: 'Something differs.' },
  async run({ markdown, json, 'allow-gain': allowGain }, console, [before = '', after = '']) {
    if (markdown && json) throw new Usage('--json and --markdown are two forms: give one of them');
    const difference = comparePolicies(await policyOf(before, console), await policyOf(after, console));
    console.answer(difference);
    if (markdown) console.out(differenceMarkdown(difference));
    else for (const line of differenceLines(difference)) console.out(line);
    return (allowGain ? difference.losses.length > 0 : differs(difference)) ? 1 : 0;
  },
});
