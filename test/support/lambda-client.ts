import { execFile } from 'node:child_process';
import { access, cp, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Program } from './debian.ts';

const run = promisify(execFile);
const RECIPE = join(dirname(import.meta.dirname), 'ric');
const BUILD_TIMEOUT_MS = 1_200_000;

/**
 * The runtime client that Lambda itself runs (aws-lambda-ric). Its native part takes minutes to build, so it is built once per
 * user and machine, outside the repository, and only where `CI` is set; elsewhere the answer says how. Never throws.
 */
export async function lambdaClient(): Promise<Program> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(cache, 'tgefd-authorizer', `ric-${process.platform}-${process.arch}-${process.versions.modules}`);
  const client = join(folder, 'node_modules', 'aws-lambda-ric');
  const built = { path: join(client, 'index.mjs') };
  if (await exists(join(client, 'rapid-client.node'))) return built;
  if (process.env.CI !== 'true') return { missing: 'aws-lambda-ric is not built yet: one run with CI=true builds it' };
  try {
    await mkdir(folder, { recursive: true });
    for (const name of ['package.json', 'package-lock.json']) await cp(join(RECIPE, name), join(folder, name));
    // The scripts are called by hand: npm 12 no longer runs those of dependencies.
    const script = `test -e ${client}/rapid-client.node || { npm ci --ignore-scripts --no-audit --no-fund &&
      cd ${client} && sh scripts/preinstall.sh && sh scripts/postinstall.sh; }`;
    const limits = { cwd: folder, timeout: BUILD_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
    await run('flock', [join(folder, 'lock'), 'sh', '-ec', script], limits);
    return built;
  } catch (error) {
    return { missing: `aws-lambda-ric could not be built: ${lastLine(error)}` };
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

function lastLine(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  return text.trim().split('\n').at(-1) || String(error);
}
