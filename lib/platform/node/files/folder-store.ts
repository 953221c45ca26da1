import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ObjectStore, StoredObject } from '../../../storage/store.ts';

const PAGE = 1000;
const UNFINISHED = '.unfinished-';

/**
 * A folder as object storage: one file an object, its path the key. For a copy of a bucket that is to be verified away from
 * it, and for one machine without a bucket. Creating is atomic: a file is written under another name and linked.
 * Keys that would leave the folder are refused with a RangeError.
 */
export function createFolderStore(folder: string): ObjectStore {
  const pathOf = (key: string): string => pathIn(folder, key);
  return {
    async create(key, bytes) {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true });
      const unfinished = join(dirname(path), `${UNFINISHED}${randomUUID()}`);
      await writeFile(unfinished, bytes, { flush: true });
      try {
        await link(unfinished, path);
        return 'created';
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return 'exists';
        throw error;
      } finally {
        await rm(unfinished, { force: true });
      }
    },

    async read(key, maximumBytes) {
      const file = await open(pathOf(key)).catch(unlessMissing);
      if (file === null) return null;
      try {
        const { size } = await file.stat();
        const bytes = new Uint8Array(Math.min(size, maximumBytes + 1));
        const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, 0);
        return bytes.slice(0, bytesRead);
      } finally {
        await file.close();
      }
    },

    async list(prefix, afterKey) {
      const objects: StoredObject[] = [];
      const base = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      for await (const key of keysUnder(folder, base)) {
        if (!key.startsWith(prefix) || (afterKey !== null && key <= afterKey)) continue;
        if (objects.length === PAGE) return { objects, more: true };
        const found = await stat(join(folder, key)).catch(unlessMissing); // It may have been removed meanwhile.
        if (found !== null) objects.push({ key, bytes: found.size });
      }
      return { objects, more: false };
    },

    async folders(prefix) {
      const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch(unlessMissing);
      return (entries ?? []).filter((entry) => entry.isDirectory()).map(({ name }) => name);
    },

    async remove(key) {
      await rm(pathOf(key), { force: true });
    },
  };
}

function pathIn(folder: string, key: string): string {
  const segments = key.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw new RangeError('a key is a relative path without empty or dot segments');
  }
  return join(folder, ...segments);
}

/** Keys of files below a folder, ascending as object stores sort them: by the whole key, in which `/` is a character. */
async function* keysUnder(root: string, base: string): AsyncGenerator<string> {
  const entries = (await readdir(join(root, base), { withFileTypes: true }).catch(unlessMissing)) ?? [];
  const names = entries
    .filter(({ name }) => !name.startsWith(UNFINISHED))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort();
  for (const name of names) {
    if (name.endsWith('/')) yield* keysUnder(root, `${base}${name}`);
    else yield `${base}${name}`;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
}

function unlessMissing(error: unknown): null {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
  throw error;
}
