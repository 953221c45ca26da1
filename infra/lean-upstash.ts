import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** What the product uses of the class `Redis` of @upstash/redis. */
const REDIS_MEMBERS = [
  ...['client', 'opts', 'enableTelemetry', 'enableAutoPipelining', 'constructor'],
  ...['evalsha', 'eval', 'exec'],
];
/** And of the classes behind `Ratelimit`: one of four algorithms, and no analytics. */
const RATELIMIT_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  'RegionRatelimit = class extends Ratelimit': ['constructor', 'slidingWindow'],
  'Ratelimit = class': [
    ...['limiter', 'ctx', 'prefix', 'timeout', 'primaryRedis', 'analytics', 'enableProtection', 'denyListThreshold'],
    ...['dynamicLimits', 'constructor', 'limit', 'getRatelimitResponse', 'applyTimeout', 'submitAnalytics', 'getKey'],
    'getDefinedMembers',
  ],
  'Analytics = class': [],
};
/** What the methods that are used name and never reach: the deny list of addresses, which is off, and scripts of other methods. */
const NEVER_REACHED = [
  ...['checkDenyList', 'updateIpDenyList', 'slidingWindowRemainingTokensScript'],
  ...['tokenBucketRemainingTokensScript', 'resetScript'],
];

/**
 * Leaves out of a bundle what the product never calls of Upstash's libraries: one method for each of 250 commands, which a
 * bundler has to keep, the client for HTTP, in whose place stands a transport of ours, the algorithms and scripts that are not
 * used, analytics and the deny list, which are off. What is kept is the libraries' code, unchanged.
 */
export const LEAN_UPSTASH: Plugin = {
  name: 'lean-upstash',
  setup({ onLoad, initialOptions }) {
    // A bundler keeps the whole of a module that is loaded later. What is used of it is therefore picked in a build of its own.
    onLoad({ filter: /\/lib\/redis\/(upstash|ratelimit)-library\.ts$/ }, async ({ path }) => {
      const { stdin: _, ...options } = initialOptions;
      const { outputFiles } = await build({
        ...options,
        outfile: 'library.js',
        banner: {},
        sourcemap: false,
        metafile: false,
        minify: false,
        entryPoints: [path],
        write: false,
        plugins: [USED_PARTS],
      });
      return { contents: outputFiles[0]?.text ?? '', loader: 'js' };
    });
  },
};

const USED_PARTS: Plugin = {
  name: 'used-parts',
  setup({ onResolve, onLoad }) {
    const { resolve } = createRequire(import.meta.url);
    // The package's entry adds to the class `Redis` how it is made of an address and a token. A transport makes the class itself.
    onResolve({ filter: /^@upstash\/redis$/ }, async () => ({ path: await redisModule(resolve('@upstash/redis')) }));
    onLoad({ filter: /node_modules\/@upstash\/redis\/chunk-\w+\.mjs$/ }, async ({ path }) => ({
      contents: leanRedis(await readFile(path, 'utf8')),
      loader: 'js',
    }));
    // The package names its CommonJS file alone, of which a bundler keeps everything.
    onResolve({ filter: /^@upstash\/ratelimit$/ }, ({ path }) => ({ path: resolve(path).replace(/\.js$/, '.mjs') }));
    onLoad({ filter: /node_modules\/@upstash\/ratelimit\/dist\/index\.mjs$/ }, async ({ path }) => ({
      contents: leanRatelimit(await readFile(path, 'utf8')),
      loader: 'js',
    }));
    onResolve({ filter: /^@upstash\/core-analytics$/ }, ({ path }) => ({ path, namespace: 'unused' }));
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'export class Analytics {}', loader: 'js' }));
  },
};

/** The file of the package that holds the class `Redis`, which its entry names. */
export async function redisModule(entry: string): Promise<string> {
  const text = await readFile(entry.replace(/\.js$/, '.mjs'), 'utf8');
  const file = /from "\.\/(chunk-\w+\.mjs)"/.exec(text)?.[1];
  const takesTransport =
    /constructor\(configOrRequester\) \{\s+if \("request" in configOrRequester\) \{\s+super\(configOrRequester\);\s+return;/;
  if (file === undefined || !takesTransport.test(text)) throw new Error('@upstash/redis has another entry than before');
  return join(dirname(entry), file);
}

/** The text of @upstash/redis with the used members of its client alone. */
export function leanRedis(source: string): string {
  return withUsedMembers(withoutNamespaces(source), 'Redis = class', REDIS_MEMBERS);
}

/** The text of @upstash/ratelimit with the sliding window of one region alone. */
export function leanRatelimit(source: string): string {
  const classes = Object.entries(RATELIMIT_MEMBERS);
  const used = classes.reduce((text, [name, members]) => withUsedMembers(text, name, members), source);
  const lean = NEVER_REACHED.reduce(withoutValue, withoutNamespaces(used));
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

/** Without objects of a module's exports, which call a function when they are made and so keep all that they name. */
function withoutNamespaces(source: string): string {
  return source.replaceAll(/\n__export\((\w+), \{[\s\S]*?\n\}\);\n/g, '\n');
}

/** Without the value of a variable of the module. */
function withoutValue(source: string, name: string): string {
  const whole = new RegExp(`\\nvar ${name} = [\\s\\S]*?\\n(?=var |// |export )`);
  if (!whole.test(source)) throw new Error(`the library has no \`${name}\` where it was`);
  return source.replace(whole, `\nvar ${name} = void 0;\n`);
}

function nameOf(member: string): string {
  return /^ {2}(?:(?:get|set|static|async) )?(\w+)/.exec(member)?.[1] ?? '';
}
