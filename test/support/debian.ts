import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

/** A program of the machine: where it is, or why it is not to be had. */
export type Program = { readonly path: string } | { readonly missing: string };

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 300_000;
/** Where Debian puts servers; an ordinary user's PATH lacks them. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * Finds `binary` on the machine (a program by its name, or a file such as a module by its whole path), else installs `packages` with apt-get (as root, under a lock shared by all workers).
 * Never throws: where it cannot be had, the answer says why, for a skipped suite to show.
 * Does not start or rely on any service that a package may bring.
 */
export async function ensurePackage(binary: string, packages: readonly string[]): Promise<Program> {
  const found = await find(binary);
  if (found !== null) return { path: found };
  const wanted = `${binary} is not installed`;
  if (process.getuid?.() !== 0) return { missing: `${wanted} and only root may install ${packages.join(' ')}` };
  if ((await find('apt-get')) === null) return { missing: `${wanted} and this machine has no apt-get` };
  const install = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  try {
    // The package lists are renewed only where they are empty or outdated, that is, where the first try fails.
    await locked(`command -v ${binary} || test -f ${binary} || ${install} || { apt-get update && ${install}; }`);
  } catch (error) {
    // A package whose service cannot start here counts as failed; the program may be there all the same.
    const path = await find(binary);
    return path === null ? { missing: `${wanted} and apt-get failed: ${lastLine(error)}` } : { path };
  }
  const path = await find(binary);
  return path === null ? { missing: `${packages.join(' ')} brought no ${binary}` } : { path };
}

/** The path of a program that is known to be there; throws with the reason where it is missing. */
export function pathOf(program: Program): string {
  if ('missing' in program) throw new Error(program.missing);
  return program.path;
}

async function find(binary: string): Promise<string | null> {
  if (isAbsolute(binary))
    return access(binary).then(
      () => binary,
      () => null,
    );
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS]) {
    const candidate = join(folder, binary);
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && executable) return candidate;
  }
  return null;
}

async function locked(script: string): Promise<void> {
  const lock = join(tmpdir(), 'tgefd-authorizer-apt.lock');
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: 'noninteractive',
    PATH: `${process.env.PATH}:${SERVER_FOLDERS.join(':')}`,
  };
  await run('flock', [lock, 'sh', '-c', script], { env, timeout: INSTALL_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 });
}

function lastLine(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  return text.trim().split('\n').at(-1) || String(error);
}
