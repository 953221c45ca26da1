import { sizeProblems } from '../../config/policy/platform-limits.ts';
import { problemLine } from '../../config/problem.ts';
import { lint } from '../../policy/lint.ts';
import { command } from '../command.ts';
import { counted } from '../line/text.ts';
import { jsonTextOf, policyOf, policyOperand } from './files.ts';

export const lintPolicy = command({
  summary: 'Looks for mistakes in a valid policy.',
  operands: [policyOperand],
  examples: [
    { line: 'policy lint policy.json', does: 'Names rows that no request matches, scopes that nobody has, and more.' },
  ],
  json: 'An object: `findings` (`level`, `rule`, `at`, `text`) and `sizes`, platforms that are too small for the document.',
  exits: { yes: 'There is no warning.', no: 'There is a warning.' },
  async run(_, console, [file]) {
    const config = await policyOf(file, console);
    const findings = lint(config);
    const sizes = await sizesOf(file, console.env);
    const warnings = findings.filter(({ level }) => level === 'warning').length;
    console.answer({ findings, sizes });
    for (const { level, rule, at, text } of findings) {
      const word = console.style(level === 'warning' ? 'weak' : 'quiet', `${level}:`);
      console.out(`${word} ${at}: ${text} [${rule}]`);
    }
    for (const line of sizes) console.out(`${console.style('quiet', 'note:')} ${line}`);
    const notes = findings.length - warnings + sizes.length;
    console.out(`${counted(warnings, 'warning')}, ${counted(notes, 'note')}`);
    return warnings === 0 ? 0 : 1;
  },
});

/** Platforms whose variables cannot hold the document. */
async function sizesOf(
  path: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const deployed = path === undefined ? env : { TGEFD_POLICY: await jsonTextOf(path, Number.MAX_SAFE_INTEGER) };
  return (['worker', 'lambda'] as const).flatMap((platform) =>
    sizeProblems(deployed, platform).map((problem) => `${platform}: ${problemLine(problem)}`),
  );
}
