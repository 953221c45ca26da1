import { type Command, commonOptions, type Entry, type Group, isGroup } from '../command.ts';
import type { Options } from './words.ts';
import { tokensOf } from './words.ts';

/** What the first words of a command line name. */
export interface Found {
  /** Names of the groups and of the command, in order. */
  readonly path: readonly string[];
  readonly entry: Entry;
  /** The words that are left for the command. */
  readonly rest: readonly string[];
  /** The word that names nothing in the group `entry`. */
  readonly unknown?: string;
}

/** Follows the words of a command line from group to group. Options may stand before the name of a command. */
export function findEntry(program: Group, args: readonly string[]): Found {
  let entry: Entry = program;
  const path: string[] = [];
  let rest = [...args];
  while (isGroup(entry)) {
    const at = nameAt(entry, rest);
    const name: string | undefined = at === -1 ? entry.fallback : rest[at];
    if (name === undefined) return { path, entry, rest };
    const next: Entry | undefined = Object.hasOwn(entry.commands, name) ? entry.commands[name] : undefined;
    if (next === undefined) return { path, entry, rest, unknown: name };
    if (at === -1 && rest.some(isHelp)) return { path, entry, rest };
    path.push(name);
    entry = next;
    if (at !== -1) rest = rest.toSpliced(at, 1);
  }
  return { path, entry, rest };
}

export function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

/** Where the name of a command of the group stands, or -1. */
function nameAt(group: Group, args: readonly string[]): number {
  if (args[0] === undefined || !args[0].startsWith('-')) return args[0] === undefined ? -1 : 0;
  const tokens = tokensOf(args, optionsBelow(group));
  return tokens.find(({ kind }) => kind === 'positional')?.index ?? -1;
}

function optionsBelow(group: Group): Options {
  return Object.assign({ ...commonOptions }, ...commandsBelow(group).map(({ command }) => command.options));
}

/** Every command below a group, with its path. */
export function commandsBelow(
  group: Group,
  above: readonly string[] = [],
): { path: readonly string[]; command: Command }[] {
  return Object.entries(group.commands).flatMap(([name, entry]) =>
    isGroup(entry) ? commandsBelow(entry, [...above, name]) : [{ path: [...above, name], command: entry }],
  );
}
