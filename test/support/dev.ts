import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './child.ts';
import { nextSteps, requestsToTry } from './dev/hints.ts';
import { startSignInLink } from './dev/link.ts';
import { type DevOptions, environmentOf, readOptions } from './dev/options.ts';
import { PRESET_ROWS, startTraffic, type Traffic } from './dev/traffic.ts';
import { startWrangler } from './dev/wrangler.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { acceptsConnections } from './listening.ts';
import { type RedisParts, redisProgram, startRedis } from './redis.ts';
import { startUpstream } from './upstream.ts';

/** Something that was started and that says when it has ended by itself. */
interface Part {
  readonly name: string;
  readonly ended?: Promise<string>;
  stop(): Promise<void>;
}

type Variables = Readonly<Record<string, string>>;

const GATEWAY_PORT = 8787;
const VARIABLES = 'variables.env';
const KEPT_RECORDS = 50_000;
/** So long a record waits for the answer that tells whose it is. */
const HELD_MS = 500;

const parts: Part[] = [];
let stopping = false;
let traffic: Traffic | null = null;

/** Stops every part, the last one first, and ends the process. */
async function stopAll(code: number, why: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  console.log(`\n${why}: stopping …`);
  for (const part of parts.reverse()) await part.stop();
  process.exit(code);
}

async function start(): Promise<void> {
  const options = await readOptions(process.argv.slice(2));
  const ownIssuers = options.issuer !== null || options.policy?.namesIssuers === true;
  const issuer = ownIssuers ? null : await startIssuer(await preferredPort(GATEWAY_PORT + 1));
  if (issuer) parts.push({ name: 'issuer', stop: issuer.stop });
  const upstream =
    options.upstream === null
      ? await startUpstream(await preferredPort(GATEWAY_PORT + 2), options.policy ? 200 : 404)
      : null;
  if (upstream) parts.push({ name: 'upstream', stop: upstream.stop });
  const store = await startStore();
  const port = await preferredPort(GATEWAY_PORT);
  const variables = {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    ...(issuer ? issuerVariables(issuer) : {}),
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream?.url ?? '',
    TGEFD_RATE_LIMIT_PER_MINUTE: '120',
    TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '30',
    TGEFD_REDIS_TIMEOUT_MS: '1000', // The first trip through the development server is slow.
    // One key for the gateway and for commands, so that both know a revoked caller by the same pseudonym.
    TGEFD_AUDIT_PSEUDONYM_KEY: randomBytes(32).toString('base64url'),
    ...store.env,
    ...environmentOf(options),
  };
  const folder = await settingsFolder();
  const envFile = await writeVariables(folder, VARIABLES, variables);
  const [operators] = await Promise.all([
    !options.console ? 'off' : store.redis ? startConsole(folder, variables, issuer) : 'off: it shows what Redis holds',
    startWorker(port, folder),
  ]);
  const gateway = `http://127.0.0.1:${port}`;
  const running = { gateway, options, issuer, envFile, hasStore: store.redis !== null };
  if (issuer && upstream && options.policy === null)
    await tryOut(gateway, await issuer.token({ subject: 'warm-up', scope: 'metrics' }));
  const { redis } = store;
  const isLiving = options.traffic && issuer !== null && upstream !== null && redis !== null;
  if (isLiving) startCallers(gateway, options, issuer, redis);
  console.log(`
  gateway   ${gateway}   the Worker under wrangler dev
  upstream  ${options.upstream?.origin ?? upstream?.url}   ${await upstreamTold(options)}
  issuer    ${issuer ? `${issuer.url}   keys at ${issuer.keySetUrl}` : (options.issuer?.url ?? `as ${options.policy?.path} names them`)}
  store     ${store.told}${store.redis === null ? '' : `\n  token     ${store.redis.token}   of the store`}
  console   ${operators}
${await requestsToTry(running)}
${nextSteps(running)}
${recordsTold(isLiving)} Ctrl-C stops everything.
`);
}

function issuerVariables(issuer: Issuer): Record<string, string> {
  return {
    TGEFD_JWT_ISSUER: issuer.url,
    TGEFD_JWT_AUDIENCE: issuer.audience,
    TGEFD_JWKS_URL: issuer.keySetUrl,
    TGEFD_JWT_ALLOWED_ALGS: 'RS256,PS256,ES256,EdDSA',
  };
}

async function upstreamTold({ upstream }: DevOptions): Promise<string> {
  if (upstream === null) return 'a stand-in for your service';
  const answers = await fetch(upstream, { method: 'HEAD', redirect: 'manual' }).then(
    () => true,
    () => false,
  );
  return answers ? 'yours' : 'yours; nothing answers there yet, so that allowed requests get 502';
}

/** Redis where it can be had, else the Worker's own memory. */
async function startStore(): Promise<{ env: Variables; told: string; redis: RedisParts | null }> {
  const program = await redisProgram();
  if ('missing' in program) return { env: {}, told: `memory of the Worker (${program.missing})`, redis: null };
  const redis = await startRedis(program);
  parts.push({ name: 'redis-server', ended: redis.exited, stop: redis.stop });
  return {
    env: { TGEFD_REDIS_URL: redis.url, TGEFD_REDIS_TOKEN: redis.token },
    told: `${redis.url}   Redis for limits, revocations and records, by Upstash's REST API`,
    redis,
  };
}

