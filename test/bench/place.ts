import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { freePort, startChild } from '../support/child.ts';
import { acceptsConnections } from '../support/listening.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import { type Load, type Server, startLoad } from './servers.ts';
import { createIssuer, type Issuer } from './tokens.ts';

/** What every group works with. */
export interface Place {
  readonly issuer: Issuer;
  readonly keySetUrl: string;
  readonly load: Load;
  /** What peers read from the variable `BENCH`, as JSON. */
  readonly facts: Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** Starts the issuer's key set and the load generator. */
export async function preparePlace(): Promise<Place> {
  const issuer = createIssuer();
  const body = JSON.stringify({ keys: [issuer.publicJwk] });
  const keySet = await listenOnLoopback(
    createServer((_request, response) => response.setHeader('content-type', 'application/jwk-set+json').end(body)),
  );
  const load = startLoad();
  const keySetUrl = `http://127.0.0.1:${keySet.port}/jwks.json`;
  const { publicPem, publicJwk, issuer: name, audience } = issuer;
  return {
    issuer,
    keySetUrl,
    load,
    facts: { publicPem, publicJwk, issuer: name, audience, keySetUrl },
    async stop() {
      load.stop();
      await keySet.down();
    },
  };
}

function peerFile(name: string) {
  return join(import.meta.dirname, 'peers', name);
}

/** Starts a peer that runs on Node. */
export async function startNodePeer(name: string, facts: object): Promise<Server> {
  const port = await freePort();
  return {
    port,
    ...(await startChild({
      command: process.execPath,
      args: [peerFile(name)],
      env: { PORT: `${port}`, BENCH: JSON.stringify(facts), NODE_ENV: 'production' },
      ready: () => acceptsConnections(port),
    })),
  };
}

/** Bundles a peer that is a Worker as ours is bundled, and starts it in workerd. */
export async function startWorkerPeer(
  name: string,
  facts: object,
  variables: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-bench-'));
  const bundle = join(folder, basename(name).replace(/\.mjs$/, '.js'));
  await build({
    entryPoints: [peerFile(name)],
    outfile: bundle,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'warning',
  });
  const door = await startWorkerDoor({ BENCH: JSON.stringify(facts), ...variables }, { bundle });
  await rm(folder, { recursive: true });
  return door;
}
