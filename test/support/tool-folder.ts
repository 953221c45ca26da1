import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Program } from './debian.ts';

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 300_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * The folder of packages that only the infrastructure tests need, installed from its lockfile when it is not yet or no
 * longer up to date. Never throws: where the registry cannot be reached, the answer says why, for a suite to skip visibly.
 */
export async function toolFolder(): Promise<Program> {
  const path = fileURLToPath(new URL('../tools', import.meta.url));
  const changedMs = async (file: string) => (await stat(join(path, file)).catch(() => null))?.mtimeMs ?? 0;
  if ((await changedMs('node_modules/.package-lock.json')) >= (await changedMs('package-lock.json'))) return { path };
  try {
    await run('npm', ['ci', '--prefix', path, '--ignore-scripts', '--no-audit', '--no-fund'], {
      timeout: INSTALL_TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    return { path };
  } catch (error) {
    return {
      missing: `the test tools cannot be installed: ${error instanceof Error ? error.message.split('\n', 1)[0] : error}`,
    };
  }
}
