import { writeFile } from 'node:fs/promises';
import { importDescription } from '../../policy/openapi/import.ts';
import { noteLines } from '../../policy/openapi/notes.ts';
import { DESCRIPTION_MAXIMUM_BYTES, DescriptionError } from '../../policy/openapi/read.ts';
import { MAX_ROWS } from '../../request/endpoints/rows.ts';
import { type Command, options, Usage } from '../command.ts';
import { jsonTextOf } from './files.ts';

export const importOpenApi: Command = {
  summary: 'makes a policy document from an OpenAPI 3.0 or 3.1 description',
  usage:
    'policy import openapi.yaml|json [--base-path /v2] [--budget-heavy POST ...] [--out FILE] [--json]\n    --budget-heavy takes a method, or "METHOD /path*"; a row may say x-tgefd-budget itself',
  async run(args, console) {
    const { values, positionals } = options(
      args,
      {
        'base-path': { type: 'string' },
        'budget-heavy': { type: 'string', multiple: true, default: [] },
        out: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
      true,
    );
    const [path, ...others] = positionals;
    if (path === undefined || others.length > 0) throw new Usage('which description? One file');
    try {
      const { policy, notes } = await importDescription(await jsonTextOf(path, DESCRIPTION_MAXIMUM_BYTES), {
        basePath: values['base-path']?.replace(/\/+$/, '') ?? null,
        heavy: values['budget-heavy'].flatMap((list) => list.split(',').map((each) => each.trim())),
      });
      if (policy.endpoints.length === 0) {
        for (const line of noteLines(notes)) console.err(`note: ${line}`);
        throw new DescriptionError('no operation of the description can become a row');
      }
      const text = JSON.stringify(
        values.json ? { policy, notes: notes.map(({ at, text }) => `${at}: ${text}`) } : policy,
        null,
        2,
      );
      if (values.out === undefined) console.out(text);
      else await writeFile(values.out, `${text}\n`);
      if (!values.json) for (const line of noteLines(notes)) console.err(`note: ${line}`);
      console.err(`${policy.endpoints.length} rows, ${notes.length} notes`);
      if (policy.endpoints.length > MAX_ROWS)
        console.err(`A policy has at most ${MAX_ROWS} rows: join rows by {name...}, or divide the description.`);
      return 0;
    } catch (error) {
      if (!(error instanceof DescriptionError)) throw error;
      console.err(`${path}: ${error.message}`);
      return 1;
    }
  },
};
