import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordJsonSchema } from '../../audit/schema.ts';
import { type Command, options, Usage } from '../command.ts';
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

const commands: Readonly<Record<string, Command>> = {
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
};

export const audit: Command = {
  summary: 'reads, verifies and protects the audit trail',
  usage: [
    'audit COMMAND',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`),
    '',
    ...Object.values(commands).map(({ usage }) => `  ${usage}`),
  ].join('\n'),
  async run([name, ...rest], console) {
    const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) throw new Usage(name === undefined ? 'which command?' : `no command audit ${name}`);
    return command.run(rest, console);
  },
};
