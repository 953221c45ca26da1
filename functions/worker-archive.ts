import type { ExecutionContext, ScheduledController } from '@cloudflare/workers-types';
import { scheduledArchive } from '../lib/adapter/archive.ts';
import { type WorkerArchiveEnv, workerArchivePlatform } from '../lib/platform/workers/archive-platform.ts';

const run = scheduledArchive(workerArchivePlatform);

/** The archive as a Cloudflare Worker of its own, on a cron trigger. */
export default {
  async scheduled(_controller: ScheduledController, env: WorkerArchiveEnv, _context: ExecutionContext): Promise<void> {
    await run(env);
  },
};
