import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { publicSigningJwk } from '../../lib/audit/manifest-signature.ts';
import { recordJsonSchema } from '../../lib/audit/schema.ts';
import { sealOf } from '../../lib/audit/seal.ts';
import { signingJwks } from '../archive/compose.ts';
import { bucket } from './audit-bucket.ts';
import { compare } from './audit-compare.ts';
import { archiveConfig, openArchive, PLACE_USAGE, placeOptions } from './audit-parts.ts';
import { accesses, exportRecords, pseudonym, query } from './audit-read.ts';
import { tail } from './audit-tail.ts';
import { verify } from './audit-verify.ts';
import { type Command, options, Usage } from './command.ts';

const keys: Command = {
  summary:
    'prints the public keys that verify the archive, as a key set; or marks one as revoked, with all that it signed so far',
  usage: `audit keys | audit keys --revoke KID ${PLACE_USAGE}`,
  async run(args, console) {
    const { values } = options(args, { ...placeOptions, revoke: { type: 'string' } });
    const { revoke } = values;
    const archive = revoke === undefined ? null : await openArchive(values, console);
    const config = revoke === undefined ? await archiveConfig(console) : null;
    if (archive === null && config === null) return 1;
    const jwks = archive?.keys ?? (config === null ? [] : signingJwks(config));
    const published = await Promise.all(
      jwks.map(async (jwk) => ({
        ...(await publicSigningJwk(jwk)),
        ...(jwk.revoked === undefined ? {} : { revoked: jwk.revoked }),
      })),
    );
    const compromised = published.find(({ kid }) => kid === revoke);
    if (archive !== null && revoke !== undefined) {
      if (compromised === undefined) throw new Usage(`--revoke: no key ${revoke} among those given`);
      compromised.revoked ??= await sealOf(archive, revoke, Math.floor(Date.now() / 1000));
    }
    console.out(JSON.stringify({ keys: published }, null, 2));
    return published.length === 0 ? 1 : 0;
  },
};

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
