import type { TierAges } from '../../lib/storage/lifecycle.ts';
import { createR2Bucket } from '../../lib/storage/r2-bucket.ts';
import { type Call, type Fetch, ServiceRefused } from './api.ts';
import { kept, type Outcome, perform, type Run } from './plan.ts';

export interface BucketSettings {
  readonly accountId: string;
  readonly apiToken: string;
  readonly bucket: string;
  readonly location: string | null;
  readonly prefix: string;
  readonly ages: TierAges;
  readonly jurisdiction: string;
}

/** Makes an R2 bucket with its lock rules and lifecycle. Rules of others stay as they are. */
export async function setUpBucket(
  call: Call,
  settings: BucketSettings,
  fetch: Fetch,
  run: Run,
  outcome: Outcome,
): Promise<void> {
  const { bucket, location, jurisdiction } = settings;
  run.out(`R2 bucket ${bucket}`);
  if ((await call('GET', `/r2/buckets/${encodeURIComponent(bucket)}`)) === null) {
    const where = location === null ? '' : ` in ${location}`;
    await perform(run, outcome, {
      what: `create ${bucket}${where}`,
      run: async () => {
        await call('POST', '/r2/buckets', { name: bucket, ...(location !== null && { locationHint: location }) });
      },
    });
    if (!run.apply) {
      for (const what of ['lifecycle', 'bucket lock'])
        await perform(run, outcome, { what: `set ${what}`, run: noCall });
      return;
    }
  } else kept(run, outcome, `${bucket} exists`);
  const fields: Record<string, string> = jurisdiction === 'default' ? {} : { 'cf-r2-jurisdiction': jurisdiction };
  const managed = createR2Bucket(settings, (url, init) =>
    fetch(String(url), { ...init, headers: { ...(init?.headers as Record<string, string>), ...fields } }),
  );
  const differences = await (run.apply ? managed.apply() : managed.check()).catch((error: unknown) => {
    throw error instanceof TypeError || !(error instanceof Error)
      ? error
      : new ServiceRefused(`Cloudflare: ${error.message}`);
  });
  for (const difference of differences) {
    const refused = 'refused' in difference ? difference.refused : null;
    if (difference.name === 'public r2.dev address') {
      await perform(run, outcome, { what: `close the ${difference.name} of ${bucket} in the dashboard`, run: null });
    } else if (refused !== null) throw new ServiceRefused(`Cloudflare: ${difference.name} of ${bucket}: ${refused}`);
    else await perform(run, outcome, { what: `set ${difference.name}`, run: noCall });
  }
  if (differences.length === 0) kept(run, outcome, 'lifecycle, bucket lock, no public address');
}

/** `apply` above has made the call already. */
async function noCall(): Promise<void> {}
