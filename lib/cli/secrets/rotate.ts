import { command, type Output, Usage } from '../command.ts';
import { counted } from '../line/text.ts';
import { writeNewFile } from './new-file.ts';
import { usesOfSecret } from './rotate-check.ts';
import { type RotatedSecret, rotatedSecrets } from './rotations.ts';

const names = Object.keys(rotatedSecrets);

export const rotate = command({
  summary: 'Makes the next value of a secret and lists the remaining steps, or checks who still uses the old value.',
  operands: [{ name: 'SECRET', count: 'one', choices: names, means: 'Which secret.' }],
  options: {
    out: { type: 'string', value: 'FILE', means: 'A new file for the value. Only its owner may read it.' },
    print: { type: 'boolean', means: 'Prints the value, and the steps on standard error.' },
    id: { type: 'string', value: 'HOLDER', means: 'Id of the holder of an API key.' },
    check: { type: 'boolean', means: 'Counts uses of the old and the new value.' },
    metrics: {
      type: 'string',
      multiple: true,
      value: 'URL',
      means: 'With --check: the metrics page of an instance (TGEFD_METRICS_PORT).',
    },
    for: { type: 'string', value: 'SECONDS', default: '60', means: 'With --check: how long it counts.' },
  },
  examples: [
    { line: 'rotate jwt-secret --out ./jwt-secret.new', does: 'Makes the next value and lists the steps.' },
    { line: 'rotate redis-token', does: 'Lists the steps of a secret that another service makes.' },
    {
      line: 'rotate jwt-secret --check --metrics http://pod-1:9090/_authorizer/metrics --for 300',
      does: 'Says whether the old value was used within five minutes.',
    },
  ],
  json: 'An object: `variable`, `file` or `value`, `steps`, `overlap`, `bound`. With --check: `counted`, `seconds`, `instances`, `previous`, `current`, `still_used`.',
  exits: { no: 'With --check: the old value is still in use, or nobody used either.' },
  async run({ check: isCheck, metrics, for: seconds, ...values }, console, [name = '']) {
    const secret = rotatedSecrets[name];
    if (secret === undefined) throw new Usage(`SECRET is one of ${names.join(', ')}`);
    if (isCheck) return check(secret, metrics, seconds, console);
    if (values.id !== undefined && name !== 'api-key') throw new Usage('--id goes with api-key');
    return make(secret, values, console);
  },
});

interface Wanted {
  readonly out: string | undefined;
  readonly print: boolean;
  readonly id: string | undefined;
}

async function make(secret: RotatedSecret, { out, print, id }: Wanted, console: Output): Promise<number> {
  const value = await nextValue(secret, { out, print, id });
  if (value !== null && out !== undefined) await writeNewFile(out, value);
  const { variable, steps, overlap, bound } = secret;
  const kept = value === null ? {} : out === undefined ? { value } : { file: out };
  console.answer({ variable, ...kept, steps, overlap, bound });
  if (value !== null && out === undefined) console.out(value);
  const say = print ? console.err : console.out;
  if (value === null) say(`${variable}:`);
  else say(`a new value for ${variable}${out === undefined ? '' : ` is in ${out}`}`);
  for (const [index, step] of steps.entries()) say(`  ${index + 1}. ${step}`);
  say(`while both count: ${overlap}`);
  say(`the old one is dead: ${bound}`);
  return 0;
}

/** The next value of a secret; null where another service makes it. */
async function nextValue(secret: RotatedSecret, { out, print, id }: Wanted): Promise<string | null> {
  if (secret.make === null) {
    if (out === undefined && !print) return null;
    throw new Usage(`${secret.variable} is made elsewhere: leave --out and --print out`);
  }
  if ((out === undefined) !== print)
    throw new Usage('say where the new value goes: --out FILE (mode 0600), or --print');
  if (id !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(id))
    throw new Usage('--id is 1 to 64 letters, digits, `.`, `_` or `-`');
  return secret.make(id ?? null);
}

async function check(
  secret: RotatedSecret,
  urls: readonly string[],
  seconds: string,
  console: Output,
): Promise<number> {
  const { variable, counted: kind, bound } = secret;
  if (kind === null) {
    console.answer({ variable, counted: false, bound });
    console.out(`its uses are not counted: ${bound}`);
    return 0;
  }
  if (urls.length === 0) throw new Usage('--metrics is the metrics page of each instance (TGEFD_METRICS_PORT)');
  if (!/^\d{1,5}$/.test(seconds)) throw new Usage('--for is a whole number of seconds');
  const { current, previous } = await usesOfSecret(kind, urls, Number(seconds), console);
  const isStillUsed = previous > 0;
  const facts = { seconds: Number(seconds), instances: urls.length, previous, current, still_used: isStillUsed };
  console.answer({ variable, counted: true, ...facts });
  const uses = `${counted(previous, 'use')} of the old value, ${current} of the new one`;
  console.out(`in ${seconds} s, on ${counted(urls.length, 'instance')}: ${uses}`);
  if (isStillUsed) {
    const who = secret.records === null ? '' : `; who: tgefd-authorizer ${secret.records}`;
    console.out(`the old value is still in use${who}`);
    return 1;
  }
  if (current === 0) {
    console.out('nobody used either: that shows nothing; look longer (--for), or while there is traffic');
    return 1;
  }
  console.out('nobody uses the old value any more');
  return 0;
}
