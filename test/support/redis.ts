import { Buffer } from 'node:buffer';
import { Redis } from 'ioredis';
import { type Child, freePort, startChild } from './child.ts';
import { ensurePackage, type Program, pathOf } from './debian.ts';
import { type RestCounts, type RestFault, startUpstashFace } from './upstash-face.ts';

/** A real Redis behind the Upstash REST face. */
export interface RedisParts {
  /** What `TGEFD_REDIS_URL` and `TGEFD_REDIS_TOKEN` take. */
  readonly url: string;
  readonly token: string;
  /** TCP port of the redis-server itself. */
  readonly port: number;
  /** A plain client, to look into Redis past the REST face. */
  readonly client: Redis;
  /** HTTP requests and Redis commands that arrived, in this order of names, since `resetCounts`. */
  readonly counts: RestCounts;
  resetCounts(): void;
  /** What goes wrong from now on; null: nothing. */
  setFault(fault: RestFault | null): Promise<void>;
  /** The only tokens that the REST face accepts from now on. */
  setToken(token: string, ...besides: readonly string[]): void;
  /** Loses everything, scripts too, as a crash without persistence does. */
  restartEmpty(): Promise<void>;
  /** Resolves with how the first redis-server ended, whenever it does. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/** The redis-server of the machine, installed where it can be. */
export function redisProgram(): Promise<Program> {
  return ensurePackage('redis-server', ['redis-server']);
}

/** Starts a redis-server without persistence and the REST face in front of it, both on free loopback ports. */
export async function startRedis(program: Program): Promise<RedisParts> {
  const port = await freePort();
  const start = () => startServer(pathOf(program), port);
  let server = await start();
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {}); // A restart cuts the connection; ioredis comes back by itself.
  const face = await startUpstashFace((command, args) => client.callBuffer(command, ...args));
  return {
    url: face.url,
    get token() {
      return face.token;
    },
    port,
    client,
    counts: face.counts,
    resetCounts: face.resetCounts,
    setFault: face.setFault,
    setToken: face.setToken,
    exited: server.exited,
    async restartEmpty() {
      // Not `events.once`: it would reject at the first connection that is refused meanwhile.
      const back = new Promise<void>((resolve) => {
        client.once('close', () => client.once('ready', () => resolve()));
      });
      await server.kill();
      server = await start();
      await back;
    },
    async stop() {
      await face.stop();
      client.disconnect();
      await server.stop();
    },
  };
}

function startServer(path: string, port: number): Promise<Child> {
  const settings = { port: `${port}`, bind: '127.0.0.1', save: '', appendonly: 'no', daemonize: 'no', dir: '/tmp' };
  return startChild({
    command: path,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    ready: (lines) => lines.some((line) => line.includes('Ready to accept connections')),
  });
}

/** Reads a reply as text, whatever its nesting; for looking at keys in a test. */
export function replyText(reply: unknown): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString('utf8');
  return Array.isArray(reply) ? reply.map(replyText) : reply;
}
