import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { minify } from '@swc/core';
import { type BuildOptions, build, type OutputFile, type Plugin } from 'esbuild';
import { policyFaults } from '../lib/config/load.ts';
import { problemLine } from '../lib/config/problem.ts';
import { createDocumentReader } from '../lib/platform/node/documents.ts';
import { yamlToJson } from '../lib/platform/node/yaml.ts';
import { LEAN_UPSTASH } from './lean-upstash.ts';
import { buildDeclarations, buildLibrary } from './library.ts';

/** One self-contained file that is deployed: where it comes from and what it runs on. */
interface Bundle {
  readonly entry: string;
  readonly output: string;
  readonly runtime: 'workerd' | 'node';
  readonly executable?: true;
  /** A policy document may be compiled in: there are no files where it runs, and its environment is small. */
  readonly takesPolicy?: true;
}

const ROOT = dirname(import.meta.dirname);
const BUNDLES: readonly Bundle[] = [
  { entry: 'functions/worker.ts', output: 'dist/worker.js', runtime: 'workerd', takesPolicy: true },
  { entry: 'functions/worker-archive.ts', output: 'dist/worker-archive.js', runtime: 'workerd', takesPolicy: true },
  { entry: 'functions/worker-console.ts', output: 'dist/worker-console.js', runtime: 'workerd', takesPolicy: true },
  { entry: 'functions/node.ts', output: 'dist/node.js', runtime: 'node' },
  { entry: 'functions/cli.ts', output: 'dist/cli.js', runtime: 'node', executable: true },
  { entry: 'functions/lambda-authorizer.ts', output: 'dist/lambda-authorizer.mjs', runtime: 'node', takesPolicy: true },
  { entry: 'functions/lambda-archive.ts', output: 'dist/lambda-archive.mjs', runtime: 'node', takesPolicy: true },
];

// Some dependencies are CommonJS inside and ask for Node's own modules by require().
const REQUIRE = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);";

/**
 * `import … from 'node:http'` reads every export of that module once, WebSocket among them, and so loads all of Node's fetch: 80
 * of 90 milliseconds of a cold start. Other modules have such exports too. Asked for by name a module comes alone.
 */
const BUILTINS_ALONE: Plugin = {
  name: 'builtins-alone',
  setup(build) {
    build.onResolve({ filter: /^(?:node:)?[a-z_/]+$/ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : null,
    );
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
    }));
  },
};

/**
 * ioredis writes its debug lines with `debug`, which asks an optional package for colours where one happens to be installed. That one
 * opens the standard streams: a tenth of a cold start.
 */
