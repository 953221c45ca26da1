import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildAll } from '../../infra/build.ts';

const ROOT = dirname(dirname(import.meta.dirname));

/** Builds the bundles before the first test that needs them, unless they are newer than every source. */
export async function setup(): Promise<void> {
  const sources = await Promise.all(['lib', 'functions', 'infra/build.ts', 'package-lock.json'].map(newest));
  const bundles = await oldest(join(ROOT, 'dist'));
  if (bundles === null || bundles < Math.max(...sources)) await buildAll();
}

async function newest(path: string): Promise<number> {
  const absolute = join(ROOT, path);
  const here = await stat(absolute);
  if (!here.isDirectory()) return here.mtimeMs;
  const names = await readdir(absolute, { recursive: true });
  const files = await Promise.all(names.map(async (name) => (await stat(join(absolute, name))).mtimeMs));
  return Math.max(here.mtimeMs, ...files);
}

async function oldest(folder: string): Promise<number | null> {
  const names = await readdir(folder).catch(() => []);
  const files = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).mtimeMs));
  return files.length === 0 ? null : Math.min(...files);
}
