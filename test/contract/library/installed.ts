import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildDeclarations } from '../../../infra/library.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../../..');
const INSTALL_TIMEOUT_MS = 300_000;

/** A stranger's folder: the packed package is installed in it, and the sources of `user/` stand beside. */
export interface Installed {
  /** The packed package. */
  readonly tarball: string;
  readonly folder: string;
  /** The package as it was installed. */
  readonly packageFolder: string;
  remove(): Promise<void>;
}

/** Why there is no such folder, for a suite to skip visibly: the registry of its dependencies cannot be reached. */
export type Installation = { readonly path: string; readonly installed: Installed } | { readonly missing: string };

/** Packs the package as `npm publish` would, and installs it in an empty folder with what it depends on. */
export async function installPackage(): Promise<Installation> {
  await buildDeclarations();
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-user-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT });
  const [name = ''] = await readdir(folder);
  const tarball = join(folder, name);
  await writeFile(join(folder, 'package.json'), '{ "name": "a-user", "private": true, "type": "module" }\n');
  await cp(join(import.meta.dirname, 'user'), folder, { recursive: true });
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  try {
    await run('npm', ['install', ...options, tarball], { cwd: folder, timeout: INSTALL_TIMEOUT_MS });
  } catch (error) {
    await remove();
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    return { missing: `the dependencies cannot be installed: ${reason}` };
  }
  const packageFolder = join(folder, 'node_modules/tgefd-authorizer');
  return { path: folder, installed: { tarball, folder, packageFolder, remove } };
}