function recordsTold(isLiving: boolean): string {
  return isLiving
    ? 'Callers that npm run dev makes up ask the gateway all the time: the console shows them (--no-traffic: none).\nEach other decision is recorded below, one line of JSON.'
    : 'Each decision is recorded below, one line of JSON.';
}

/** A folder for files with variables and the state of Workers, which goes when everything stops. */
async function settingsFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-dev-'));
  parts.push({ name: 'settings', stop: () => rm(folder, { recursive: true, force: true }) });
  return folder;
}

/** Writes variables for wrangler and for a shell, readable by nobody else; gives the path. */
async function writeVariables(folder: string, name: string, variables: Variables): Promise<string> {
  const path = join(folder, name);
  // In single quotes both wrangler and a shell take a value as it is.
  const lines = Object.entries(variables).map(([key, value]) => `${key}='${value}'\n`);
  await writeFile(path, lines.join(''), { mode: 0o600 });
  return path;
}

async function startWorker(port: number, folder: string): Promise<void> {
  const child = await startWrangler({
    config: 'wrangler.toml',
    port,
    envFile: join(folder, VARIABLES),
    stateFolder: folder,
    ready: () => isReady(port),
    onLine: (line) => {
      // What the Worker itself says is JSON; of wrangler's own words only the errors matter.
      const json = line.indexOf('{"');
      if (json >= 0) printRecord(line.slice(json));
      else if (line.includes('ERROR')) console.log(line);
    },
  });
  parts.push({ name: 'wrangler dev', ended: child.exited, stop: child.stop });
}

/** Prints a line of the gateway, unless it is about a request of the traffic, whose answer tells its id in a moment. */
function printRecord(line: string): void {
  if (traffic === null) {
    console.log(line);
    return;
  }
  const id = /"request_id":"([^"]+)"/.exec(line)?.[1];
  setTimeout(() => {
    if (id === undefined || !traffic?.made.delete(id)) console.log(line);
  }, HELD_MS).unref();
}

/** The console's Worker, and the link that signs in where tokens can be made here. */
async function startConsole(folder: string, variables: Variables, issuer: Issuer | null): Promise<string> {
  const port = await preferredPort(GATEWAY_PORT + 3);
  const url = `http://127.0.0.1:${port}`;
  const envFile = await writeVariables(folder, 'console.env', {
    ...variables,
    TGEFD_CONSOLE_URL: url,
    TGEFD_AUDIT_LOG: 'false',
  });
  const child = await startWrangler({
    config: 'wrangler.console.toml',
    port,
    envFile,
    stateFolder: join(folder, 'console'),
    ready: async () => (await fetch(`${url}/sign-in`).catch(() => null))?.status === 200,
    onLine: (line) => {
      if (line.includes('ERROR') || line.includes('"level":"error"')) console.log(line);
    },
  });
  parts.push({ name: 'wrangler dev of the console', ended: child.exited, stop: child.stop });
  if (issuer === null) return `${url}   sign in with a token of your issuer that holds the scope console`;
  const mint = () => issuer.token({ subject: 'you', scope: 'console revoke', lifetimeSeconds: 60, algorithm: 'ES256' });
  const link = await startSignInLink(url, mint, await preferredPort(GATEWAY_PORT + 4));
  parts.push({ name: 'link', stop: link.stop });
  return `${url}   who is refused, and why\n  sign in   ${link.url}   once, within ten minutes`;
}

/** Callers for the console, where they meet nothing but stand-ins; keeps the records of the latest hours only. */
function startCallers(gateway: string, { policy }: DevOptions, issuer: Issuer, redis: RedisParts): void {
  traffic = startTraffic({ gateway, rows: policy?.rows.length ? policy.rows : PRESET_ROWS, token: issuer.token });
  const trimming = setInterval(() => void redis.client.xtrim('tgefd:v1:audit', 'MAXLEN', '~', KEPT_RECORDS), 60_000);
  parts.push({
    name: 'traffic',
    stop: async () => {
      clearInterval(trimming);
      await traffic?.stop();
    },
  });
}

/** It decides: without credentials nothing but a 401. */
async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/metrics`).catch(() => null);
  return response?.status === 401;
}

/** One request from end to end, so that what is printed is known to work and the first caller does not wait. */
async function tryOut(gateway: string, token: string): Promise<void> {
  const response = await fetch(`${gateway}/v1/metrics`, { headers: { authorization: `Bearer ${token}` } });
  if (response.status !== 200) throw new Error(`the gateway answered ${response.status}: ${await response.text()}`);
}

async function preferredPort(port: number): Promise<number> {
  return (await acceptsConnections(port)) ? await freePort() : port;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopAll(0, signal));
process.stdout.on('error', () => stopAll(1, 'Output closed')); // A terminal that has gone; the parts would stay behind it.
try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stopAll(1, 'Could not start');
}
for (const part of parts) part.ended?.then((how) => stopAll(1, `${part.name} ended (${how})`));
