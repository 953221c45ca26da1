import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Child, freePort, startChild } from './child.ts';
import { nextSteps, requestsToTry } from './dev/hints.ts';
import { type DevOptions, environmentOf, readOptions } from './dev/options.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { acceptsConnections } from './listening.ts';
import { redisProgram, startRedis } from './redis.ts';
import { startUpstream } from './upstream.ts';
import { WRANGLER_ALONE } from './wrangler-alone.ts';

/** Something that was started and that says when it has ended by itself. */
interface Part {
  readonly name: string;
  readonly ended?: Promise<string>;
  stop(): Promise<void>;
}

const ROOT = dirname(dirname(import.meta.dirname));
const GATEWAY_PORT = 8787;

const parts: Part[] = [];
let stopping = false;

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
  const folder = await settingsFolder(variables);
  await startWorker(port, folder);
  const gateway = `http://127.0.0.1:${port}`;
  const running = { gateway, options, issuer, envFile: join(folder, 'variables.env'), hasStore: store.token !== null };
  if (issuer && upstream && options.policy === null)
    await tryOut(gateway, await issuer.token({ subject: 'warm-up', scope: 'metrics' }));
  console.log(`
  gateway   ${gateway}   the Worker under wrangler dev
  upstream  ${options.upstream?.origin ?? upstream?.url}   ${await upstreamTold(options)}
  issuer    ${issuer ? `${issuer.url}   keys at ${issuer.keySetUrl}` : (options.issuer?.url ?? `as ${options.policy?.path} names them`)}
  store     ${store.told}${store.token === null ? '' : `\n  token     ${store.token}   of the store`}
${await requestsToTry(running)}
${nextSteps(running)}
Each decision is recorded below, one line of JSON. Ctrl-C stops everything.
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
async function startStore(): Promise<{ env: Record<string, string>; told: string; token: string | null }> {
  const program = await redisProgram();
  if ('missing' in program) return { env: {}, told: `memory of the Worker (${program.missing})`, token: null };
  const redis = await startRedis(program);
  parts.push({ name: 'redis-server', ended: redis.exited, stop: redis.stop });
  return {
    env: { TGEFD_REDIS_URL: redis.url, TGEFD_REDIS_TOKEN: redis.token },
    told: `${redis.url}   Redis for limits, revocations and records, by Upstash's REST API`,
    token: redis.token,
  };
}

/** A folder with the variables, for wrangler and for a shell, readable by nobody else. */
async function settingsFolder(variables: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-dev-'));
  parts.push({ name: 'settings', stop: () => rm(folder, { recursive: true, force: true }) });
  // In single quotes both wrangler and a shell take a value as it is.
  const lines = Object.entries(variables).map(([name, value]) => `${name}='${value}'\n`);
  await writeFile(join(folder, 'variables.env'), lines.join(''), { mode: 0o600 });
  return folder;
}

async function startWorker(port: number, folder: string): Promise<void> {
  const child: Child = await startChild({
    command: process.execPath,
    args: [
      join(ROOT, 'node_modules/wrangler/bin/wrangler.js'),
      ...[
        'dev',
        '--env',
        'local',
        '--local',
        '--ip',
        '127.0.0.1',
        '--port',
        `${port}`,
        '--inspector-port',
        `${await freePort()}`,
      ],
      ...['--env-file', join(folder, 'variables.env'), '--persist-to', folder, '--show-interactive-dev-session=false'],
    ],
    cwd: ROOT,
    env: WRANGLER_ALONE,
    ready: () => isReady(port),
    readyTimeoutMs: 60_000,
    onLine: (line) => {
      // What the Worker itself says is JSON; of wrangler's own words only the errors matter.
      const json = line.indexOf('{"');
      if (json >= 0) console.log(line.slice(json));
      else if (line.includes('ERROR')) console.log(line);
    },
  });
  parts.push({ name: 'wrangler dev', ended: child.exited, stop: child.stop });
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

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopAll(0, signal));
try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stopAll(1, 'Could not start');
}
for (const part of parts) part.ended?.then((how) => stopAll(1, `${part.name} ended (${how})`));
