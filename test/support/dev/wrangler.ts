import { dirname, join } from 'node:path';
import { type Child, freePort, startChild } from '../child.ts';
import { WRANGLER_ALONE } from '../wrangler-alone.ts';

const ROOT = dirname(dirname(dirname(import.meta.dirname)));

/** Starts one Worker of the checkout under `wrangler dev`, in its environment without variables of a deployment. */
export async function startWrangler(worker: {
  readonly config: string;
  readonly port: number;
  readonly envFile: string;
  readonly stateFolder: string;
  readonly ready: () => Promise<boolean>;
  readonly onLine: (line: string) => void;
}): Promise<Child> {
  const { config, port, envFile, stateFolder, ready, onLine } = worker;
  return startChild({
    command: process.execPath,
    args: [
      join(ROOT, 'node_modules/wrangler/bin/wrangler.js'),
      ...['dev', '--config', config, '--env', 'local', '--local', '--ip', '127.0.0.1', '--port', `${port}`],
      ...['--inspector-port', `${await freePort()}`, '--env-file', envFile, '--persist-to', stateFolder],
      '--show-interactive-dev-session=false',
    ],
    cwd: ROOT,
    env: WRANGLER_ALONE,
    ready,
    readyTimeoutMs: 60_000,
    onLine,
  });
}
