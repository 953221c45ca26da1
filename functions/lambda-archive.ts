import { scheduledArchive } from '../lib/adapter/archive.ts';
import { lambdaArchivePlatform } from '../lib/platform/lambda/archive-platform.ts';

const run = scheduledArchive(lambdaArchivePlatform);

/** One run of the archive, for a schedule. */
export async function handler(): Promise<unknown> {
  return run(process.env);
}
