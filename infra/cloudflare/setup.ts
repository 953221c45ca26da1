import { cloudflare, type Fetch, ServiceRefused, upstash } from './api.ts';
import { type BucketSettings, setUpBucket } from './buckets.ts';
import { type Outcome, perform, type Run } from './plan.ts';
import { type Database, setUpRedis } from './redis.ts';
import { setUpSecrets } from './secrets.ts';
import { Misused, readSettings, type Settings, USAGE } from './settings.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: Fetch;
  out(line: string): void;
  err(line: string): void;
}

/** Runs the command. Gives its exit status: 0 done, 1 a service refused, 2 it was called wrongly. */
export async function setUp(args: readonly string[], around: Surroundings): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    around.out(USAGE);
    return 0;
  }
  try {
    await setUpAll(await readSettings(args, around.env), around);
    return 0;
  } catch (error) {
    if (error instanceof Misused) {
      around.err(`${error.message}\n\n${USAGE}`);
      return 2;
    }
    if (!(error instanceof ServiceRefused) && !isUnreachable(error)) throw error;
    around.err(error instanceof ServiceRefused ? error.message : 'the service cannot be reached');
    return 1;
  }
}

async function setUpAll(settings: Settings, { fetch, out }: Surroundings): Promise<void> {
  const run: Run = { apply: settings.apply, out };
  const outcome: Outcome = { done: 0, kept: 0, left: 0 };
  if (!settings.apply) out('Dry run: nothing is changed. Add --apply to make the changes.');
  const call = cloudflare(settings.accountId, settings.apiToken, settings.jurisdiction, fetch);
  const database = await redisOf(settings, fetch, run, outcome);
  for (const bucket of [settings.bucket, settings.anchorBucket]) {
    if (bucket !== null) await setUpBucket(call, bucketOf(settings, bucket), fetch, run, outcome);
  }
  const values = new Map(settings.secrets);
  if (database !== null) values.set('TGEFD_REDIS_TOKEN', database.token);
  for (const role of ['gateway', 'archive', 'console'] as const) {
    const name = settings.workers[role];
    if (name !== null) await setUpSecrets(call, { name, role }, values, run, outcome);
  }
  const files = [
    'wrangler.toml',
    'wrangler.archive.toml',
    ...(settings.workers.console ? ['wrangler.console.toml'] : []),
  ];
  out(`Variables for [vars] of ${files.join(', ')}`);
  out(`  TGEFD_REDIS_URL = "${database?.url ?? 'https://….upstash.io'}"`);
  const verb = settings.apply ? 'done' : 'to do';
  out(`${outcome.done} ${verb}, ${outcome.kept} as they should be, ${outcome.left} by hand`);
}

async function redisOf(settings: Settings, fetch: Fetch, run: Run, outcome: Outcome): Promise<Database | null> {
  if (settings.upstash === null) {
    run.out('Upstash database');
    const what = 'create it in the console (eviction off), or set UPSTASH_EMAIL and UPSTASH_API_KEY';
    await perform(run, outcome, { what, run: null });
    return null;
  }
  const call = upstash(settings.upstash.email, settings.upstash.apiKey, fetch);
  return setUpRedis(call, { name: settings.database, region: settings.region }, run, outcome);
}

function bucketOf(settings: Settings, bucket: string): BucketSettings {
  const { accountId, apiToken, location, prefix, ages, jurisdiction } = settings;
  return { accountId, apiToken, bucket, location, prefix, ages, jurisdiction };
}

/** What `fetch` throws when nobody answers, or not in time. */
function isUnreachable(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError');
}

if (import.meta.main) {
  process.exitCode = await setUp(process.argv.slice(2), {
    env: process.env,
    fetch: (url, init) => fetch(url, init),
    out: (line) => console.log(line),
    err: (line) => console.error(line),
  });
}
