import { describe, expect, test } from 'vitest';
import { main } from '../../../functions/cli.ts';
import { program } from '../../../lib/cli/commands.ts';
import { commandsBelow, findEntry } from '../../../lib/cli/line/find.ts';
import { counted } from '../../../lib/cli/line/text.ts';
import { readWords } from '../../../lib/cli/line/words.ts';

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const streams = { env, out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) };
  const code = await main(args, streams);
  return { code, out, err, text: out.join('\n') };
}

const commands = commandsBelow(program).map(({ path, command }) => ({ name: path.join(' '), path, command }));
const SENTENCE = /^[A-Z-][^\n]{3,}[.)]$/s;

/** Splits a line as a shell does that knows quotes alone. */
function shellWords(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single),
  );
}

describe.each(commands)('$name', ({ name, path, command }) => {
  test('has a sentence for itself, for each option and for each argument', () => {
    const sentences = [
      command.summary,
      command.json,
      ...Object.values(command.options).map(({ means }) => means),
      ...command.operands.map(({ means }) => means),
    ];
    expect(sentences.filter((text) => !SENTENCE.test(text))).toEqual([]);
  });

  test('has examples that its own table understands', () => {
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { line, does } of command.examples) {
      const found = findEntry(program, shellWords(line));
      expect([line, found.path]).toEqual([line, path]);
      expect(() => readWords(found.rest, command.options, command.operands)).not.toThrow();
      expect(does).toMatch(SENTENCE);
    }
  });

  test('prints help with every option, an example and the exit statuses, in lines of at most 100 columns', async () => {
    for (const args of [
      [...path, '--help'],
      [...path, '-h'],
      ['help', ...path],
    ]) {
      const { code, text, out, err } = await run(args);
      expect([code, err]).toEqual([0, []]);
      expect(text).toContain(`usage: tgefd-authorizer ${name}`);
      for (const option of Object.keys(command.options)) expect(text).toContain(`--${option}`);
      expect(text).toContain(`  tgefd-authorizer ${command.examples[0]?.line}`);
      expect(text).toMatch(/Exit status:\n {2}0 {2}.+\n(.*\n)* {2}2 {2}The command was called wrongly\./);
      const long = out.filter((line) => line.length > 100 && !line.startsWith('  tgefd-authorizer'));
      expect(long).toEqual([]);
    }
  });

  test('names an unknown option and ends with 2, in JSON too', async () => {
    const { code, out, err } = await run([...path, '--jsn']);
    expect([code, out, err[0]]).toEqual([2, [], 'there is no option --jsn; did you mean --json?']);
    expect(err.at(-1)).toBe(`tgefd-authorizer ${name} --help tells more`);
    const json = await run([...path, '--nothing-like-it', '--json']);
    expect([json.code, JSON.parse(json.text)]).toEqual([
      2,
      { error: { code: 'usage', message: 'there is no option --nothing-like-it' } },
    ]);
  });

  test('describes itself as JSON', async () => {
    const { code, text } = await run([...path, '--help', '--json']);
    expect([code, JSON.parse(text).summary]).toEqual([0, command.summary]);
  });
});

describe('a command line that is not understood', () => {
  test.each<[readonly string[], string]>([
    [['verfy'], 'there is no command verfy'],
    [['check'], 'there is no command check; did you mean check-config?'],
    [['polcy', 'lint'], 'there is no command polcy; did you mean policy?'],
    [['audit', 'verfy'], 'there is no command audit verfy; did you mean verify?'],
    [['--verson'], 'there is no option --verson; did you mean --version?'],
    [['audit', '--flder', 'x'], 'there is no command audit x'],
    [['rotate'], 'SECRET is missing: Which secret. One of: jwt-secret, '],
    [['audit'], 'audit needs the name of a command'],
    [['constructor'], 'there is no command constructor'],
    [['revocations', 'toString'], 'there is no command revocations toString'],
    [['explain'], '--path is needed: Path of the request with its query, such as /v1/jobs/42.'],
    [['explain', '--path'], '--path needs a value'],
    [['explain', '--path', '--plain'], '--path needs a value; one that begins with a dash is written --path=VALUE'],
    [['explain', '--path=/', '--path=/a'], '--path was given twice'],
    [['explain', '--plain=yes', '--path', '/'], '--plain takes no value'],
    [['explain', '--path', '/', 'further'], 'not understood: further'],
    [['egress', 'print', '--for', 'kubernets'], 'did you mean kubernetes?'],
    [['policy', 'diff', 'one.json'], 'AFTER is missing'],
    [['rotate', 'jwt'], 'did you mean jwt-secret?'],
    [['check-config', '-x'], 'there is no option -x'],
  ])('%j says what is wrong, and ends with 2', async (args, said) => {
    const { code, out, err } = await run(args);
    expect([code, out]).toEqual([2, []]);
    expect(err[0]).toContain(said);
  });

  test('does not repeat a token that was given by mistake', async () => {
    const token = `eyJhbGciOiJub25lIn0.${'eyJzdWIiOiJhbGljZSJ9'}.c2lnbmF0dXJlc2lnbmF0dXJl`;
    const { code, err } = await run(['explain', '--path', '/', token]);
    expect([code, err.join('\n').includes(token)]).toEqual([2, false]);
  });
});

test('finds a command behind options of its group', () => {
  expect(findEntry(program, ['limits', '--identity', 'show', 'grant', '--requests', '5'])).toMatchObject({
    path: ['limits', 'grant'],
    rest: ['--identity', 'show', '--requests', '5'],
  });
  expect(findEntry(program, ['limits', '--identity', 'alice']).path).toEqual(['limits', 'show']);
  expect(findEntry(program, ['revocations']).path).toEqual(['revocations', 'list']);
});

test('says one thing, and several things', () => {
  expect([counted(1, 'problem'), counted(2, 'problem'), counted(0, 'batch'), counted(3, 'policy')]).toEqual([
    '1 problem',
    '2 problems',
    '0 batches',
    '3 policies',
  ]);
});
