import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { secretNames } from '../../lib/config/sources.ts';
import type { TierAges } from '../../lib/storage/lifecycle.ts';

/** What one run is asked to set up. */
export interface Settings {
  readonly apply: boolean;
  readonly accountId: string;
  readonly apiToken: string;
  readonly upstash: { readonly email: string; readonly apiKey: string } | null;
  /** Names of the Workers; null: no console is wanted. */
  readonly workers: { readonly gateway: string; readonly archive: string; readonly console: string | null };
  readonly database: string;
  readonly region: string;
  readonly bucket: string;
  readonly anchorBucket: string | null;
  readonly location: string | null;
  readonly jurisdiction: string;
  readonly prefix: string;
  readonly ages: TierAges;
  readonly secrets: ReadonlyMap<string, string>;
}

/** The command was called wrongly; the message says how. */
export class Misused extends Error {}

export const USAGE = `node infra/cloudflare/setup.ts [options]

Says what it would change. With --apply it changes it. Running it again changes nothing more.

  --apply                 make the changes
  --name NAME             name of the gateway Worker (default tgefd-authorizer)
  --environment NAME      environment of wrangler.toml, such as staging (default: none, production)
  --region REGION         region of the Upstash database (default eu-central-1)
  --bucket NAME           R2 bucket of audit records (default: name of the Worker and -audit)
  --anchor-bucket NAME    second bucket for hourly anchors (default: none)
  --location HINT         where R2 keeps the buckets: weur, eeur, enam, wnam, apac, oc (default: Cloudflare chooses)
  --jurisdiction NAME     default, eu or fedramp (default: default)
  --prefix PREFIX         TGEFD_AUDIT_PREFIX of the deployment (default audit)
  --ages HOT,WARM,COLD    days of the three tiers (default 7,30,180)
  --secrets FILE          secrets.json of "keys create --as json"
  --console               the secrets of the console's Worker as well

Environment: CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_API_TOKEN (Workers Scripts: Edit, Workers R2 Storage: Edit),
and for the database UPSTASH_EMAIL, UPSTASH_API_KEY.`;

const LOCATIONS = ['weur', 'eeur', 'enam', 'wnam', 'apac', 'oc'];
const JURISDICTIONS = ['default', 'eu', 'fedramp'];
const BUCKET = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** Reads the command line and the environment. Throws `Misused` for what it does not understand. */
export async function readSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Settings> {
  const values = parse(args);
  const suffix = values.environment === undefined ? '' : `-${values.environment}`;
  const gateway = `${values.name}${suffix}`;
  const bucket = values.bucket ?? `${gateway}-audit`;
  const buckets = [bucket, ...(values['anchor-bucket'] === undefined ? [] : [values['anchor-bucket']])];
  demand(
    buckets.every((one) => BUCKET.test(one)),
    'a bucket has 3 to 63 lower-case letters, digits and hyphens',
  );
  demand(values.location === undefined || LOCATIONS.includes(values.location), `--location is one of ${LOCATIONS}`);
  demand(JURISDICTIONS.includes(values.jurisdiction), `--jurisdiction is one of ${JURISDICTIONS}`);
  const { CLOUDFLARE_ACCOUNT_ID: accountId, CLOUDFLARE_API_TOKEN: apiToken } = env;
  if (!accountId || !apiToken) throw new Misused('set CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN');
  const { UPSTASH_EMAIL: email, UPSTASH_API_KEY: apiKey } = env;
  return {
    apply: values.apply,
    accountId,
    apiToken,
    upstash: email && apiKey ? { email, apiKey } : null,
    workers: {
      gateway,
      archive: `${values.name}-archive${suffix}`,
      console: values.console ? `${values.name}-console${suffix}` : null,
    },
    database: gateway,
    region: values.region,
    bucket,
    anchorBucket: values['anchor-bucket'] ?? null,
    location: values.location ?? null,
    jurisdiction: values.jurisdiction,
    prefix: values.prefix === '' ? '' : `${values.prefix}/`,
    ages: agesOf(values.ages),
    secrets: values.secrets === undefined ? new Map() : await secretsOf(values.secrets),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        apply: { type: 'boolean', default: false },
        name: { type: 'string', default: 'tgefd-authorizer' },
        environment: { type: 'string' },
        region: { type: 'string', default: 'eu-central-1' },
        bucket: { type: 'string' },
        'anchor-bucket': { type: 'string' },
        location: { type: 'string' },
        jurisdiction: { type: 'string', default: 'default' },
        prefix: { type: 'string', default: 'audit' },
        ages: { type: 'string', default: '7,30,180' },
        secrets: { type: 'string' },
        console: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new Misused(error instanceof Error ? error.message : 'not understood');
  }
}

function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Misused(otherwise);
}

function agesOf(text: string): TierAges {
  const [hotDays = 0, warmDays = 0, coldDays = 0, ...more] = text.split(',').map(Number);
  const grow = Number.isInteger(hotDays) && Number.isInteger(warmDays) && Number.isInteger(coldDays);
  demand(
    grow && more.length === 0 && 0 < hotDays && hotDays < warmDays && warmDays < coldDays,
    '--ages: days that grow',
  );
  return { hotDays, warmDays, coldDays };
}

/** The file of `keys create --as json`: names of secrets and their values. No value is ever shown. */
async function secretsOf(path: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Misused(`--secrets: ${path} cannot be read`);
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Misused(`--secrets: ${path} is no JSON`);
  }
  const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
  for (const [name, value] of entries) {
    demand(secretNames.includes(name), `--secrets: ${name} is no secret of the product`);
    demand(typeof value === 'string' && value !== '', `--secrets: ${name} has no text`);
  }
  return new Map(entries);
}
