import { type Command, type Entry, type Group, isGroup } from '../command.ts';
import { completionFiles } from '../completion/completion.ts';
import { failureCodes } from '../line/failures.ts';
import { exitStatuses, optionMeaning, optionText, PROGRAM, statusesOf, usageOf } from '../line/help.ts';
import { wrapped } from '../line/text.ts';
import { generatedFrom, markdownTable } from './table.ts';

/** `docs/reference/cli.md`: every command, from the table that help and completion read too. */
export function cliPage(program: Group): string {
  const { commands } = program;
  return `${[
    '# Command line',
    '',
    generatedFrom('lib/cli'),
    '',
    'If your application has the package installed, call a command as `npx --no tgefd-authorizer COMMAND`. In a checkout call',
    '`node dist/cli.js COMMAND`. Commands read the configuration from the environment ([configuration](configuration.md)).',
    'Every command has `--help`.',
    '',
    ...markdownTable(
      ['command', 'what it does'],
      Object.entries(commands).map(([name, { summary }]) => [`[\`${name}\`](#${name})`, summary]),
    ),
    '',
    '## Exit status',
    '',
    ...markdownTable(['status', 'meaning'], Object.entries(exitStatuses)),
    '',
    '## Output',
    '',
    'The answer is on standard output. Notes, warnings, progress and errors are on standard error. An error is one sentence.',
    'On a terminal, tables have headings and words have colour; `NO_COLOR` turns colour off. A command that takes more than a second',
    'shows its progress there. Piped output has no headings, no colour and no progress.',
    '',
    'With `--json` standard output is JSON: one document on one line. Some commands print one record on each line; their section says so.',
    'Members that end in `Ms` or `Seconds` are numbers of that unit. Standard error stays text for people.',
    'An error adds one line:',
    '',
    '```json',
    JSON.stringify({ error: { code: 'usage', message: 'there is no option --jsn; did you mean --json?' } }),
    '```',
    '',
    ...markdownTable(
      ['`error.code`', 'meaning'],
      Object.entries(failureCodes).map(([code, meaning]) => [`\`${code}\``, meaning]),
    ),
    '',
    '## Completion in your shell',
    '',
    'The command `completion` prints a script that completes commands, options, their values and files. Write it to this file:',
    '',
    ...markdownTable(
      ['shell', 'command', 'file'],
      Object.entries(completionFiles).map(([shell, file]) => [
        shell,
        `\`${PROGRAM} completion ${shell}\``,
        file.startsWith('~') ? `\`${file}\`` : file,
      ]),
    ),
    ...Object.entries(commands).flatMap(([name, entry]) => section([name], entry)),
  ].join('\n')}\n`;
}

function section(path: readonly string[], entry: Entry): string[] {
  const heading = ['', `${'#'.repeat(path.length + 1)} ${path.join(' ')}`, '', entry.summary];
  if (!isGroup(entry)) return [...heading, ...commandSection(path, entry)];
  const silent = entry.fallback === undefined ? [] : ['', `Without a command it is \`${entry.fallback}\`.`];
  const below = Object.entries(entry.commands).flatMap(([name, next]) => section([...path, name], next));
  return [...heading, ...silent, ...below];
}

function commandSection(path: readonly string[], command: Command): string[] {
  const { operands, options, notes = [], examples, json } = command;
  const own = Object.entries(options).filter(([name]) => name !== 'help' && name !== 'json');
  const rows = [
    ...operands.map(({ name, means, choices }) => [
      `\`${name}\``,
      choices ? `${means} One of: ${listed(choices)}.` : means,
    ]),
    ...own.map(([name, row]) => [`\`${optionText(name, row)}\``, optionMeaning(row)]),
  ];
  return [
    '',
    '```text',
    ...wrapped(`${PROGRAM} ${usageOf(path, command).replaceAll(/ (?=[^[\]]*\])/g, '\u00a0')}`, 100, '  ').map((line) =>
      line.replaceAll('\u00a0', ' '),
    ),
    '```',
    ...(rows.length === 0 ? [] : ['', ...markdownTable(['argument or option', 'meaning'], rows)]),
    ...notes.flatMap((note) => ['', note.trim()]),
    '',
    'Examples:',
    '',
    ...examples.map(({ line, does }) => `- \`${PROGRAM} ${line}\`: ${does}`),
    '',
    `With \`--json\`: ${json}`,
    '',
    ...markdownTable(['exit status', 'meaning'], statusesOf(command)),
  ];
}

function listed(choices: readonly string[]): string {
  return choices.map((choice) => `\`${choice}\``).join(', ');
}
