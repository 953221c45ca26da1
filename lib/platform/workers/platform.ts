import { createLayout } from '../../archive/layout.ts';
import { signedSpill } from '../../archive/signed-spill.ts';
import { createSpill } from '../../archive/spill.ts';
import { SPILL_TIMEOUT_MS } from '../../archive/spill-timeout.ts';
import { sleep } from '../../codec/sleep.ts';
import { createUlids } from '../../codec/ulid.ts';
import type { Config } from '../../config/load.ts';
import { environmentOf, type Opening } from '../../config/options/options.ts';
import { type Problem, problemLine } from '../../config/problem.ts';
import type { Place } from '../../config/rules/check.ts';
import type { Fetch, Log } from '../../decision/ports.ts';
import { createR2Store, type R2Binding } from '../../storage/r2.ts';
import { edgeCache } from './edge-cache.ts';
import { secretStores } from './secret-stores.ts';
import { type ServiceBinding, workerUpstream } from './upstream.ts';

/** Text variables named as in docs/configuration.md, and the bindings that may stand in for some of them. */
export interface WorkerEnv {
  readonly [variable: string]: unknown;
  readonly UPSTREAM?: ServiceBinding;
  readonly AUDIT_BUCKET?: R2Binding;
}

function clock(): number {
  return Date.now();
}

function log(...[level, event, facts]: Parameters<Log>): void {
  console[level](JSON.stringify({ type: 'log', level, event, ...facts }));
}

function fetchHere(...[input, init]: Parameters<Fetch>): Promise<Response> {
  return fetch(input, init);
}

function sayInvalid(problems: readonly Problem[]): void {
  for (const problem of problems) log('error', 'configuration_invalid', { problem: problemLine(problem) });
}

/** What both Workers have in common. */
export function workerBase(env: Readonly<Record<string, unknown>>) {
  return {
    env,
    clock,
    stopwatch: () => performance.now(),
    newId: createUlids(clock),
    log,
    fetch: fetchHere,
    sharePromises: false,
    secrets: secretStores(env, clock),
    accessLine: null,
    problemsOf: (): readonly Problem[] => [],
    fatal: sayInvalid,
  } as const;
}

/** Cloudflare Workers, as `workersPlatform()` describes them. */
export interface WorkersRuntime {
  readonly runtime: 'workers';
  /** @internal */
  open(opening: Opening): ReturnType<typeof openWorker>;
}

/**
 * Cloudflare Workers: secrets come from the Secrets Store, records and the upstream by bindings where there are any, and
 * the data centre's cache keeps the key set. Secrets are read again behind the answer of one request in each interval.
 *
 * @returns A platform for `createAuthorizer`, `serveWorker` and the middleware of `tgefd-authorizer/hono`.
 * @example
 * export default serveWorker(configFromEnv(), workersPlatform());
 */
export function workersPlatform(): WorkersRuntime {
  return {
    runtime: 'workers',
    open: ({ options, bindings, role }: Opening) => openWorker(environmentOf(options, bindings ?? {}), role),
  };
}

/** Opens an isolate: a promise belongs to its request and is never shared, and a fatal problem makes every answer a 503. */
function openWorker(env: WorkerEnv, role: Place['role']) {
  const { UPSTREAM: upstream, AUDIT_BUCKET: bucket } = env;
  const { fetch, ...base } = workerBase(env);
  const place: Place = {
    platform: 'worker',
    role,
    upstreamBinding: upstream !== undefined,
    bucketBinding: bucket !== undefined,
  };
  return {
    ...base,
    place,
    renewal: { by: 'request' },
    component: 'worker',
    runtime({ settings }: Config) {
      return {
        clock,
        newId: base.newId,
        log,
        fetch,
        random: () => Math.random(),
        sleep,
        sharePromises: false,
        sharedKeySets: edgeCache,
        readFile: null,
        upstream: workerUpstream(upstream, settings.upstreamUrl),
        auditLine: settings.auditLog ? (line: string) => console.log(line) : null,
        spill: bucket
          ? createSpill(createR2Store(bucket), createLayout(settings.auditPrefix), SPILL_TIMEOUT_MS)
          : signedSpill(settings, null, { fetch, clock, log }),
        redisExchange: null,
      };
    },
  } as const;
}
