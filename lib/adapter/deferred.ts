import type { Log, RequestContext } from '../decision/ports.ts';

/** Work that was put off, and what waits for all of it. */
export interface Deferred {
  readonly context: RequestContext;
  /** Waits for everything that was put off, and for what that puts off. Never rejects. */
  settle(): Promise<void>;
}

/** Collects deferred work for a platform that does not keep it going by itself. A failure is logged, never thrown. */
export function createDeferred(log: Log): Deferred {
  const pending = new Set<Promise<unknown>>();
  return {
    context: {
      defer(promise) {
        const settled = promise.catch((error: unknown) =>
          log('error', 'deferred_work_failed', { error: error instanceof Error ? error.name : 'unknown' }),
        );
        pending.add(settled);
        void settled.then(() => pending.delete(settled));
      },
    },
    async settle() {
      while (pending.size > 0) await Promise.all(pending);
    },
  };
}
