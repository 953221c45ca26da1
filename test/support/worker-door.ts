import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { freePort, startChild } from './child.ts';
import type { DoorEnv, StartedDoor } from './door.ts';
import { acceptsConnections } from './listening.ts';

const ROOT = dirname(dirname(import.meta.dirname));
// By require(): Node and Vite disagree on what the default export of this CommonJS package is.
const WORKERD: string = createRequire(import.meta.url)('workerd').default;

/** Field by which a test says what `request.cf` holds, as JSON; Cloudflare alone fills it in production. */
export const CF_FIELD = 'x-loopback-cf';

/** Field by which a test says whether the caller came by `http` or `https`, as Cloudflare's edge knows it. */
export const PROTOCOL_FIELD = 'x-loopback-protocol';

export interface WorkerDoorOptions {
  /** Bundle to serve (default: dist/worker.js). */
  readonly bundle?: string;
  /** Port to listen on, where the configuration has to name it (default: a free one). */
  readonly port?: number;
  /** Port of 127.0.0.1 that the service binding `UPSTREAM` leads to (default: no such binding). */
  readonly upstreamPort?: number;
  /** Port of an edge cache (`startEdgeCache`) behind `caches.default` (default: a Worker has none). */
  readonly cachePort?: number;
  /** Bindings to secrets as Cloudflare's Secrets Store has them: objects with `get()`, by RPC. Their values are asked of
   * this loopback origin, by name. */
  readonly secrets?: { readonly names: readonly string[]; readonly origin: string };
}

/**
 * Starts the bundled Worker in workerd itself on a free loopback port, with this environment as its text bindings and
 * the compatibility date and flags of wrangler.toml. It reaches loopback services and nothing else.
 */
export async function startWorkerDoor(env: DoorEnv, options: WorkerDoorOptions = {}): Promise<StartedDoor> {
  const port = options.port ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-worker-'));
  const bundle = options.bundle ?? join(ROOT, 'dist/worker.js');
  await writeFile(join(folder, basename(bundle)), await readFile(bundle));
  await writeFile(join(folder, 'config.capnp'), await workerdConfig(port, basename(bundle), Object.keys(env), options));
  const discard = () => rm(folder, { recursive: true, force: true });
  const child = await startChild({
    command: WORKERD,
    args: ['serve', join(folder, 'config.capnp')],
    env,
    ready: () => acceptsConnections(port),
  }).catch(async (error: unknown) => {
    await discard();
    throw error;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ...child,
    stop: async () => {
      await child.stop();
      await discard();
    },
    kill: async () => {
      await child.kill();
      await discard();
    },
  };
}

const SECRETS_STORE = `
import { WorkerEntrypoint } from 'cloudflare:workers';
export class Secret extends WorkerEntrypoint {
  async get() {
    const answer = await fetch(this.ctx.props.url);
    if (answer.status !== 200) throw new Error('no such secret');
    return answer.text();
  }
}
export default {};
`;

async function workerdConfig(
  port: number,
  module: string,
  variables: readonly string[],
  options: WorkerDoorOptions,
): Promise<string> {
  const { date, flags } = await compatibility();
  const external = (name: string, to: number | undefined) =>
    to === undefined ? [] : [`(name = "${name}", external = (address = "127.0.0.1:${to}", http = ()))`];
  const services = [
    '(name = "main", worker = .main)',
    '(name = "internet", network = (allow = ["local"]))',
    ...external('upstream', options.upstreamPort),
    ...external('cache', options.cachePort),
  ];
  if (options.secrets) services.push('(name = "secrets", worker = .secrets)');
  // Values stay out of the file: workerd reads each from its own environment.
  const bindings = variables.map((name) => `(name = "${name}", fromEnvironment = "${name}")`);
  if (options.upstreamPort !== undefined) bindings.push('(name = "UPSTREAM", service = "upstream")');
  for (const name of options.secrets?.names ?? []) {
    const props = JSON.stringify(JSON.stringify({ url: `${options.secrets?.origin}/${name}` }));
    bindings.push(`(name = "${name}", service = (name = "secrets", entrypoint = "Secret", props = (json = ${props})))`);
  }
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services.join(', ')}],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (cfBlobHeader = "${CF_FIELD}", forwardedProtoHeader = "${PROTOCOL_FIELD}"), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "${module}", esModule = embed "${module}")],
  compatibilityDate = "${date}",
  compatibilityFlags = ${JSON.stringify(flags)},
  bindings = [${bindings.join(', ')}],
  ${options.cachePort === undefined ? '' : 'cacheApiOutbound = "cache",'}
);
const secrets :Workerd.Worker = (
  modules = [(name = "secrets.js", esModule = ${JSON.stringify(SECRETS_STORE)})],
  compatibilityDate = "${date}",
);
`;
}

async function compatibility(): Promise<{ date: string; flags: string[] }> {
  const toml = await readFile(join(ROOT, 'wrangler.toml'), 'utf8');
  const date = /^compatibility_date = "([\d-]+)"$/m.exec(toml)?.[1];
  const flags = /^compatibility_flags = (\[.*\])$/m.exec(toml)?.[1];
  if (date === undefined || flags === undefined) throw new Error('wrangler.toml names no compatibility date and flags');
  return { date, flags: JSON.parse(flags) };
}
