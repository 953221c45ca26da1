import { writeFile } from 'node:fs/promises';
import { importDescription } from '../../policy/openapi/import.ts';
import { noteLines } from '../../policy/openapi/notes.ts';
import { DESCRIPTION_MAXIMUM_BYTES, DescriptionError } from '../../policy/openapi/read.ts';
import { MAX_ROWS } from '../../request/endpoints/rows.ts';
import { command, type Output, Unusable } from '../command.ts';
import { counted } from '../line/text.ts';
import { jsonTextOf } from './files.ts';

export const importOpenApi = command({
  summary: 'Makes a policy document from an OpenAPI 3.0 or 3.1 description.',
  operands: [{ name: 'FILE', count: 'one', file: true, means: 'The description, JSON or YAML.' }],
  options: {
    'base-path': { type: 'string', value: 'PATH', means: 'Path before every path of the description, such as /v2.' },
    'budget-heavy': {
      type: 'string',
      multiple: true,
      value: 'ROWS',
      means: 'Operations that spend the heavy budget: a method, or "METHOD /path*".',
    },
    out: { type: 'string', value: 'FILE', means: 'Writes the document to this file.' },
  },
  examples: [
    {
      line: 'policy import openapi.yaml --budget-heavy POST --out policy.json',
      does: 'Writes a policy with one row for each operation.',
    },
  ],
  json: 'An object: `policy` (or, with --out, `output`) and `notes`, about what the document cannot express.',
  notes: ['An operation may name its budget itself, with x-tgefd-budget.'],
  async run({ 'base-path': basePath, 'budget-heavy': heavy, out }, console, [path = '']) {
    const { policy, notes } = await imported(path, basePath, heavy, console);
    const text = JSON.stringify(policy, null, 2);
    const told = notes.map(({ at, text }) => `${at}: ${text}`);
    console.answer(out === undefined ? { policy, notes: told } : { output: out, notes: told });
    if (out === undefined) console.out(text);
    else await writeFile(out, `${text}\n`);
    for (const line of noteLines(notes)) console.err(`note: ${line}`);
    console.err(`${counted(policy.endpoints.length, 'row')}, ${counted(notes.length, 'note')}`);
    if (policy.endpoints.length > MAX_ROWS)
      console.err(`A policy has at most ${MAX_ROWS} rows: join rows by {name...}, or divide the description.`);
    return 0;
  },
});

async function imported(path: string, basePath: string | undefined, heavy: readonly string[], console: Output) {
  const text = await jsonTextOf(path, DESCRIPTION_MAXIMUM_BYTES);
  console.progress(`reading ${path}`);
  try {
    const found = await importDescription(text, {
      basePath: basePath?.replace(/\/+$/, '') ?? null,
      heavy: heavy.flatMap((list) => list.split(',').map((each) => each.trim())),
    });
    if (found.policy.endpoints.length > 0) return found;
    for (const line of noteLines(found.notes)) console.err(`note: ${line}`);
  } catch (error) {
    throw error instanceof DescriptionError ? new Unusable(`${path}: ${error.message}`) : error;
  }
  throw new Unusable(`${path}: no operation of the description can become a row`);
}
