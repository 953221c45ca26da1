import { AuthorizerError } from '../lib/adapter/lambda/answer.ts';
import { createLambdaDoor } from '../lib/adapter/lambda/authorizer.ts';
import { createDecisionMetrics } from '../lib/adapter/lambda/metrics.ts';
import { type PlatformCredentials, signedSpill } from '../lib/archive/signed-spill.ts';
import { createAccessRecords } from '../lib/audit/secret-access-records.ts';
import { sleep } from '../lib/codec/sleep.ts';
import { createUlids } from '../lib/codec/ulid.ts';
import { type Composed, compose } from '../lib/compose/authorizer.ts';
import { egressTargets } from '../lib/config/egress.ts';
import { loadConfig } from '../lib/config/load.ts';
import { type Problem, problemLine } from '../lib/config/problem.ts';
import { resolveSources } from '../lib/config/sources.ts';
import type { Log } from '../lib/decision/ports.ts';
import { createEgressWatch } from '../lib/egress/watch.ts';
import { createLambdaStores } from '../lib/platform/lambda/secret-stores.ts';
import { hmacOnNode, verifyOnNode } from '../lib/platform/node/crypto.ts';
import { createNodeEgress } from '../lib/platform/node/egress.ts';
import { createNodeFetch } from '../lib/platform/node/fetch.ts';
import { createNodeRedisExchange } from '../lib/platform/node/redis.ts';

type Door = ReturnType<typeof createLambdaDoor>;

/** The init phase ends after ten seconds; a slow issuer must not use them up. */
const WARM_UP_MS = 3_000;

const OURS = /^(TGEFD|UPSTASH)_/;

function clock() {
  return Date.now();
}
const newId = createUlids(clock);
function line(text: string) {
  return void process.stdout.write(`${text}\n`);
}
const log: Log = (level, event, facts) =>
  line(JSON.stringify({ type: 'log', ts: new Date().toISOString(), level, event, ...facts }));
const metrics = createDecisionMetrics(process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'authorizer', line);
// Lambda says so where an extension runs beside the function.
process.once('SIGTERM', () => metrics.flush());
const watch = createEgressWatch(log);
const stores = createLambdaStores({ clock, watch });
const recordAccesses = createAccessRecords({ component: 'lambda', clock, newId, log, line });

/** The function's role; Lambda gives each environment credentials that outlive it. */
const platform: PlatformCredentials = {
  region: process.env.AWS_REGION ?? '',
  credentials: () => ({
    accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? '',
    sessionToken: process.env.AWS_SESSION_TOKEN,
  }),
};

/** Secrets are behind the extension, which answers from the first event on. */
const secretsElsewhere = Object.values(process.env).some((value) => value?.startsWith('aws-sm:') === true);
/** A snapshot is started many times: what is drawn or fetched before it was taken would be the same, and old, in all. */
const snapshot = process.env.AWS_LAMBDA_INITIALIZATION_TYPE === 'snap-start';

interface Running {
  readonly composed: Composed;
  readonly door: Door;
  /** Our variables with the secrets in them, to see whether one has changed. */
  readonly fingerprint: string;
  readonly untilMs: number;
}

let running: Running | null = null;

/** Says every problem in a line of its own, then fails: Lambda does not start what is half configured. */
function refuse(problems: readonly Problem[]): never {
  for (const problem of problems) log('error', 'configuration_invalid', { problem: problemLine(problem) });
  throw new AuthorizerError('configuration_invalid');
}

async function configured(): Promise<Running> {
  const resolved = await resolveSources(process.env, { file: null, stores });
  if (resolved.problems.length > 0) {
    await recordAccesses(resolved, running?.composed ?? null);
    return refuse(resolved.problems);
  }
  const fingerprint = JSON.stringify(Object.entries(resolved.env).filter(([name]) => OURS.test(name)));
  if (running?.fingerprint === fingerprint) return { ...running, untilMs: untilOf(running.composed) };

  const loaded = loadConfig(resolved.env, {
    platform: 'lambda',
    role: 'gateway',
    upstreamBinding: false,
    bucketBinding: false,
  });
  if (!loaded.ok) return refuse(loaded.problems);
  for (const warning of loaded.warnings) log('warn', 'configuration', { problem: problemLine(warning) });
  const { auditLog, redisUrl } = loaded.config.settings;
  const egress = createNodeEgress(egressTargets(loaded.config.settings, platform.region), watch.note);
  const composed = compose(
    loaded.config,
    {
      clock,
      newId,
      log,
      fetch: createNodeFetch(egress),
      egressWatch: watch,
      random: () => Math.random(),
      sleep,
      sharePromises: true,
      cryptography: { verify: verifyOnNode, hmac: hmacOnNode },
      sharedKeySet: null,
      upstream: null,
      auditLine: auditLog ? line : null,
      spill: signedSpill(loaded.config.settings, platform, { fetch: createNodeFetch(egress), clock, log }),
      redisExchange: redisUrl ? createNodeRedisExchange(redisUrl, egress, watch.note) : null,
    },
    running?.composed ?? null,
  );
  const unfit = await composed.assertions?.prepare();
  if (unfit) refuse([{ variable: 'TGEFD_ASSERTION_KEY', found: unfit, accepted: 'a key pair that belongs together' }]);
  composed.carried.store.adopt();
  await recordAccesses(resolved, composed);
  return {
    composed,
    door: createLambdaDoor(composed, { log, metrics }),
    fingerprint,
    untilMs: untilOf(composed),
  };
}

/** Until when secrets that are kept elsewhere are believed before they are read again. */
function untilOf({ config: { settings } }: Composed): number {
  return settings.secretsRefreshSeconds === 0
    ? Number.POSITIVE_INFINITY
    : clock() + settings.secretsRefreshSeconds * 1000;
}

/** The running parts; secrets that may have been rotated are read again, and while they cannot be, the last ones serve. */
async function current(): Promise<Running> {
  if (running === null || (secretsElsewhere && clock() >= running.untilMs)) {
    running = await configured().catch((error: unknown) => {
      if (running === null) throw error;
      log('warn', 'secrets_not_renewed');
      return { ...running, untilMs: untilOf(running.composed) };
    });
  }
  return running;
}

if (!secretsElsewhere && !snapshot) {
  const { composed } = await current();
  await Promise.race([composed.warm({ defer: () => undefined }), sleep(WARM_UP_MS)]);
}

/** The authorizer of an API Gateway API, REST or HTTP, whatever its event. */
export async function handler(event: unknown): Promise<unknown> {
  const { door } = await current();
  return door(event);
}

/** `GET /_authorizer/jwks.json` behind API Gateway: the keys that verify our identity assertions. */
export async function jwks(): Promise<unknown> {
  const { assertions } = (await current()).composed;
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=60' },
    body: JSON.stringify(assertions === null ? { keys: [] } : await assertions.jwks()),
  };
}
