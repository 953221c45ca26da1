import { join } from 'node:path';
import { command, type Group, Usage } from '../command.ts';
import { makeFolder } from '../line/new-folder.ts';
import { counted } from '../line/text.ts';
import { type FirstSecret, firstSecrets, PRODUCTION } from './first-secrets.ts';
import { writeNewFile } from './new-file.ts';

/** A secret and the value that was made for it. */
interface Made {
  readonly name: string;
  readonly secret: FirstSecret;
  readonly value: string;
}

const create = command({
  summary: 'Makes the first value of secrets for a new deployment.',
  operands: [
    {
      name: 'SECRET',
      count: 'any',
      choices: Object.keys(firstSecrets),
      means: `Which secrets. Without it: ${PRODUCTION.join(', ')}.`,
    },
  ],
  options: {
    out: { type: 'string', value: 'FOLDER', means: 'Folder for the values. Only the owner may read the files.' },
    print: { type: 'boolean', means: 'Prints the value of one secret, in place of a file.' },
    as: {
      type: 'string',
      choices: ['files', 'aws', 'json'],
      default: 'files',
      means: 'One file a secret, the same for AWS Secrets Manager, or one JSON file for `wrangler secret bulk`.',
    },
    algorithm: { type: 'string', choices: ['EdDSA', 'ES256'], default: 'EdDSA', means: 'Algorithm of key pairs.' },
    id: { type: 'string', value: 'HOLDER', default: 'first', means: 'Id of the holder of an API key.' },
  },
  examples: [
    { line: 'keys create --out ./keys', does: 'Makes what production needs.' },
    { line: 'keys create jwt-secret --print', does: 'Prints one secret.' },
  ],
  json: 'An object: `secrets`, each with `secret`, `variable`, `file` (or with --print `value`) and `next`.',
  async run({ out, print, as, algorithm, id }, console, names) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(id)) throw new Usage('--id is 1 to 64 letters, digits, `.`, `_` or `-`');
    if ((out === undefined) !== print) throw new Usage('say where the values go: --out FOLDER, or --print');
    if (print && names.length !== 1) throw new Usage('--print is for one secret');
    const made = await make(names.length === 0 ? PRODUCTION : names, { algorithm, id });
    const files = out === undefined ? [] : await write(made, out, as);
    console.answer({
      secrets: made.map(({ name, secret, value }, place) => ({
        secret: name,
        variable: secret.variable,
        ...(out === undefined ? { value } : { file: (files[place] ?? files[0])?.path }),
        next: secret.next,
      })),
    });
    if (out === undefined) for (const { value } of made) console.out(value);
    else for (const { path, what } of files) console.out(`${path}: ${what}`);
    const say = print ? console.err : console.out;
    for (const { secret } of made) say(`${secret.variable} ${secret.purpose}. ${secret.next}`);
    return 0;
  },
});

const list = command({
  summary: 'Lists every secret and where it comes from.',
  examples: [{ line: 'keys list', does: 'Lists them with their variables.' }],
  json: 'An object: `secrets`, each with `secret`, `variable`, `purpose`, `made_here` and `next`.',
  async run(_, console) {
    const secrets = Object.entries(firstSecrets).map(([secret, { variable, purpose, make: maker, next }]) => ({
      secret,
      variable,
      purpose,
      made_here: maker !== null,
      next,
    }));
    console.answer({ secrets });
    const rows = secrets.map(({ secret, variable, purpose, made_here: isMade, next }) => [
      secret,
      variable,
      `${purpose}. ${isMade ? 'Made by keys create.' : next}`,
    ]);
    console.table(['SECRET', 'VARIABLE', 'WHAT IT DOES, AND WHERE IT COMES FROM'], rows);
    return 0;
  },
});

export const keys: Group = {
  summary: 'Makes the first value of secrets for a new deployment, or lists every secret.',
  commands: { create, list },
};

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

interface Written {
  readonly path: string;
  readonly what: string;
}

/** Writes the values, each file for its owner alone. */
async function write(made: readonly Made[], folder: string, format: 'files' | 'aws' | 'json'): Promise<Written[]> {
  await makeFolder(folder, '--out');
  const files: Written[] = [];
  const one = async (name: string, text: string, what: string) => {
    const path = join(folder, name);
    await writeNewFile(path, text);
    files.push({ path, what });
  };
  if (format === 'json') {
    const values = Object.fromEntries(made.map(({ secret, value }) => [secret.variable, value]));
    const what = `${counted(made.length, 'secret')}, for wrangler secret bulk or infra/cloudflare/setup.ts`;
    await one('secrets.json', `${JSON.stringify(values, null, 2)}\n`, what);
    return files;
  }
  for (const { name, secret, value } of made) {
    if (format === 'files') await one(name, value, secret.variable);
    else {
      const field = secret.variable.slice('TGEFD_'.length).toLowerCase();
      const text = JSON.stringify({ current: value, previous: '' });
      await one(`${field}.json`, text, `${secret.variable} for Secrets Manager`);
    }
  }
  return files;
}
