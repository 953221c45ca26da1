import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { nodeBundle } from '../../infra/build.ts';

const run = promisify(execFile);
const ROOT = dirname(dirname(import.meta.dirname));
const ROUNDS = 15;

/** What a function's init phase would be with the usual libraries: ours, with all of zod and Node's fetch touched at load. */
const USUAL = `
import { z } from 'zod';
globalThis.usual = [z.object({ name: z.string().email() }), new Headers(), new Request('https://api.example')];
export { handler } from './functions/lambda-authorizer.ts';
`;

/** Imports one bundle in a fresh process, and prints the processor time of that alone, in milliseconds. */
const CHILD = `
const before = process.cpuUsage();
await import(process.env.BUNDLE);
const { user, system } = process.cpuUsage(before);
process.stdout.write(String((user + system) / 1000), () => process.exit());
`;

/** Bundle size and init time of the authorizer against the same with the usual libraries: lines of a report. */
export async function measureStart(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-start-'));
  const bundles = {
    'our authorizer': join(folder, 'ours.mjs'),
    'with all of zod, and fetch at load': join(folder, 'usual.mjs'),
  };
  await bundle("export { handler } from './functions/lambda-authorizer.ts';", bundles['our authorizer']);
  await bundle(USUAL, bundles['with all of zod, and fetch at load']);
  const times = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, path] of Object.entries(bundles))
      times.set(name, [...(times.get(name) ?? []), await start(path)]);
  }
  const rows = await Promise.all(
    Object.entries(bundles).map(async ([name, path]) => {
      const code = await readFile(path);
      const kib = (bytes: number) => (bytes / 1024).toFixed(0);
      return `| ${name} | ${kib(code.length)} | ${kib(gzipSync(code).length)} | ${median(times.get(name)).toFixed(1)} |`;
    }),
  );
  await rm(folder, { recursive: true });
  const [ours = [], usual = []] = [...times.values()];
  const ratio = median(ours.map((own, round) => own / (usual[round] ?? Number.NaN)));
  return [
    '\n## lambda: the init phase, key set and secrets left out\n',
    '| bundle | KiB | gzip | CPU ms to load |\n|---|--:|--:|--:|',
    ...rows,
    `\nours ÷ the usual: ${ratio.toFixed(2)} (aim ≤ 0.5: ${ratio <= 0.5 ? 'met' : 'MISSED'})`,
  ];
}

async function bundle(contents: string, outfile: string): Promise<void> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    ...nodeBundle,
    outfile,
    write: false,
    logLevel: 'warning',
  });
  await writeFile(outfile, outputFiles[0]?.contents ?? '');
}

async function start(bundlePath: string): Promise<number> {
  const env = {
    PATH: process.env.PATH ?? '',
    BUNDLE: bundlePath,
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWT_SECRET: 'a secret of the bench, 32 bytes or more',
    TGEFD_AUDIT_LOG: 'false',
  };
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', CHILD], { env });
  return Number(stdout.split('\n').at(-1));
}

function median(values: readonly number[] = []): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
