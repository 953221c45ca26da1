import { createLayout } from '../../archive/layout.ts';
import { signedSpill } from '../../archive/spill/signed-spill.ts';
import { createSpill } from '../../archive/spill/spill.ts';
import { SPILL_TIMEOUT_MS } from '../../archive/spill/spill-timeout.ts';
import { sleep } from '../../codec/sleep.ts';
import type { Config } from '../../config/load.ts';
import { environmentOf, type Opening } from '../../config/options/options.ts';
import type { Place } from '../../config/rules/check.ts';
import { createR2Store, type R2Binding } from '../../storage/r2.ts';
import { workerBase } from './base.ts';
import { edgeCache } from './edge-cache.ts';
import { type ServiceBinding, workerUpstream } from './upstream.ts';

/** Text variables named as in docs/reference/configuration.md, and the bindings that may stand in for some of them. */
interface WorkerEnv {
  readonly [variable: string]: unknown;
  readonly UPSTREAM?: ServiceBinding;
  readonly AUDIT_BUCKET?: R2Binding;
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
  const { clock, newId, log } = base;
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
        stopwatch: base.stopwatch,
        newId,
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
