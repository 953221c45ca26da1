import { sentenceWithoutSecrets } from './masking.ts';

/** What is wrong with one variable: its name, what was found (never a secret's value), what is accepted. */
export interface Problem {
  readonly variable: string;
  readonly found: string;
  readonly accepted: string;
}

/** One line per problem, as the process prints them; whatever still looks like a secret in it is told by its length. */
export function problemLine(problem: Problem): string {
  return `${problem.variable}: found ${sentenceWithoutSecrets(problem.found)}; accepted: ${problem.accepted}`;
}
