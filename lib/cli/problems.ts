import { sentenceWithoutSecrets } from '../config/masking.ts';
import { type Problem, problemLine } from '../config/problem.ts';
import type { Output } from './command.ts';
import { counted } from './line/text.ts';

/** Prints on standard error what is invalid, one line for each problem, then the warnings. */
export function showProblems(
  message: string,
  problems: readonly Problem[],
  warnings: readonly Problem[],
  { err, errStyle }: Output,
): void {
  err(errStyle('bad', `${message}, ${counted(problems.length, 'problem')}:`));
  for (const problem of problems) err(`  ${lineOf(problem, errStyle)}`);
  for (const warning of warnings) err(`  ${errStyle('weak', 'warning:')} ${problemLine(warning)}`);
}

function lineOf(problem: Problem, style: Output['style']): string {
  const line = problemLine(problem);
  const { variable } = problem;
  return line.startsWith(variable) ? style('heading', variable) + line.slice(variable.length) : line;
}

/** A problem for programs, without what looks like a secret in it. */
export function shownProblem({ variable, found, accepted }: Problem): Problem {
  return { variable, found: sentenceWithoutSecrets(found), accepted };
}
