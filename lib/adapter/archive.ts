import type { ArchiveRun } from '../archive/run.ts';
import { type ArchivePlatform, archiveSteps, type ScheduledArchive } from '../compose/archive/scheduled-archive.ts';
import type { Lifecycle } from '../compose/lifecycle/life.ts';
import { createLifecycle } from '../compose/lifecycle/lifecycle.ts';
import { createDeferred } from './deferred.ts';

/**
 * Makes what a schedule calls for one run. Secrets are read again before each run. Rejects when the configuration is
 * invalid or the run could not do its work, so that the invocation counts as failed.
 */
export function scheduledArchive<Env>(open: (env: Env) => ArchivePlatform): (env: Env) => Promise<ArchiveRun> {
  let opened: { readonly platform: ArchivePlatform; readonly lifecycle: Lifecycle<ScheduledArchive> } | null = null;
  return async (env) => {
    if (opened === null) {
      const platform = open(env);
      opened = { platform, lifecycle: createLifecycle(platform, archiveSteps(platform)) };
    }
    const deferred = createDeferred(opened.platform.log);
    try {
      const archive = await opened.lifecycle.current(deferred.context);
      if (archive === null) throw new Error('configuration_invalid');
      return await archive.run();
    } finally {
      await deferred.settle();
    }
  };
}
