import { dirname, join } from 'node:path';
import { freePort, startChild } from './child.ts';
import type { DoorEnv, StartedDoor } from './door.ts';
import { acceptsConnections } from './listening.ts';

const BUNDLE = join(dirname(dirname(import.meta.dirname)), 'dist/node.js');

/**
 * Starts the built Node door (dist/node.js) on a free loopback port with exactly this environment.
 * Throws with what it printed when it ends before it listens, as it does on an invalid configuration.
 */
export async function startNodeDoor(
  env: DoorEnv,
  bundle = BUNDLE,
  wantedPort?: number,
): Promise<StartedDoor & { readonly pid: number }> {
  const port = wantedPort ?? (await freePort());
  const child = await startChild({
    command: process.execPath,
    args: [bundle],
    env: { HOST: '127.0.0.1', PORT: `${port}`, ...env },
    ready: () => acceptsConnections(port),
  });
  return { url: `http://127.0.0.1:${port}`, port, ...child };
}
