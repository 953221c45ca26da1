import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A program started for a test. */
export interface Child {
  readonly pid: number;
  /** Every line of stdout and stderr so far, in order of arrival. */
  readonly lines: readonly string[];
  /** Resolves with how it ended, whenever it does. */
  readonly exited: Promise<string>;
  /** Asks it to end (SIGTERM), insists after five seconds (SIGKILL); resolves when it is gone. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child, save PATH and HOME, which it inherits. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether it answers yet; asked until it does. */
  readonly ready: (lines: readonly string[]) => boolean | Promise<boolean>;
  readonly readyTimeoutMs?: number;
  /** How long it may take to end after SIGTERM. */
  readonly endMs?: number;
  readonly onLine?: (line: string) => void;
}

const POLL_MS = 20;
const INSIST_MS = 5_000;
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) signal(child, 'SIGKILL');
});

/**
 * Starts a program and waits until it is ready.
 * Throws with the command and its last lines when it ends first or is not ready in time (15 seconds by default).
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const name = [options.command, ...options.args].join(' ');
  const child = spawn(options.command, options.args, {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // A group of its own: what it starts in turn ends with it.
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      options.onLine?.(line);
    });
  }
  let ended: string | null = null;
  running.add(child);
  const exited = new Promise<string>((resolve) => {
    const end = (how: string) => {
      ended = how;
      running.delete(child);
      resolve(how);
    };
    child.once('error', (error) => end(error.message));
    child.once('close', (code, by) => end(by === null ? `exit code ${code}` : `signal ${by}`));
  });
  const kill = async () => {
    signal(child, 'SIGKILL');
    await exited;
  };
  const stop = async () => {
    signal(child, 'SIGTERM');
    const insist = setTimeout(signal, options.endMs ?? INSIST_MS, child, 'SIGKILL');
    await exited;
    clearTimeout(insist);
  };
  const deadline = Date.now() + (options.readyTimeoutMs ?? 15_000);
  while (!(await options.ready(lines))) {
    if (ended !== null)
      throw new Error(`${name} ended (${ended}) before it was ready:\n${lines.slice(-20).join('\n')}`);
    if (Date.now() > deadline) {
      await kill();
      throw new Error(`${name} was not ready in time:\n${lines.slice(-20).join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return { pid: child.pid ?? 0, lines, exited, stop, kill };
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined || !running.has(child)) return;
  try {
    process.kill(-child.pid, name);
  } catch {} // It has just ended by itself.
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}
