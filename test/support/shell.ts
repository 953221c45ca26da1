import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What the commands printed, on both streams, and the exit status of the last one. */
export interface ShellAnswer {
  readonly printed: string;
  readonly status: number;
}

/** One shell that stays: variables, functions and its working folder last from one block to the next. */
export interface Shell {
  /** Runs the commands, and stops at the first that fails. */
  run(commands: string): Promise<ShellAnswer>;
  /** The folder that the shell is in now. */
  folder(): Promise<string>;
  /** Ends the shell and everything that it started. */
  stop(): Promise<void>;
}

/** A word that no command prints. */
const END = '--end-of-commands--';

/** Starts a shell in a folder, in a process group of its own. */
export async function startShell(folder: string, env: Readonly<Record<string, string | undefined>>): Promise<Shell> {
  const child = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env, detached: true, stdio: 'pipe' });
  await once(child, 'spawn');
  child.stdin.on('error', () => undefined);
  let heard = '';
  let wake = (): void => undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      wake();
    });

  let ended = false;
  child.on('exit', () => {
    ended = true;
    wake();
  });

  async function run(commands: string): Promise<ShellAnswer> {
    heard = '';
    // A command that fails ends the shell: the blocks after it would only fail for want of it.
    child.stdin.write(`set -e\n${commands}\nset +e\necho\necho "${END}"\n`);
    for (;;) {
      const found = heard.indexOf(`\n${END}\n`);
      if (found >= 0) return { printed: heard.slice(0, found), status: 0 };
      if (ended) return { printed: heard, status: child.exitCode ?? 1 };
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    run,
    folder: async () => (await run('pwd')).printed.trim().split('\n').at(-1) ?? folder,
    async stop() {
      // The group: what stands in the background goes too, also when the shell has ended.
      if (child.pid !== undefined) killGroup(child.pid);
      if (!ended) await once(child, 'exit');
    },
  };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
