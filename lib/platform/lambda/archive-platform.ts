import { egressTargets } from '../../config/egress.ts';
import type { Config } from '../../config/load.ts';
import type { Place } from '../../config/rules/check.ts';
import { createNodeEgress } from '../node/egress.ts';
import { createNodeFetch } from '../node/fetch.ts';
import { redisOverTcp } from '../node/redis-tcp/open.ts';
import { type Env, lambdaBase } from './base.ts';

/** A run ends before the shortest time-out that makes sense for the function, one minute. */
const ARCHIVE_RUN_MS = 45_000;

/** The archive as a scheduled Lambda function: every run reads its secrets again, and fails when it could not do its work. */
export function lambdaArchivePlatform(env: Env) {
  const { watch, ...base } = lambdaBase(env);
  const place: Place = { platform: 'lambda', role: 'archive', upstreamBinding: false, bucketBinding: false };
  return {
    ...base,
    place,
    renewal: { by: 'invocation', always: true },
    component: 'archive',
    archive({ settings }: Config) {
      const nodeEgress = createNodeEgress(egressTargets(settings, env.AWS_REGION ?? null), watch.note);
      const bound = { store: null, copies: null };
      const redis = redisOverTcp(settings, nodeEgress);
      const fetch = createNodeFetch(nodeEgress);
      return { bound, fetch, watch, nodeEgress, redisOverTcp: redis, runMs: ARCHIVE_RUN_MS };
    },
  } as const;
}
