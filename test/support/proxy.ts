import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startChild } from './child.ts';
import { ensurePackage, type Program, pathOf } from './debian.ts';
import { acceptsConnections } from './listening.ts';

export interface StartedProxy {
  readonly port: number;
  readonly pid: number;
  readonly folder: string;
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

export interface ProxyOptions {
  /** The whole configuration, for a port to listen on and the folder that it runs in. */
  readonly config: (port: number, folder: string) => string;
  /** Port to listen on, where another part has to know it ahead (default: a free one). */
  readonly port?: number;
  /** Further files of the folder: certificates, keys, includes. */
  readonly files?: Readonly<Record<string, string>>;
}

export function nginxProgram(): Promise<Program> {
  return ensurePackage('nginx', ['nginx-light']);
}

export function caddyProgram(): Promise<Program> {
  return ensurePackage('caddy', ['caddy']);
}

export function haproxyProgram(): Promise<Program> {
  return ensurePackage('haproxy', ['haproxy']);
}

/** Starts HAProxy in the foreground with one configuration, in a folder of its own. Throws with what it complains of. */
export function startHaproxy(program: Program, options: ProxyOptions): Promise<StartedProxy> {
  return startProxy(options, 'haproxy.cfg', (folder) => ({
    command: pathOf(program),
    args: ['-db', '-f', join(folder, 'haproxy.cfg')],
    env: {},
  }));
}

/** Starts nginx in the foreground with one configuration, in a folder of its own. Throws with what it complains of. */
export function startNginx(program: Program, options: ProxyOptions): Promise<StartedProxy> {
  return startProxy(options, 'nginx.conf', (folder) => ({
    command: pathOf(program),
    args: [
      '-p',
      folder,
      '-e',
      'stderr',
      '-c',
      join(folder, 'nginx.conf'),
      '-g',
      `daemon off; master_process off; pid ${folder}/nginx.pid;`,
    ],
    env: {},
  }));
}

/** Starts Caddy with one Caddyfile, in a folder of its own; its administrative endpoint stays off. Throws as nginx. */
export function startCaddy(program: Program, options: ProxyOptions): Promise<StartedProxy> {
  return startProxy(options, 'Caddyfile', (folder) => ({
    command: pathOf(program),
    args: ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'],
    env: { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  }));
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a proxy with its configuration, named `configName`, in a folder of its own. Throws with what it complains of. */
export async function startProxy(
  options: ProxyOptions,
  configName: string,
  start: (folder: string) => Command,
): Promise<StartedProxy> {
  const port = options.port ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-proxy-'));
  const discard = () => rm(folder, { recursive: true, force: true });
  const files = { ...options.files, [configName]: options.config(port, folder) };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const child = await startChild({ ...start(folder), cwd: folder, ready: () => acceptsConnections(port) }).catch(
    async (error: unknown) => {
      await discard();
      throw error;
    },
  );
  return {
    port,
    pid: child.pid,
    folder,
    lines: child.lines,
    async stop() {
      await child.stop();
      await discard();
    },
  };
}
