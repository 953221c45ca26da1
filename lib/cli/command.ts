import { parseArgs } from 'node:util';

/** What a command may touch: its environment and where it writes. */
export interface Console {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(line: string): void;
  err(line: string): void;
}

/** One operator command. Gives its exit code: 0 done, 1 the answer is no, 2 it was called wrongly. */
export interface Command {
  readonly summary: string;
  readonly usage: string;
  run(args: readonly string[], console: Console): Promise<number>;
}

/** Thrown by a command for words it does not understand; the message is shown with its usage. */
export class Usage extends Error {}

/** Thrown by a command for a file that it cannot use; the message is one sentence. */
export class Unusable extends Error {}

/** Options of a command, strictly parsed: an unknown one is a `Usage`. */
export function options<T extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(
  args: readonly string[],
  known: T,
  positionals = false,
) {
  try {
    return parseArgs({ args: [...args], options: known, allowPositionals: positionals, strict: true });
  } catch (error) {
    throw new Usage(error instanceof Error ? error.message : 'not understood');
  }
}
