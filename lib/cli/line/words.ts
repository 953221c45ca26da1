import { parseArgs } from 'node:util';
import { Usage } from './failures.ts';
import { didYouMean } from './nearest.ts';

/** One option of a command, for parsing, help, completion and the reference. */
export interface OptionRow {
  readonly type: 'string' | 'boolean';
  /** One sentence. */
  readonly means: string;
  /** What stands for the value in help, such as `FILE`. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly multiple?: true;
  readonly default?: string;
  readonly required?: true;
  readonly short?: string;
}

export type Options = Readonly<Record<string, OptionRow>>;

/** One word of a command that is no option. */
export interface OperandRow {
  readonly name: string;
  /** One sentence. */
  readonly means: string;
  readonly choices?: readonly string[];
  /** Whether it is the path of a file. */
  readonly file?: true;
  readonly count: 'one' | 'optional' | 'any';
}

type Text<R extends OptionRow> = R extends { choices: readonly (infer C)[] } ? C : string;
type Value<R extends OptionRow> = R extends { type: 'boolean' }
  ? boolean
  : R extends { multiple: true }
    ? readonly Text<R>[]
    : R extends { default: string } | { required: true }
      ? Text<R>
      : Text<R> | undefined;

/** The values of the options of a table. */
export type Values<T extends Options> = { readonly [name in keyof T]: Value<T[name]> };

type GivenValues = Record<string, string | boolean | string[] | undefined>;

/** Splits words into tokens. A word that begins with a dash is never the value of an option before it. */
export function tokensOf(args: readonly string[], options: Options) {
  const known = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [
      name,
      { type, ...(short === undefined ? {} : { short }) },
    ]),
  );
  return parseArgs({ args: [...args], options: known, strict: false, tokens: true, allowPositionals: true }).tokens;
}

/**
 * Reads the words of a command line by the table of its command.
 *
 * @throws Usage where a word is unknown, missing or given twice.
 */
export function readWords(
  args: readonly string[],
  options: Options,
  operands: readonly OperandRow[],
): { readonly values: Readonly<GivenValues>; readonly words: readonly string[] } {
  const values: GivenValues = {};
  const words: string[] = [];
  for (const token of tokensOf(args, options)) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind === 'option') keep(values, token, options);
  }
  for (const [name, row] of Object.entries(options)) complete(values, name, row);
  checkOperands(words, operands);
  return { values, words };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function keep(values: GivenValues, { name, rawName, value, inlineValue }: OptionToken, options: Options): void {
  const row = Object.hasOwn(options, name) ? options[name] : undefined;
  if (row === undefined)
    throw new Usage(
      `there is no option ${rawName}${didYouMean(
        rawName,
        Object.keys(options).map((known) => `--${known}`),
      )}`,
    );
  if (row.type === 'boolean') {
    if (value !== undefined) throw new Usage(`--${name} takes no value`);
    values[name] = true;
    return;
  }
  if (value === undefined || (inlineValue !== true && /^-./.test(value)))
    throw new Usage(
      `--${name} needs a value${value === undefined ? '' : `; one that begins with a dash is written --${name}=VALUE`}`,
    );
  if (row.choices !== undefined && !row.choices.includes(value))
    throw new Usage(`--${name} is one of ${row.choices.join(', ')}${didYouMean(value, row.choices)}`);
  const before = values[name];
  if (row.multiple) values[name] = [...(Array.isArray(before) ? before : []), value];
  else if (before === undefined) values[name] = value;
  else throw new Usage(`--${name} was given twice`);
}

function complete(values: GivenValues, name: string, row: OptionRow): void {
  if (values[name] !== undefined) return;
  if (row.required) throw new Usage(`--${name} is needed: ${row.means}`);
  if (row.type === 'boolean') values[name] = false;
  else if (row.multiple) values[name] = [];
  else values[name] = row.default;
}

function checkOperands(words: readonly string[], operands: readonly OperandRow[]): void {
  let place = 0;
  for (const { name, means, choices, count } of operands) {
    if (count === 'one' && words[place] === undefined)
      throw new Usage(`${name} is missing: ${means}${choices ? ` One of: ${choices.join(', ')}.` : ''}`);
    const taken = count === 'any' ? words.slice(place) : words.slice(place, place + 1);
    for (const word of taken)
      if (choices !== undefined && !choices.includes(word))
        throw new Usage(`${name} is one of ${choices.join(', ')}; found ${word}${didYouMean(word, choices)}`);
    place += taken.length;
  }
  if (words.length > place) throw new Usage(`not understood: ${words.slice(place).join(' ')}`);
}
