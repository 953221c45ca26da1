import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { leanRatelimit, withUsedMembers } from '../../../infra/lean-upstash.ts';

async function librarySource(): Promise<string> {
  const folder = dirname(createRequire(import.meta.url).resolve('@upstash/redis'));
  const entry = await readFile(join(folder, 'nodejs.mjs'), 'utf8');
  return readFile(join(folder, /chunk-\w+\.mjs/.exec(entry)?.[0] ?? ''), 'utf8');
}

test('the lean build keeps the commands that are used and drops the rest', async () => {
  const lean = withUsedMembers(await librarySource(), 'Redis = class', ['evalsha', 'eval', 'exec']);
  expect(lean).toContain('evalsha = (...args) => new EvalshaCommand(args, this.opts).exec(this.client);');
  expect(lean).not.toContain('new ZUnionCommand(args, this.opts).exec(this.client)');
});

test('the lean build keeps one algorithm and its scripts', async () => {
  const path = createRequire(import.meta.url)
    .resolve('@upstash/ratelimit')
    .replace(/\.js$/, '.mjs');
  const source = await readFile(path, 'utf8');
  const lean = leanRatelimit(source);
  const region = lean.slice(lean.indexOf('var RegionRatelimit'));
  expect(region).toContain('static slidingWindow(tokens, window)');
  expect(region).not.toContain('static tokenBucket');
  expect(lean).toMatch(
    /var SCRIPTS = \{ singleRegion: \{ slidingWindow: \{\s+limit: \{\s+script: slidingWindowLimitScript,/,
  );
});

test('the lean build refuses a library of another shape', () => {
  expect(() => withUsedMembers('export class Redis {}', 'Redis = class', [])).toThrow('no class');
  expect(() => withUsedMembers('\nvar Redis = class {\n  client;\n};\n', 'Redis = class', ['eval'])).toThrow(
    'lost a member',
  );
  expect(() => leanRatelimit('')).toThrow('no class');
});
