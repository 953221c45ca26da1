import type { Output } from './line/output.ts';
import { type OperandRow, type OptionRow, type Options, readWords, type Values } from './line/words.ts';

export { Failure, Unusable, Usage } from './line/failures.ts';
export type { Output } from './line/output.ts';

/** One way to call a command, and what it does. */
export interface Example {
  /** What stands behind the name of the program. */
  readonly line: string;
  readonly does: string;
}

/** What help, completion and the reference say about a command. */
export interface Description {
  /** One sentence. */
  readonly summary: string;
  readonly operands?: readonly OperandRow[];
  readonly options?: Options;
  readonly examples: readonly Example[];
  /** The output with `--json`, in one or two sentences. */
  readonly json: string;
  /** What exit status 0 and 1 mean here, where that is more than done and not done. */
  readonly exits?: { readonly yes?: string; readonly no?: string };
  /** Further sentences for the help text. */
  readonly notes?: readonly string[];
}

/** One operator command. */
export interface Command extends Description {
  readonly operands: readonly OperandRow[];
  readonly options: Options;
  /** Gives the exit status: 0 done or yes, 1 no or not done. Throws `Usage` where it was called wrongly (2). */
  run(args: readonly string[], console: Output): Promise<number>;
}

/** Commands under one word. */
export interface Group {
  readonly summary: string;
  readonly commands: Readonly<Record<string, Entry>>;
  /** The command that runs where none is named. */
  readonly fallback?: string;
}

export type Entry = Command | Group;

/** Options that every command takes. */
export const commonOptions = {
  json: { type: 'boolean', means: 'Prints JSON in place of text, also for errors.' },
  help: { type: 'boolean', short: 'h', means: 'Prints this help.' },
} as const satisfies Readonly<Record<string, OptionRow>>;

type Given<T extends Options> = Values<T & typeof commonOptions>;

/** Makes a command of its description; its words are parsed by the table. */
export function command<const T extends Options = Record<never, never>>(
  row: Description & {
    readonly options?: T;
    run(values: Given<T>, console: Output, operands: readonly string[]): Promise<number>;
  },
): Command {
  const { operands = [], run, ...described } = row;
  const options = { ...(row.options ?? {}), ...commonOptions };
  return {
    ...described,
    operands,
    options,
    async run(args, console) {
      const { values, words } = readWords(args, options, operands);
      return run(values as Given<T>, console, words);
    },
  };
}

/** Whether an entry is a group. */
export function isGroup(entry: Entry): entry is Group {
  return 'commands' in entry;
}
