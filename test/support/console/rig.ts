import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { freePort } from '../child.ts';
import type { DoorEnv, StartedDoor } from '../door.ts';
import { type Issuer, startIssuer, type TokenRequest } from '../issuer.ts';
import { acceptsConnections } from '../listening.ts';
import { startNodeDoor } from '../node-door.ts';
import { type RedisParts, redisProgram, startRedis } from '../redis.ts';
import { startUpstream } from '../upstream.ts';
import { startWorkerDoor } from '../worker-door.ts';

/** A gateway with its console, over a real Redis, a real issuer and an upstream. */
export interface ConsoleRig {
  readonly gateway: string;
  readonly console: string;
  readonly issuer: Issuer;
  readonly redis: RedisParts;
  token(request: TokenRequest): Promise<string>;
  /** One request to the gateway; its status. */
  ask(path: string, token: string | null, init?: RequestInit): Promise<number>;
  stop(): Promise<void>;
}

const CONSOLE_BUNDLE = join(dirname(dirname(dirname(import.meta.dirname))), 'dist/worker-console.js');

/** Starts the doors of a rig, of which the console listens on this port. */
type StartDoors = (
  env: DoorEnv,
  consolePort: number,
) => Promise<readonly [gateway: StartedDoor, ...others: StartedDoor[]]>;

/** A Node process that serves both. */
async function onNode(env: DoorEnv, consolePort: number): ReturnType<StartDoors> {
  const door = await startNodeDoor({ ...env, TGEFD_CONSOLE_PORT: `${consolePort}` });
  while (!(await acceptsConnections(consolePort))) await new Promise((resolve) => setTimeout(resolve, 20));
  return [door];
}

/** A Worker of each in workerd, which share nothing but Redis. */
export function onWorkers(env: DoorEnv, consolePort: number): ReturnType<StartDoors> {
  const forConsole = { ...env, TGEFD_CONSOLE_URL: `http://127.0.0.1:${consolePort}` };
  return Promise.all([
    startWorkerDoor(env),
    startWorkerDoor(forConsole, { bundle: CONSOLE_BUNDLE, port: consolePort }),
  ]);
}

/** Starts the rig; `env` changes or adds variables of the gateway. */
export async function startConsoleRig(env: DoorEnv = {}, startDoors: StartDoors = onNode): Promise<ConsoleRig> {
  const [issuer, upstream, redis, port] = await Promise.all([
    startIssuer(),
    startUpstream(),
    redisProgram().then(startRedis),
    freePort(),
  ]);
  const wanted = {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWT_ISSUER: issuer.url,
    TGEFD_JWT_AUDIENCE: issuer.audience,
    TGEFD_JWKS_URL: issuer.keySetUrl,
    TGEFD_JWT_ALLOWED_ALGS: 'RS256,ES256',
    TGEFD_JWT_CLOCK_SKEW_SEC: '0',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TOKEN: redis.token,
    TGEFD_REDIS_TIMEOUT_MS: '1000',
    TGEFD_RATE_LIMIT_PER_MINUTE: '100000',
    TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '60',
    TGEFD_AUDIT_LOG: 'false',
    TGEFD_AUDIT_PSEUDONYM_KEY: randomBytes(32).toString('base64url'),
    ...env,
  };
  const doors = await startDoors(wanted, port);
  const [door] = doors;
  return {
    gateway: door.url,
    console: `http://127.0.0.1:${port}`,
    issuer,
    redis,
    token: (request) => issuer.token({ algorithm: 'ES256', ...request }),
    async ask(path, token, init = {}) {
      const headers = { ...init.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
      const answer = await fetch(`${door.url}${path}`, { ...init, headers });
      await answer.arrayBuffer();
      return answer.status;
    },
    async stop() {
      await Promise.all(doors.map((one) => one.stop()));
      await Promise.all([redis.stop(), issuer.stop(), upstream.stop()]);
    },
  };
}
