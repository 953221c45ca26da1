/** What is wrong with one variable: its name, what was found (never a secret's value), what is accepted. */
export interface Problem {
  readonly variable: string;
  readonly found: string;
  readonly accepted: string;
}

/** One line per problem, as the process prints them. */
export function problemLine(problem: Problem): string {
  return `${problem.variable}: found ${problem.found}; accepted: ${problem.accepted}`;
}
