import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { LEAN_UPSTASH, leanRatelimit, leanRedis, redisModule, withUsedMembers } from '../../../infra/lean-upstash.ts';

const { resolve } = createRequire(import.meta.url);

test('the lean build keeps the commands that are used and drops the rest', async () => {
  const lean = leanRedis(await readFile(await redisModule(resolve('@upstash/redis')), 'utf8'));
  expect(lean).toContain('evalsha = (...args) => new EvalshaCommand(args, this.opts).exec(this.client);');
  expect(lean).not.toContain('new ZUnionCommand(args, this.opts).exec(this.client)');
});

test('the lean build keeps one algorithm and its scripts', async () => {
  const lean = leanRatelimit(await readFile(resolve('@upstash/ratelimit').replace(/\.js$/, '.mjs'), 'utf8'));
  const region = lean.slice(lean.indexOf('var RegionRatelimit'));
  expect(region).toContain('static slidingWindow(tokens, window)');
  expect(region).not.toContain('static tokenBucket');
  expect(lean).toMatch(
    /var SCRIPTS = \{ singleRegion: \{ slidingWindow: \{\s+limit: \{\s+script: slidingWindowLimitScript,/,
  );
});

test('the lean build keeps no deny list and no analytics', async () => {
  const lean = leanRatelimit(await readFile(resolve('@upstash/ratelimit').replace(/\.js$/, '.mjs'), 'utf8'));
  expect(lean).toContain('\nvar updateIpDenyList = void 0;\n');
  expect(lean).not.toContain('aggregateBucketsWithPipeline');
  expect(lean).not.toContain('__export(');
});

test('the lean build refuses a library of another shape', () => {
  expect(() => withUsedMembers('export class Redis {}', 'Redis = class', [])).toThrow('no class');
  expect(() => withUsedMembers('\nvar Redis = class {\n  client;\n};\n', 'Redis = class', ['eval'])).toThrow(
    'lost a member',
  );
  expect(() => leanRatelimit('')).toThrow('no class');
});

test('the lean build works in a bundle whose entry comes from standard input', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: "export * from './upstash-library.ts';",
      resolveDir: join(import.meta.dirname, '../../../lib/redis'),
    },
    plugins: [LEAN_UPSTASH],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  expect(outputFiles[0]?.text).toContain('EvalshaCommand');
});
