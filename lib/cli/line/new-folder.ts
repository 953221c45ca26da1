import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Unusable } from './failures.ts';

/**
 * Makes a folder that only its owner may enter, with the folders above it. Node's own `recursive` never returns where the
 * system says ENOENT below a folder that exists, as /proc does.
 *
 * @throws Unusable with one sentence, when it cannot be made.
 */
export async function makeFolder(folder: string, option: string): Promise<void> {
  const missing: string[] = [];
  for (let path = resolve(folder); ; path = dirname(path)) {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) break;
    if (found !== null) throw new Unusable(`${option}: ${path} is a file, not a folder`);
    missing.unshift(path);
  }
  for (const path of missing) {
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw new Unusable(`${option}: the folder ${path} cannot be made`);
    });
  }
}
