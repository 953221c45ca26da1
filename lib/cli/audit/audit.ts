import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordJsonSchema } from '../../audit/schema.ts';
import { type Command, commandGroup, options } from '../command.ts';
import { bucket } from './bucket.ts';
import { compare } from './compare.ts';
import { keys } from './keys.ts';
import { policies } from './policies.ts';
import { accesses, exportRecords, pseudonym, query } from './read.ts';
import { tail } from './tail.ts';
import { verify } from './verify.ts';

const schema: Command = {
  summary: 'prints the JSON Schema of a record, or writes it where it is published',
  usage: 'audit schema [--write FOLDER]',
  async run(args, console) {
    const { values } = options(args, { write: { type: 'string' } });
    const text = `${JSON.stringify(recordJsonSchema(), null, 2)}\n`;
    if (values.write === undefined) console.out(text.trimEnd());
    else await writeFile(join(values.write, 'audit_record.schema.json'), text);
    return 0;
  },
};

export const audit = commandGroup('audit', 'reads, verifies and protects the audit trail', {
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
});
