import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordJsonSchema } from '../../audit/schema.ts';
import { command, type Group } from '../command.ts';
import { bucket } from './bucket.ts';
import { compare } from './compare.ts';
import { keys } from './keys.ts';
import { policies } from './policies.ts';
import { pseudonym } from './pseudonym.ts';
import { accesses, exportRecords, query } from './read.ts';
import { tail } from './tail.ts';
import { verify } from './verify.ts';

const schema = command({
  summary: 'Prints the JSON Schema of a record, or writes it to a folder.',
  options: { write: { type: 'string', value: 'FOLDER', means: 'Writes audit_record.schema.json into this folder.' } },
  examples: [{ line: 'audit schema', does: 'Prints the schema.' }],
  json: 'The schema; with `--write` an object: `written`, the path.',
  async run({ write }, console) {
    const text = JSON.stringify(recordJsonSchema(), null, 2);
    if (write === undefined) {
      console.document(text);
      return 0;
    }
    const path = join(write, 'audit_record.schema.json');
    await writeFile(path, `${text}\n`);
    console.answer({ written: path });
    console.out(path);
    return 0;
  },
});

export const audit: Group = {
  summary: 'Reads, verifies and protects the audit trail.',
  commands: {
    verify,
    query,
    tail,
    export: exportRecords,
    accesses,
    policies,
    compare,
    pseudonym,
    keys,
    bucket,
    schema,
  },
};
