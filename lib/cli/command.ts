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

export type Commands = Readonly<Record<string, Command>>;

/** The command of that name, or undefined; names of `Object.prototype` are no commands. */
export function commandNamed(commands: Commands, name: string | undefined): Command | undefined {
  return name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
}

/** One line for each command: its name and what it does. */
export function summaries(commands: Commands, width: number): string[] {
  return Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)} ${summary}`);
}

/** A command whose first word chooses one of `commands`. */
export function commandGroup(group: string, summary: string, commands: Commands): Command {
  return {
    summary,
    usage: [
      `${group} COMMAND`,
      '',
      ...summaries(commands, 10),
      '',
      ...Object.values(commands).map(({ usage }) => `  ${usage}`),
    ].join('\n'),
    async run([name, ...rest], console) {
      const command = commandNamed(commands, name);
      if (command === undefined) throw new Usage(name === undefined ? 'which command?' : `no command ${group} ${name}`);
      return command.run(rest, console);
    },
  };
}
