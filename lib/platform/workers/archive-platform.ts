import type { Place } from '../../config/rules/check.ts';
import { createEgressWatch } from '../../egress/watch.ts';
import { createR2Store, type R2Binding } from '../../storage/r2.ts';
import { workerBase } from './base.ts';

/** Text variables named as in docs/reference/configuration.md, and R2 buckets by binding. */
export interface WorkerArchiveEnv {
  readonly [variable: string]: unknown;
  readonly AUDIT_BUCKET?: R2Binding;
  readonly AUDIT_ANCHOR_BUCKET?: R2Binding;
}

/** A cron invocation may take longer than this; what is left waits for the next. */
const ARCHIVE_RUN_MS = 20_000;

/** The archive as a Worker of its own: every run reads its secrets again, and fails when it could not do its work. */
export function workerArchivePlatform(env: WorkerArchiveEnv) {
  const { AUDIT_BUCKET: bucket, AUDIT_ANCHOR_BUCKET: anchors } = env;
  const { fetch, ...base } = workerBase(env);
  const place: Place = {
    platform: 'worker',
    role: 'archive',
    upstreamBinding: false,
    bucketBinding: bucket !== undefined,
  };
  return {
    ...base,
    place,
    renewal: { by: 'invocation', always: true },
    component: 'archive',
    archive: () => ({
      bound: { store: bucket ? createR2Store(bucket) : null, copies: anchors ? createR2Store(anchors) : null },
      fetch,
      watch: createEgressWatch(base.log),
      nodeEgress: null,
      runMs: ARCHIVE_RUN_MS,
    }),
  } as const;
}
