import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/*
 * Builds the package: its code as JavaScript, its types, and beside them what the functions run. Needs the bundles of the root
 * (`npm run build` there).
 */

const HERE = import.meta.dirname;
const DIST = join(HERE, 'dist');

await rm(DIST, { recursive: true, force: true });
await mkdir(join(DIST, 'functions'), { recursive: true });
await build({
  entryPoints: [join(HERE, 'index.ts')],
  outfile: join(DIST, 'index.js'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  external: ['aws-cdk-lib', 'aws-cdk-lib/*', 'constructs'],
  legalComments: 'none',
  logLevel: 'warning',
});
execFileSync('tsc', ['-p', join(HERE, 'tsconfig.build.json')], { stdio: 'inherit' });
// The compiler leaves `./x.ts` in declarations; beside them stands x.d.ts, which is found as `./x.js`.
for (const entry of await readdir(join(DIST, 'types'), { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"));
}
for (const name of ['lambda-authorizer', 'lambda-archive']) {
  await cp(join(HERE, `../../dist/${name}.mjs`), join(DIST, `functions/${name}.mjs`));
}
await cp(join(HERE, 'rotation'), join(DIST, 'rotation'), { recursive: true });