const WITHOUT_COLOURS: Plugin = {
  name: 'without-colours',
  setup(build) {
    build.onResolve({ filter: /^supports-color$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    build.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = null;' }));
  },
};

/** The meanings of settings are for the documentation: a Worker and a Lambda function need not carry their weight. */
const WITHOUT_MEANINGS: Plugin = {
  name: 'without-meanings',
  setup(build) {
    build.onLoad({ filter: /\/lib\/config\/chapters\/.*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll(MEANING, ''),
      loader: 'ts',
    }));
  },
};
const MEANING = /\bmeaning:\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`),?/g;

/** How whatever runs on Node is bundled. */
export const nodeBundle: BuildOptions = {
  platform: 'node',
  target: 'node22',
  format: 'esm',
  bundle: true,
  minify: true,
  mainFields: ['module', 'main'],
  banner: { js: REQUIRE },
  plugins: [BUILTINS_ALONE, WITHOUT_COLOURS, LEAN_UPSTASH],
};

const RUNTIMES: Readonly<Record<Bundle['runtime'], BuildOptions>> = {
  workerd: {
    platform: 'browser',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    plugins: [WITHOUT_MEANINGS, LEAN_UPSTASH],
  },
  node: nodeBundle,
};

/**
 * Bundles every way in that exists into dist/, and the library (`buildLibrary`). Gives one line per bundle: its size, or that it has no entry yet.
 * With `policy`, the JSON text of a policy document, the Worker and the Lambda function carry it in themselves.
 * A file is replaced in one step, so that a process which starts meanwhile reads the old or the new one.
 * Throws when an entry does not compile.
 */
export async function buildAll(policy: string | null = null): Promise<string[]> {
  await mkdir(join(ROOT, 'dist'), { recursive: true });
  const library = { plugins: [WITHOUT_MEANINGS], define: { __TGEFD_BUILD__: JSON.stringify(buildName()) } };
  const lines = await Promise.all([...BUNDLES.map((bundle) => buildOne(bundle, policy)), buildLibrary(library)]);
  await linkCommand();
  return lines;
}

/** Puts the command where `npx --no tgefd-authorizer` finds it: npm links the commands of dependencies, not a project's own. */
async function linkCommand(): Promise<void> {
  const link = join(ROOT, 'node_modules/.bin/tgefd-authorizer');
  const unfinished = `${link}.${process.pid}`;
  await symlink('../../dist/cli.js', unfinished);
  await rename(unfinished, link);
}

/** The policy document of a file as JSON text; throws with every fault of it. */
export async function policyText(path: string): Promise<string> {
  const text = await createDocumentReader(yamlToJson)(path);
  const problems = policyFaults(text, { environment: 'production', platform: 'cli' });
  if (problems.length > 0) throw new Error(['policy document invalid:', ...problems.map(problemLine)].join('\n  '));
  return text;
}

/** Builds the one bundle of that name, such as `worker`. Throws where there is none. */
export async function buildOnly(name: string, policy: string | null): Promise<string> {
  const bundle = BUNDLES.find(({ entry }) => entry === `functions/${name}.ts`);
  if (!bundle) throw new Error(`there is no functions/${name}.ts to build`);
  await mkdir(join(ROOT, 'dist'), { recursive: true });
  return buildOne(bundle, policy);
}

async function buildOne(bundle: Bundle, policy: string | null): Promise<string> {
  const entry = join(ROOT, bundle.entry);
  if (!(await stat(entry).catch(() => null))) return `${bundle.output}: skipped, there is no ${bundle.entry}`;
  const runtime = RUNTIMES[bundle.runtime];
  const banner = `${bundle.executable ? '#!/usr/bin/env node\n' : ''}${runtime.banner?.js ?? ''}`;
  const { outputFiles } = await build({
    ...runtime,
    define: {
      __TGEFD_BUILD__: JSON.stringify(buildName()),
      ...(policy !== null && bundle.takesPolicy ? { __TGEFD_POLICY__: JSON.stringify(policy) } : {}),
    },
    entryPoints: [entry],
    outfile: join(ROOT, bundle.output),
    bundle: true,
    format: 'esm',
    minify: true,
    sourcemap: 'external',
    legalComments: 'none',
    banner: { js: banner },
    write: false,
    logLevel: 'warning',
  });
  if (bundle.runtime === 'workerd') await minifyFurther(outputFiles);
  for (const file of outputFiles) {
    const unfinished = `${file.path}.${process.pid}`;
    await writeFile(unfinished, file.contents);
    if (bundle.executable) await chmod(unfinished, 0o755);
    await rename(unfinished, file.path);
  }
  const code = outputFiles.find((file) => file.path.endsWith(bundle.output))?.contents ?? new Uint8Array();
  return `${bundle.output}: ${kibibytes(code.byteLength)} KiB, ${kibibytes(gzipSync(code).byteLength)} KiB gzip`;
}

/**
 * What is sent to the edge goes through a second compressor, which inlines and drops more than a bundler does: five percent of
 * a Worker (gzip).
 */
async function minifyFurther(files: OutputFile[]): Promise<void> {
  const [script, map] = ['.js', '.js.map'].map((ending) => files.find(({ path }) => path.endsWith(ending)));
  if (!script || !map) throw new Error('a bundle has a script and a source map');
  const { code, map: mapped } = await minify(script.text, {
    module: true,
    ecma: 2020,
    compress: { module: true, toplevel: true, passes: 3, ecma: 2020 },
    mangle: { toplevel: true },
    // The types of the package leave out that a map may be handed in.
    sourceMap: { content: map.text } as unknown as true,
  });
  const encoder = new TextEncoder();
  script.contents = encoder.encode(code);
  map.contents = encoder.encode(mapped ?? '');
}

/** Version and, in a checkout, the commit: what records say of the code that decided. */
function buildName(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const git = spawnSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: ROOT, encoding: 'utf8' });
  return git.status === 0 ? `${version}+${git.stdout.trim()}` : version;
}

function kibibytes(bytes: number): string {
  return (bytes / 1024).toFixed(1);
}

if (import.meta.main) {
  const { policy: path, only } = parseArgs({
    options: { policy: { type: 'string' }, only: { type: 'string' } },
  }).values;
  try {
    const policy = path === undefined ? null : await policyText(path);
    const lines = only === undefined ? await buildAll(policy) : [await buildOnly(only, policy)];
    for (const line of lines) console.log(line);
    if (only === undefined) console.log(await buildDeclarations());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
