import { type Group, isGroup } from '../command.ts';
import type { OperandRow, OptionRow } from '../line/words.ts';

/** What may stand behind some words of a command line. */
export interface Place {
  /** The words before it, joined by spaces; empty for the first word. */
  readonly path: string;
  /** Names of commands with their sentences. */
  readonly commands: readonly (readonly [string, string])[];
  readonly options: readonly (readonly [string, OptionRow])[];
  readonly operands: readonly OperandRow[];
}

/** Every place of a program where a word can be completed. */
export function placesOf(group: Group, above: readonly string[] = []): readonly Place[] {
  const { commands, fallback } = group;
  const silent = fallback === undefined ? undefined : commands[fallback];
  const own: Place = {
    path: above.join(' '),
    commands: Object.entries(commands).map(([name, { summary }]) => [name, summary]),
    options: silent === undefined || isGroup(silent) ? [] : Object.entries(silent.options),
    operands: [],
  };
  return [
    own,
    ...Object.entries(commands).flatMap(([name, entry]) => {
      const path = [...above, name];
      if (isGroup(entry)) return placesOf(entry, path);
      const { options, operands } = entry;
      return [{ path: path.join(' '), commands: [], options: Object.entries(options), operands }];
    }),
  ];
}

/** Whether the value of an option is a file or folder. */
export function isFile({ value }: OptionRow): boolean {
  return value === 'FILE' || value === 'FOLDER';
}

/** Whether a command takes files. */
export function takesFiles({ operands }: Place): boolean {
  return operands.some(({ file }) => file === true);
}

/** The words that a command takes as arguments. */
export function operandWords({ operands }: Place): readonly string[] {
  return operands.flatMap(({ choices = [] }) => choices);
}
