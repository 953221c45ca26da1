import { signedSpill } from '../../archive/spill/signed-spill.ts';
import { sleep } from '../../codec/sleep.ts';
import type { Config } from '../../config/load.ts';
import { environmentOf, type Opening } from '../../config/options/options.ts';
import type { Place } from '../../config/rules/check.ts';
import { resolveSources, standElsewhere } from '../../config/sources.ts';
import { workerBase } from '../workers/base.ts';
import { type WorkersRuntime, workersPlatform } from '../workers/platform.ts';
import { workerUpstream } from '../workers/upstream.ts';

/** Whether this is workerd, where a promise belongs to its request and the environment comes with it. */
export function isWorkerd(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers';
}

/** Any runtime of the web's APIs, as `webPlatform()` describes it. */
export interface WebRuntime {
  readonly runtime: 'web';
  /** @internal */
  open(opening: Opening): ReturnType<typeof openWeb> | ReturnType<WorkersRuntime['open']>;
}

/**
 * Any runtime with the web's `fetch` and Web Cryptography, without a module of its own: Workers, Node, Deno, Bun. On Workers
 * it is `workersPlatform()`. Elsewhere secrets stand in the environment; `nodePlatform()` adds files, Vault and sockets
 * that are checked below `fetch`.
 *
 * @returns The platform that `createAuthorizer` and the Hono middleware use when they are given none.
 * @example
 * const own = createAuthorizer(configFromEnv(), webPlatform());
 */
export function webPlatform(): WebRuntime {
  return {
    runtime: 'web',
    open: (opening: Opening) =>
      isWorkerd()
        ? workersPlatform().open(opening)
        : openWeb(environmentOf(opening.options, typeof process === 'undefined' ? {} : process.env), opening.role),
  };
}

/** Opens a process of any kind: promises are shared, and secrets are read again behind the answers of requests. */
function openWeb(env: Readonly<Record<string, unknown>>, role: Place['role']) {
  const { fetch, ...base } = workerBase(env);
  const { clock, stopwatch, newId, log } = base;
  const place: Place = { platform: 'node', role, upstreamBinding: false, bucketBinding: false };
  return {
    ...base,
    place,
    sharePromises: true,
    // There are no files and no stores here: what stands elsewhere is a problem that has to be told.
    secrets: standElsewhere(env) ? { resolve: () => resolveSources(env, { file: null, stores: new Map() }) } : null,
    renewal: { by: 'request' },
    component: 'node',
    runtime: ({ settings }: Config) => ({
      clock,
      stopwatch,
      newId,
      log,
      fetch,
      random: () => Math.random(),
      sleep,
      sharePromises: true,
      sharedKeySets: null,
      readFile: null,
      upstream: workerUpstream(undefined, settings.upstreamUrl),
      auditLine: settings.auditLog ? (line: string) => console.log(line) : null,
      spill: signedSpill(settings, null, { fetch, clock, log }),
      redisExchange: null,
    }),
  } as const;
}
