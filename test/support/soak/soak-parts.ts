import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createMemoryObjectStore } from '../../../lib/storage/memory.ts';
import type { ObjectStore } from '../../../lib/storage/store.ts';
import { signingJwk } from '../../unit/archive/fixtures.ts';
import { freePort } from '../child.ts';
import type { Program } from '../debian.ts';
import { listenOnLoopback } from '../loopback-server.ts';
import type { Random } from '../random.ts';
import { type RedisServer, startRedisServer } from '../redis-tcp.ts';
import { startUpstashFace } from '../upstash-face.ts';
import { type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';
import { startObjectStoreFace } from './object-store-face.ts';

export const BUCKET = 'soak';
export const PREFIX = 'audit';
const AUDIENCE = 'urn:soak';
/** What the upstream gives for `/v1/metrics`: more than a socket buffer holds. */
const LARGE_BYTES = 600_000;

/** Everything that an authorizer talks to, each behind a proxy that can spoil it. */
export interface SoakParts {
  readonly proxies: Readonly<Record<'redis' | 'issuer' | 'upstream' | 'store', FaultyProxy>>;
  readonly store: ObjectStore;
  readonly redisPort: number;
  /** Kills the redis-server and starts it again on its own append-only file. */
  restartRedis(): Promise<void>;
  token(subject: string, lifetimeSeconds?: number): Promise<string>;
  environment(way: 'rest' | 'tcp'): Record<string, string>;
  stop(): Promise<void>;
}

/** A redis-server that keeps what it has acknowledged when it is killed, and its REST face. */
async function startKeptRedis(program: Program) {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-soak-'));
  const port = await freePort();
  const start = () => startRedisServer(program, { appendonly: 'yes', appendfsync: 'always', dir: folder }, port);
  let server: RedisServer = await start();
  const client = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: () => 50,
    // A command that was sent and not answered must not be sent twice behind the back of the product.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
  });
  client.on('error', () => {});
  const face = await startUpstashFace((command, args) => client.callBuffer(command, ...args));
  return {
    port,
    face,
    async restart() {
      await server.kill();
      server = await start();
    },
    async stop() {
      await face.stop();
      client.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The service behind: answers at once, with a body of its own length, or of more than a buffer. */
function startService() {
  return listenOnLoopback(
    createServer((request, response) => {
      request.resume();
      request.once('end', () => {
        const bytes = request.url?.startsWith('/v1/metrics') ? LARGE_BYTES : 40;
        response.writeHead(200, { 'content-type': 'text/plain', 'content-length': bytes }).end('x'.repeat(bytes));
      });
    }),
  );
}

export async function startSoakParts(program: Program, random: Random): Promise<SoakParts> {
  const keys = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'soak', alg: 'ES256', use: 'sig' };
  const store = createMemoryObjectStore();
  const [redis, service, objects, issuer] = await Promise.all([
    startKeptRedis(program),
    startService(),
    startObjectStoreFace(store),
    listenOnLoopback(createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })))),
  ]);
  const restPort = Number(new URL(redis.face.url).port);
  const [rest, tcp, toIssuer, toUpstream, toStore] = (await Promise.all(
    [restPort, redis.port, issuer.port, service.port, objects.port].map((port) => startFaultyProxy(port, random)),
  )) as [FaultyProxy, FaultyProxy, FaultyProxy, FaultyProxy, FaultyProxy];
  const both: FaultyProxy = {
    port: rest.port,
    setFault: async (fault) => void (await Promise.all([rest.setFault(fault), tcp.setFault(fault)])),
    sockets: () => rest.sockets() + tcp.sockets(),
    stop: async () => void (await Promise.all([rest.stop(), tcp.stop()])),
  };
  const proxies = { redis: both, issuer: toIssuer, upstream: toUpstream, store: toStore };
  const issuerUrl = `http://127.0.0.1:${toIssuer.port}`;
  return {
    proxies,
    store,
    redisPort: redis.port,
    restartRedis: redis.restart,
    token: (subject, lifetimeSeconds = 3000) =>
      new SignJWT({ scope: 'discover evaluate jobs metrics' })
        .setProtectedHeader({ alg: 'ES256', kid: 'soak', typ: 'at+jwt' })
        .setSubject(subject)
        .setIssuer(issuerUrl)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + lifetimeSeconds)
        .sign(keys.privateKey),
    environment: (way) => ({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWT_ISSUER: issuerUrl,
      TGEFD_JWT_AUDIENCE: AUDIENCE,
      TGEFD_JWT_ALLOWED_ALGS: 'ES256',
      TGEFD_JWKS_URL: `${issuerUrl}/keys`,
      TGEFD_JWKS_TTL_SEC: '5',
      TGEFD_JWKS_MAX_STALE_SEC: '5',
      TGEFD_JWKS_TIMEOUT_SEC: '1',
      TGEFD_UPSTREAM_URL: `http://127.0.0.1:${toUpstream.port}`,
      TGEFD_UPSTREAM_TIMEOUT_SEC: '2',
      TGEFD_IDLE_TIMEOUT_SEC: '3',
      TGEFD_REDIS_URL: way === 'rest' ? `http://127.0.0.1:${rest.port}` : `redis://127.0.0.1:${tcp.port}`,
      ...(way === 'rest' ? { TGEFD_REDIS_TOKEN: redis.face.token } : {}),
      TGEFD_RATE_LIMIT_PER_MINUTE: '600',
      TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '120',
      TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE: '60',
      TGEFD_RBAC_ENABLED: 'true',
      TGEFD_MAX_BODY_BYTES: '100000',
      TGEFD_AUDIT_MODE: 'strict',
      TGEFD_AUDIT_LOG: 'false',
      TGEFD_AUDIT_BUCKET: BUCKET,
      TGEFD_AUDIT_PREFIX: PREFIX,
      TGEFD_AUDIT_S3_ENDPOINT: `http://127.0.0.1:${toStore.port}`,
      TGEFD_AUDIT_S3_ACCESS_KEY_ID: 'soak',
      TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: 'soak-secret',
      TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
      TGEFD_AUDIT_PSEUDONYM_KEY: 'the pseudonym key of the soak, 32 bytes',
      TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC: '2',
      TGEFD_METRICS_ENABLED: 'true',
    }),
    async stop() {
      await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
      await Promise.all([redis.stop(), service.down(), objects.stop(), issuer.down()]);
      await pass(0);
    },
  };
}
