import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/** What the product uses of the class `Redis` of @upstash/redis. */
const REDIS_MEMBERS = [
  'client',
  'opts',
  'enableTelemetry',
  'enableAutoPipelining',
  'constructor',
  'autoPipeline',
  'addTelemetry',
  'evalsha',
  'eval',
  'exec',
];
/** And of the class behind `Ratelimit`: one of its four algorithms. */
const RATELIMIT_MEMBERS = ['constructor', 'slidingWindow'];

/**
 * Leaves out of a bundle what the product never calls of Upstash's libraries: one method for each of 250 commands, which a
 * bundler has to keep, the algorithms and scripts that are not used, and analytics, which are off. Together some 25 KiB of a
 * Worker (gzip). What is kept is the libraries' code, unchanged.
 */
export const LEAN_UPSTASH: Plugin = {
  name: 'lean-upstash',
  setup(build) {
    build.onLoad({ filter: /node_modules\/@upstash\/redis\/chunk-\w+\.mjs$/ }, async ({ path }) => ({
      contents: withUsedMembers(await readFile(path, 'utf8'), 'Redis = class', REDIS_MEMBERS),
      loader: 'js',
    }));
    // The package names its CommonJS file alone, of which a bundler keeps everything.
    build.onResolve({ filter: /^@upstash\/ratelimit$/ }, () => ({
      path: createRequire(import.meta.url)
        .resolve('@upstash/ratelimit')
        .replace(/\.js$/, '.mjs'),
    }));
    build.onLoad({ filter: /node_modules\/@upstash\/ratelimit\/dist\/index\.mjs$/ }, async ({ path }) => ({
      contents: leanRatelimit(await readFile(path, 'utf8')),
      loader: 'js',
    }));
    build.onResolve({ filter: /^@upstash\/core-analytics$/ }, ({ path }) => ({ path, namespace: 'unused' }));
    build.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'export class Analytics {}',
      loader: 'js',
    }));
  },
};

/** The text of @upstash/ratelimit with the sliding window of one region alone. */
export function leanRatelimit(source: string): string {
  const lean = withUsedMembers(source, 'RegionRatelimit = class extends Ratelimit', RATELIMIT_MEMBERS);
  const scripts =
    /\nvar SCRIPTS = \{\n {2}singleRegion: \{\n[\s\S]*?\n {4}(slidingWindow: \{[\s\S]*?\n {4}\})[\s\S]*?\n\};\n/;
  if (!scripts.test(lean)) throw new Error('@upstash/ratelimit has no table of scripts where it was');
  return lean.replace(scripts, '\nvar SCRIPTS = { singleRegion: { $1 } };\n');
}

/**
 * The text of a library with the used members of one class alone.
 *
 * @throws Error when the library looks otherwise than the version that this was written for.
 */
export function withUsedMembers(source: string, name: string, used: readonly string[]): string {
  const head = `\nvar ${name} {\n`;
  const bodyAt = source.indexOf(head) + head.length;
  const end = source.indexOf('\n};\n', bodyAt);
  if (bodyAt < head.length || end === -1) throw new Error(`the library has no class \`${name}\` where it was`);
  const members = source.slice(bodyAt, end).split(/\n(?= {2}(?:(?:get|set|static|async) )?[A-Za-z]\w*(?: =|;|\())/);
  const kept = members.filter((member) => used.includes(nameOf(member)));
  if (kept.length !== used.length)
    throw new Error(`the class \`${name}\` of the library has lost a member that is used`);
  return `${source.slice(0, bodyAt)}${kept.join('\n')}${source.slice(end)}`;
}

function nameOf(member: string): string {
  return /^ {2}(?:(?:get|set|static|async) )?(\w+)/.exec(member)?.[1] ?? '';
}
