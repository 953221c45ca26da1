import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** What the product uses of the class `Redis` of @upstash/redis. */
const USED = new Set([
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
]);

/**
 * Leaves out of a bundle what the product never calls of @upstash/redis: one method for each of 250 commands, which a
 * bundler has to keep, and 15 KiB of a Worker (gzip). What is kept is the library's code, unchanged.
 */
export const LEAN_UPSTASH: Plugin = {
  name: 'lean-upstash',
  setup(build) {
    build.onLoad({ filter: /node_modules\/@upstash\/redis\/chunk-\w+\.mjs$/ }, async ({ path }) => ({
      contents: withUsedMembers(await readFile(path, 'utf8')),
      loader: 'js',
    }));
  },
};

/**
 * The text of the library with the used members of its class `Redis` alone.
 *
 * @throws Error when the library looks otherwise than the version that this was written for.
 */
export function withUsedMembers(source: string): string {
  const start = source.indexOf('\nvar Redis = class {\n');
  const bodyAt = source.indexOf('{\n', start) + 2;
  const end = source.indexOf('\n};\n', bodyAt);
  if (start === -1 || end === -1) throw new Error('@upstash/redis has no class `Redis` where it was');
  const members = source.slice(bodyAt, end).split(/\n(?= {2}(?:(?:get|set|static|async) )?[A-Za-z]\w*(?: =|;|\())/);
  const kept = members.filter((member) => USED.has(nameOf(member)));
  if (kept.length !== USED.size) throw new Error('@upstash/redis has lost a member that is used');
  return `${source.slice(0, bodyAt)}${kept.join('\n')}${source.slice(end)}`;
}

function nameOf(member: string): string {
  return /^ {2}(?:(?:get|set|static|async) )?(\w+)/.exec(member)?.[1] ?? '';
}
