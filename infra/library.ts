import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type BuildOptions, build } from 'esbuild';

const run = promisify(execFile);
const ROOT = dirname(import.meta.dirname);
const OUTPUT = join(ROOT, 'dist/lib');

/** The faces of the package, one for each of its `exports`. */
const FACES = ['index', 'hono', 'workers', 'node', 'lambda', 'upstream'] as const;

/**
 * Builds what `exports` of package.json names: one module for each face, with what they share in chunks, so that a face
 * loads nothing that only another needs. Packages stay imports. Replaces the folder in one step.
 */
export async function buildLibrary(settings: Required<Pick<BuildOptions, 'plugins' | 'define'>>): Promise<string> {
  const unfinished = `${OUTPUT}.${process.pid}`;
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: FACES.map((face) => `lib/${face}.ts`),
    outdir: unfinished,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    packages: 'external',
    external: ['node:*', 'cloudflare:*'],
    chunkNames: 'shared/[hash]',
    legalComments: 'none',
    ...settings,
    metafile: true,
    logLevel: 'warning',
  });
  await keepDeclarations(unfinished);
  await rm(OUTPUT, { recursive: true, force: true });
  await rename(unfinished, OUTPUT);
  const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  return `dist/lib: ${FACES.length} modules, ${(bytes / 1024).toFixed(1)} KiB`;
}

/** Declarations of an earlier build stay until they are written anew: the compiler takes longer than the bundler. */
async function keepDeclarations(folder: string): Promise<void> {
  const declarations = join(OUTPUT, 'types');
  if (await stat(declarations).catch(() => null)) await rename(declarations, join(folder, 'types'));
}

/** Writes the declarations of the faces, and of what they mention, into dist/lib/types. */
export async function buildDeclarations(): Promise<string> {
  const unfinished = join(ROOT, `dist/types.${process.pid}`);
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '-p', join(ROOT, 'infra/declarations.tsconfig.json'), '--outDir', unfinished]);
  const mentioned = new Map<string, string>();
  for (const face of FACES) await collect(join(unfinished, `${face}.d.ts`), mentioned);
  const output = join(OUTPUT, 'types');
  await rm(output, { recursive: true, force: true });
  for (const [path, text] of mentioned) {
    const place = join(output, relative(unfinished, path));
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, text);
  }
  await rm(unfinished, { recursive: true });
  return `dist/lib/types: ${mentioned.size} declarations`;
}

const RELATIVE_IMPORT = /(\bfrom |\bimport\()(['"])(\.[^'"]+)\.ts\2/g;

/** A declaration and everything that it mentions. Imports end in `.js`, as modules that are not compiled need it. */
async function collect(path: string, mentioned: Map<string, string>): Promise<void> {
  if (mentioned.has(path)) return;
  const text = await readFile(path, 'utf8');
  mentioned.set(path, text.replaceAll(RELATIVE_IMPORT, '$1$2$3.js$2'));
  for (const [, , , target = ''] of text.matchAll(RELATIVE_IMPORT))
    await collect(join(dirname(path), `${target}.d.ts`), mentioned);
}
