import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Child, freePort, startChild } from './child.ts';
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
const TOKEN_SECONDS = 3600;

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
  const issuer = await startIssuer(await preferredPort(GATEWAY_PORT + 1));
  parts.push({ name: 'issuer', stop: issuer.stop });
  const upstream = await startUpstream(await preferredPort(GATEWAY_PORT + 2));
  parts.push({ name: 'upstream', stop: upstream.stop });
  const store = await startStore();
  const port = await preferredPort(GATEWAY_PORT);
  await startWorker(port, {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWT_ISSUER: issuer.url,
    TGEFD_JWT_AUDIENCE: issuer.audience,
    TGEFD_JWKS_URL: issuer.keySetUrl,
    TGEFD_JWT_ALLOWED_ALGS: 'RS256,PS256,ES256,EdDSA',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_RATE_LIMIT_PER_MINUTE: '120',
    TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '30',
    TGEFD_REDIS_TIMEOUT_MS: '1000', // The first trip through the development server is slow.
    ...store.env,
  });
  const gateway = `http://127.0.0.1:${port}`;
  await tryOut(gateway, await issuer.token({ subject: 'warm-up', scope: 'metrics' }));
  console.log(`
  gateway   ${gateway}   the Worker under wrangler dev
  upstream  ${upstream.url}   a stand-in for the TGEFD service
  issuer    ${issuer.url}   keys at ${issuer.keySetUrl}
  store     ${store.told}
${await curls(gateway, issuer)}
More tokens:  npx --no tgefd-authorizer token --issuer ${issuer.url} --sub you --scope "discover jobs"
Each decision is recorded below, one line of JSON. Ctrl-C stops everything.
`);
}

/** Redis where it can be had, else the Worker's own memory. */
async function startStore(): Promise<{ env: Record<string, string>; told: string }> {
  const program = await redisProgram();
  if ('missing' in program) return { env: {}, told: `memory of the Worker (${program.missing})` };
  const redis = await startRedis(program);
  parts.push({ name: 'redis-server', ended: redis.exited, stop: redis.stop });
  return {
    env: { TGEFD_REDIS_URL: redis.url, TGEFD_REDIS_TOKEN: redis.token },
    told: `${redis.url}   Redis for limits, revocations and records, by Upstash's REST API`,
  };
}

async function startWorker(port: number, variables: Readonly<Record<string, string>>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-dev-'));
  const discard = () => rm(folder, { recursive: true, force: true });
  parts.push({ name: 'settings', stop: discard });
  const envFile = join(folder, 'variables.env');
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  await writeFile(envFile, `${lines.join('\n')}\n`, { mode: 0o600 });
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
      ...['--env-file', envFile, '--persist-to', folder, '--show-interactive-dev-session=false'],
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

/** Three requests to try, each with what it shows. */
async function curls(gateway: string, issuer: Issuer): Promise<string> {
  const ask = { subject: 'alice', algorithm: 'ES256', lifetimeSeconds: TOKEN_SECONDS } as const;
  const [allowed, narrow, foreign] = await Promise.all([
    issuer.token({ ...ask, scope: 'discover jobs' }),
    issuer.token({ ...ask, scope: 'jobs' }),
    issuer.token({ ...ask, scope: 'discover', audience: 'urn:another:api' }),
  ]);
  const line = (token: string) => `curl -i -X POST ${gateway}/v1/discover -H 'authorization: Bearer ${token}'`;
  return `
Allowed: 200, and the upstream shows what reached it (the caller's name, not the token)

${line(allowed)}

Forbidden by scope: 403 insufficient_scope, this token may only read jobs

${line(narrow)}

Refused: 401 credentials_invalid, this token was issued for another API

${line(foreign)}
`;
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
