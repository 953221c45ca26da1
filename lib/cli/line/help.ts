import { type Command, type Entry, type Group, isGroup } from '../command.ts';
import type { Output } from './output.ts';
import type { Style } from './style.ts';
import { wrapped } from './text.ts';
import type { OptionRow } from './words.ts';

export const PROGRAM = 'tgefd-authorizer';
/** Width of help that nobody reads on a terminal. */
const COLUMNS = 100;

/** How help is laid out. */
interface Layout {
  readonly style: Style;
  readonly columns: number;
}

/** What each exit status means, for every command. */
export const exitStatuses = {
  0: 'Done, or the answer is yes.',
  1: 'The answer is no, or the command failed: a file, a setting or a service is missing.',
  2: 'The command was called wrongly.',
  141: 'The program that reads the output ended first.',
} as const;

/** How an option is written, with a name for its value. */
export function optionText(name: string, { type, value, choices }: OptionRow): string {
  if (type === 'boolean') return `--${name}`;
  return `--${name} ${value ?? choices?.join('|') ?? 'TEXT'}`;
}

/** What stands behind the name of the program to call a command. */
export function usageOf(path: readonly string[], entry: Entry): string {
  if (isGroup(entry)) return [...path, 'COMMAND'].join(' ');
  const operands = entry.operands.map(({ name, count }) =>
    count === 'one' ? name : count === 'optional' ? `[${name}]` : `[${name} ...]`,
  );
  const options = Object.entries(entry.options)
    .filter(([name]) => name !== 'help')
    .map(([name, row]) => {
      const text = `${optionText(name, row)}${row.multiple ? ' ...' : ''}`;
      return row.required ? text : `[${text}]`;
    });
  return [...path, ...operands, ...options].join(' ');
}

/** The help of a command or group, line by line. */
export function helpOf(path: readonly string[], entry: Entry, output: Pick<Output, 'style' | 'columns'>): string[] {
  const layout = { style: output.style, columns: Math.min(COLUMNS, output.columns ?? COLUMNS) };
  const usage = wrapped(
    `usage: ${PROGRAM} ${usageOf(path, entry).replace(/ (?=[^[\]]*\])/g, '\u00a0')}`,
    layout.columns,
    '         ',
  );
  const lines = [...wrapped(entry.summary, layout.columns), '', ...usage.map((line) => line.replaceAll('\u00a0', ' '))];
  return [...lines, ...(isGroup(entry) ? groupHelp(path, entry, layout) : commandHelp(entry, layout))];
}

function groupHelp(path: readonly string[], group: Group, { style, columns }: Layout): string[] {
  const commands = Object.entries(group.commands).map(([name, { summary }]) => [name, summary] as const);
  const lines = ['', style('heading', 'Commands:'), ...pairs(commands, columns)];
  if (group.fallback !== undefined) lines.push('', `Without a command it is \`${group.fallback}\`.`);
  if (path.length === 0) {
    const statuses = Object.entries(exitStatuses);
    lines.push('', style('heading', 'Exit status:'), ...pairs(statuses, columns));
    lines.push('', 'The configuration is read from the environment (docs/reference/configuration.md).');
  }
  return [...lines, '', `${[PROGRAM, ...path].join(' ')} COMMAND --help tells more.`];
}

function commandHelp(command: Command, { style, columns }: Layout): string[] {
  const { operands, options, notes = [], examples, json } = command;
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', style('heading', title), ...lines];
  return [
    ...section(
      'Arguments:',
      pairs(
        operands.map(({ name, means, choices }) => [name, meaning(means, choices)]),
        columns,
      ),
    ),
    ...section(
      'Options:',
      pairs(
        Object.entries(options).map(([name, row]) => [optionLabel(name, row), optionMeaning(row)]),
        columns,
      ),
    ),
    ...(notes.length === 0 ? [] : ['', ...notes.flatMap((note) => wrapped(note, columns))]),
    ...section(
      'Examples:',
      examples.flatMap(({ line, does }) => [`  ${PROGRAM} ${line}`, ...wrapped(`      ${does}`, columns, '      ')]),
    ),
    ...section('Output with --json:', wrapped(`  ${json}`, columns, '  ')),
    ...section('Exit status:', pairs(statusesOf(command), columns)),
  ];
}

/** What 0, 1 and 2 mean for a command. */
export function statusesOf({ exits = {} }: Command): [string, string][] {
  return [
    ['0', exits.yes ?? 'Done.'],
    ['1', exits.no === undefined ? 'The work could not be done.' : `${exits.no} Or the work could not be done.`],
    ['2', exitStatuses[2]],
  ];
}

function optionLabel(name: string, row: OptionRow): string {
  return `${row.short === undefined ? '' : `-${row.short}, `}${optionText(name, { ...row, ...(row.choices && !row.value ? { value: name.toUpperCase() } : {}) })}`;
}

/** The sentence about an option, with what it accepts and what it is without being given. */
export function optionMeaning({ means, choices, default: otherwise, multiple }: OptionRow): string {
  return `${meaning(means, choices)}${multiple ? ' May be repeated.' : ''}${otherwise === undefined ? '' : ` Default: ${otherwise}.`}`;
}

function meaning(means: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? means : `${means} One of: ${choices.join(', ')}.`;
}

const WIDEST_LABEL = 26;

/** Two columns: a name and its sentence; a long name has a line of its own. */
function pairs(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const width = Math.min(WIDEST_LABEL, Math.max(0, ...rows.map(([name]) => name.length)));
  const indent = ' '.repeat(width + 4);
  return rows.flatMap(([name, text]) => {
    const lines = wrapped(text, columns - indent.length);
    const isLong = name.length > width;
    return [
      ...(isLong ? [`  ${name}`] : []),
      ...lines.map((line, place) => (place === 0 && !isLong ? `  ${name.padEnd(width)}  ${line}` : indent + line)),
    ];
  });
}
