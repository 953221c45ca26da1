import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, type Console, options, Usage } from '../command.ts';
import { type FirstSecret, firstSecrets, PRODUCTION } from './first-secrets.ts';
import { writeNewFile } from './new-file.ts';
import type { KeyAlgorithm } from './new-secrets.ts';

const ALGORITHMS: readonly KeyAlgorithm[] = ['EdDSA', 'ES256'];
const FORMATS = ['files', 'aws', 'json'] as const;

/** A secret and the value that was made for it. */
interface Made {
  readonly name: string;
  readonly secret: FirstSecret;
  readonly value: string;
}

export const keys: Command = {
  summary: 'makes the first value of secrets for a new deployment, or lists every secret and where it comes from',
  usage: [
    'keys create [SECRET ...] --out FOLDER [--as files|aws|json] [--algorithm EdDSA|ES256] [--id HOLDER]',
    'keys create SECRET --print [--algorithm EdDSA|ES256] [--id HOLDER]',
    `keys list   (secrets: ${Object.keys(firstSecrets).join(', ')})`,
  ].join('\n       tgefd-authorizer '),
  async run(args, console) {
    const known = {
      out: { type: 'string' },
      print: { type: 'boolean', default: false },
      as: { type: 'string', default: 'files' },
      algorithm: { type: 'string', default: 'EdDSA' },
      id: { type: 'string', default: 'first' },
    } as const;
    const { values, positionals } = options(args, known, true);
    const [verb, ...names] = positionals;
    if (verb === 'list' && names.length === 0) return list(console);
    if (verb !== 'create') throw new Usage('say create or list');
    const algorithm = ALGORITHMS.find((each) => each === values.algorithm);
    const format = FORMATS.find((each) => each === values.as);
    if (algorithm === undefined) throw new Usage(`--algorithm is one of ${ALGORITHMS.join(', ')}`);
    if (format === undefined) throw new Usage(`--as is one of ${FORMATS.join(', ')}`);
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(values.id)) throw new Usage('--id is 1 to 64 letters, digits, `.`, `_` or `-`');
    if ((values.out === undefined) !== values.print)
      throw new Usage('say where the values go: --out FOLDER, or --print');
    if (values.print && names.length !== 1) throw new Usage('--print is for one secret');
    const made = await make(names.length === 0 ? PRODUCTION : names, { algorithm, id: values.id });
    if (values.out === undefined) for (const { value } of made) console.out(value);
    else for (const line of await write(made, values.out, format)) console.out(line);
    const say = values.print ? console.err : console.out;
    for (const { secret } of made) say(`${secret.variable} ${secret.purpose}. ${secret.next}`);
    return 0;
  },
};

function list(console: Console): number {
  for (const [name, { variable, purpose, make: maker, next }] of Object.entries(firstSecrets)) {
    console.out(`${name.padEnd(21)} ${variable} ${purpose}. ${maker === null ? next : 'Made by keys create.'}`);
  }
  return 0;
}

async function make(names: readonly string[], given: Parameters<NonNullable<FirstSecret['make']>>[0]): Promise<Made[]> {
  const made: Made[] = [];
  for (const name of new Set(names)) {
    const secret = Object.hasOwn(firstSecrets, name) ? firstSecrets[name] : undefined;
    if (secret === undefined) throw new Usage(`there is no secret ${name}: ${Object.keys(firstSecrets).join(', ')}`);
    if (secret.make === null) throw new Usage(`${name} is made elsewhere. ${secret.next}`);
    made.push({ name, secret, value: await secret.make(given) });
  }
  return made;
}

/** Writes the values, each file for its owner alone, and gives a line per file. */
async function write(made: readonly Made[], folder: string, format: (typeof FORMATS)[number]): Promise<string[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lines: string[] = [];
  const one = async (name: string, text: string, what: string) => {
    const path = join(folder, name);
    await writeNewFile(path, text);
    lines.push(`${path}: ${what}`);
  };
  if (format === 'json') {
    const values = Object.fromEntries(made.map(({ secret, value }) => [secret.variable, value]));
    const what = `${made.length} secrets, for wrangler secret bulk or infra/cloudflare/setup.ts`;
    await one('secrets.json', `${JSON.stringify(values, null, 2)}\n`, what);
    return lines;
  }
  for (const { name, secret, value } of made) {
    if (format === 'files') await one(name, value, secret.variable);
    else {
      const field = secret.variable.slice('TGEFD_'.length).toLowerCase();
      await one(
        `${field}.json`,
        JSON.stringify({ current: value, previous: '' }),
        `${secret.variable} for Secrets Manager`,
      );
    }
  }
  return lines;
}
