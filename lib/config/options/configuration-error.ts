import { type Problem, problemLine } from '../problem.ts';

/**
 * The configuration does not hold together, so nothing was decided. `problems` says everything that is wrong with it.
 *
 * @example
 * try {
 *   await own.decide(request);
 * } catch (error) {
 *   if (error instanceof ConfigurationError) for (const { variable } of error.problems) console.error(variable);
 * }
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  /** What programs tell the error by. */
  readonly code = 'configuration_invalid';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(`configuration invalid:\n${problems.map((problem) => `  ${problemLine(problem)}`).join('\n')}`);
    this.problems = problems;
  }
}
