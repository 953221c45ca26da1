import { type Command, type Console, options, Usage } from '../command.ts';
import { writeNewFile } from './new-file.ts';
import { usesOfSecret } from './rotate-check.ts';
import { type RotatedSecret, rotatedSecrets } from './rotations.ts';

const names = Object.keys(rotatedSecrets);

export const rotate: Command = {
  summary: 'makes the next value of a secret, says the steps left to you, or checks who still uses the old one',
  usage: [
    `rotate ${names.join('|')} (--out FILE | --print) [--id HOLDER]`,
    `rotate SECRET --check --metrics URL [--metrics URL ...] [--for SECONDS]`,
  ].join('\n       tgefd-authorizer '),
  async run(args, console) {
    const { values, positionals } = options(
      args,
      {
        out: { type: 'string' },
        print: { type: 'boolean', default: false },
        id: { type: 'string' },
        check: { type: 'boolean', default: false },
        metrics: { type: 'string', multiple: true, default: [] },
        for: { type: 'string', default: '60' },
      },
      true,
    );
    const [name = ''] = positionals;
    const secret = Object.hasOwn(rotatedSecrets, name) ? rotatedSecrets[name] : undefined;
    if (secret === undefined || positionals.length !== 1) throw new Usage(`the secret is one of ${names.join(', ')}`);
    if (values.check) return check(secret, values.metrics, values.for, console);
    if (values.id !== undefined && name !== 'api-key') throw new Usage('--id goes with api-key');
    return make(secret, values, console);
  },
};

async function make(
  secret: RotatedSecret,
  values: { readonly out?: string | undefined; readonly print: boolean; readonly id?: string | undefined },
  console: Console,
): Promise<number> {
  const { out, print, id } = values;
  if (secret.make === null) {
    if (out !== undefined || print)
      throw new Usage(`${secret.variable} is made elsewhere: leave --out and --print out`);
  } else {
    if ((out === undefined) !== print)
      throw new Usage('say where the new value goes: --out FILE (mode 0600), or --print');
    if (id !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(id))
      throw new Usage('--id is 1 to 64 letters, digits, `.`, `_` or `-`');
    const value = await secret.make(id ?? null);
    if (out === undefined) console.out(value);
    else await writeNewFile(out, value);
  }
  const say = print ? console.err : console.out;
  say(
    secret.make === null
      ? `${secret.variable}:`
      : `a new value for ${secret.variable}${out === undefined ? '' : ` is in ${out}`}`,
  );
  for (const [index, step] of secret.steps.entries()) say(`  ${index + 1}. ${step}`);
  say(`while both count: ${secret.overlap}`);
  say(`the old one is dead: ${secret.bound}`);
  return 0;
}

async function check(
  secret: RotatedSecret,
  urls: readonly string[],
  seconds: string,
  console: Console,
): Promise<number> {
  if (secret.counted === null) {
    console.out(`its uses are not counted: ${secret.bound}`);
    return 0;
  }
  if (urls.length === 0) throw new Usage('--metrics is the metrics page of each instance (TGEFD_METRICS_PORT)');
  if (!/^\d{1,5}$/.test(seconds)) throw new Usage('--for is a whole number of seconds');
  const uses = await usesOfSecret(secret.counted, urls, Number(seconds), console);
  if (uses === null) return 1;
  const { current, previous } = uses;
  console.out(
    `in ${seconds} s, on ${urls.length} instance(s): ${previous} uses of the old value, ${current} of the new one`,
  );
  if (previous > 0) {
    console.out(
      `the old value is still in use${secret.records === null ? '' : `; who: tgefd-authorizer ${secret.records}`}`,
    );
    return 1;
  }
  if (current === 0) {
    console.out('nobody used either: that shows nothing; look longer (--for), or while there is traffic');
    return 1;
  }
  console.out('nobody uses the old value any more');
  return 0;
}
