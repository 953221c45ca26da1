import { type Call, member, ServiceRefused } from './api.ts';
import { kept, type Outcome, perform, type Run } from './plan.ts';

export interface RedisSettings {
  readonly name: string;
  readonly region: string;
}

/** What the Workers need of the database. */
export interface Database {
  readonly url: string;
  readonly token: string;
}

/**
 * Makes the Upstash database, or finds it by its name, and switches eviction off: an evicted revocation would let a revoked
 * token in. Gives its REST URL and token, or null where it does not exist yet (dry run).
 */
export async function setUpRedis(
  call: Call,
  settings: RedisSettings,
  run: Run,
  outcome: Outcome,
): Promise<Database | null> {
  run.out('Upstash database');
  const listed = await call('GET', '/redis/databases');
  const all: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const found = all.filter((one) => member(one, 'database_name') === settings.name);
  if (found.length > 1) throw new ServiceRefused(`Upstash: ${found.length} databases are named ${settings.name}`);
  const id = member(found[0], 'database_id');
  if (found.length === 1 && typeof id === 'string') {
    const path = `/redis/database/${encodeURIComponent(id)}`;
    const details = await call('GET', path);
    kept(run, outcome, `${settings.name} exists`);
    await guard(call, id, details, run, outcome);
    return databaseOf(details);
  }
  let made: unknown = null;
  await perform(run, outcome, {
    what: `create ${settings.name} in ${settings.region}, TLS, no eviction`,
    run: async () => {
      made = await call('POST', '/redis/database', {
        database_name: settings.name,
        platform: 'aws',
        primary_region: settings.region,
        read_regions: [],
        tls: true,
        eviction: false,
      });
    },
  });
  return run.apply ? databaseOf(made) : null;
}

/** TLS on and eviction off, on a database that was there already. */
async function guard(call: Call, id: string, details: unknown, run: Run, outcome: Outcome): Promise<void> {
  const rules = [
    { field: 'tls', wanted: true, path: `/redis/enable-tls/${encodeURIComponent(id)}`, what: 'TLS' },
    { field: 'eviction', wanted: false, path: `/redis/disable-eviction/${encodeURIComponent(id)}`, what: 'eviction' },
  ];
  for (const { field, wanted, path, what } of rules) {
    const state = `${what} ${wanted ? 'on' : 'off'}`;
    // An absent member is the service's default: TLS on, eviction off.
    if ((member(details, field) ?? wanted) === wanted) kept(run, outcome, state);
    else await perform(run, outcome, { what: `switch ${state}`, run: async () => void (await call('POST', path)) });
  }
}

function databaseOf(details: unknown): Database {
  const endpoint = member(details, 'endpoint');
  const token = member(details, 'rest_token');
  if (typeof endpoint !== 'string' || !/^[a-z0-9.-]+$/i.test(endpoint) || typeof token !== 'string' || token === '') {
    throw new ServiceRefused('Upstash: the answer holds no endpoint or no REST token');
  }
  return { url: `https://${endpoint}`, token };
}
