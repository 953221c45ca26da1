import { sizeProblems } from '../../config/policy/platform-limits.ts';
import { problemLine } from '../../config/problem.ts';
import { lint } from '../../policy/lint.ts';
import { type Command, options } from '../command.ts';
import { jsonTextOf, policyOf } from './files.ts';

export const lintPolicy: Command = {
  summary: 'looks for mistakes in a valid policy',
  usage: 'policy lint [FILE] [--json]',
  async run(args, console) {
    const { values, positionals } = options(args, { json: { type: 'boolean', default: false } }, true);
    const config = await policyOf(positionals[0], console);
    if (config === null) return 1;
    const findings = lint(config);
    const sizes = await sizesOf(positionals[0], console.env);
    const warnings = findings.filter(({ level }) => level === 'warning').length;
    if (values.json) console.out(JSON.stringify({ findings, sizes }));
    else {
      for (const { level, rule, at, text } of findings) console.out(`${level}: ${at}: ${text} [${rule}]`);
      for (const line of sizes) console.out(`note: ${line}`);
      console.out(`${warnings} warnings, ${findings.length - warnings + sizes.length} notes`);
    }
    return warnings === 0 ? 0 : 1;
  },
};

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
