import { awsPartition } from '../../codec/aws-partition.ts';
import type { Config } from '../../config/load.ts';
import { operatorAgents } from '../../platform/cli/agents.ts';
import type { Applied, Difference, ManagedBucket } from '../../storage/bucket.ts';
import { probeConditionalWrites } from '../../storage/conditional-probe.ts';
import { r2Lifecycle, r2Locks, s3Lifecycle, type TierAges } from '../../storage/lifecycle.ts';
import { createR2Bucket } from '../../storage/r2-bucket.ts';
import { hasConditionalWrites, r2Place } from '../../storage/s3/s3-address.ts';
import { command, Failure, type Output, Usage } from '../command.ts';
import { counted } from '../line/text.ts';
import { archiveConfig } from './parts.ts';

const LOCK_MODES = { off: null, governance: 'GOVERNANCE', compliance: 'COMPLIANCE' } as const;

export const bucket = command({
  summary: 'Checks or sets versions, locks, encryption, access and lifecycle of the bucket of the archive.',
  options: {
    check: { type: 'boolean', means: 'Names each setting that differs.' },
    apply: { type: 'boolean', means: 'Sets each setting that differs.' },
    print: {
      type: 'string',
      choices: ['s3-lifecycle', 'r2-lifecycle', 'r2-locks'],
      means: 'Prints the rules of one kind as JSON, for other tools.',
    },
  },
  examples: [
    { line: 'audit bucket --check', does: 'Names every setting of the bucket that differs.' },
    { line: 'audit bucket --print r2-locks', does: 'Prints the lock rules for an R2 bucket.' },
  ],
  json: 'An object: `as_wanted`, `differences` (`name`, `found`, `wanted`, with --apply `refused`) and `set`, variables to set. With --print: the rules.',
  exits: { yes: 'The bucket is as wanted.', no: 'It is not.' },
  notes: ['Give one of --check, --apply and --print. R2 needs CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN.'],
  async run({ check, apply, print }, console) {
    if ([check, apply, print !== undefined].filter(Boolean).length !== 1)
      throw new Usage('give one of --check, --apply and --print');
    const config = await archiveConfig(console);
    const { settings } = config;
    const ages = { hotDays: settings.auditHotDays, warmDays: settings.auditWarmDays, coldDays: settings.auditColdDays };
    const prefix = `${settings.auditPrefix}/`;
    if (print !== undefined) {
      console.document(JSON.stringify(rules[print](ages, prefix), null, 2));
      return 0;
    }
    const addressing = check ? await addressingAdvice(config, console) : null;
    if (addressing !== null) return tell([], [addressing], console);
    const managed = await managedBucket(config, ages, prefix, console);
    const found = apply ? await managed.apply() : await managed.check();
    for (const difference of found) for (const line of shown(difference)) console.out(line);
    const advice = check ? await conditionalAdvice(config, console) : null;
    return tell(found, advice === null ? [] : [advice], console);
  },
});

/** A variable that should have another value. */
interface Advice {
  readonly set: string;
  readonly why?: string;
}

function tell(found: readonly (Difference | Applied)[], advice: readonly Advice[], console: Output): number {
  for (const { set, why } of advice) {
    if (why !== undefined) console.out(why);
    console.out(`  set     ${set}`);
  }
  const left = found.filter((difference) => !('refused' in difference) || difference.refused !== null);
  const differs = left.length + advice.length;
  console.answer({ as_wanted: differs === 0, differences: found, set: advice.map(({ set }) => set) });
  if (differs === 0) console.out(console.style('good', 'the bucket is as wanted'));
  else console.out(console.style('bad', `${counted(differs, 'setting is', 'settings are')} not as wanted`));
  return differs === 0 ? 0 : 1;
}

const rules = {
  's3-lifecycle': (ages: TierAges, prefix: string) => ({ Rules: s3Lifecycle(ages, prefix) }),
  'r2-lifecycle': (ages: TierAges, prefix: string) => ({ rules: r2Lifecycle(ages, prefix) }),
  'r2-locks': (ages: TierAges, prefix: string) => ({ rules: r2Locks(ages, prefix) }),
};

function shown(difference: Difference | Applied): string[] {
  const outcome = !('refused' in difference)
    ? 'differs'
    : difference.refused === null
      ? 'set'
      : `refused: ${difference.refused}`;
  return [
    `${difference.name}: ${outcome}`,
    `  found   ${JSON.stringify(difference.found)}`,
    `  wanted  ${JSON.stringify(difference.wanted)}`,
  ];
}

async function managedBucket(
  { settings }: Config,
  ages: TierAges,
  prefix: string,
  console: Output,
): Promise<ManagedBucket> {
  if (settings.auditBucket === null) throw new Failure('not_configured', 'TGEFD_AUDIT_BUCKET is not set');
  const r2 = r2Place(settings.auditS3Endpoint);
  const { CLOUDFLARE_ACCOUNT_ID: accountId = r2?.accountId, CLOUDFLARE_API_TOKEN: apiToken } = console.env;
  if (accountId && apiToken) {
    const parts = {
      accountId,
      jurisdiction: r2?.jurisdiction ?? null,
      apiToken,
      bucket: settings.auditBucket,
      prefix,
      ages,
    };
    return createR2Bucket(parts, (input, init) => fetch(input, init));
  }
  if (r2 !== null)
    throw new Failure('not_configured', 'an R2 bucket is set by Cloudflare’s API: CLOUDFLARE_API_TOKEN is not set');
  const [{ createS3Bucket }, { s3ClientOf }] = await Promise.all([
    import('../../storage/s3/s3-bucket.ts'),
    import('../../platform/cloud/object-stores.ts'),
  ]);
  const lockMode = LOCK_MODES[settings.auditObjectLock];
  return createS3Bucket(s3ClientOf(settings, operatorAgents(console.env)), {
    bucket: settings.auditBucket,
    prefix,
    ages,
    lockMode,
    partition: awsPartition(settings.auditS3Region).name,
  });
}

/** What `TGEFD_AUDIT_CONDITIONAL_WRITES` should be by what the store does, or null where it is so. */
async function conditionalAdvice({ settings }: Config, console: Output): Promise<Advice | null> {
  const [{ createS3Store }, { s3ClientOf }] = await Promise.all([
    import('../../storage/s3/s3.ts'),
    import('../../platform/cloud/object-stores.ts'),
  ]);
  const { auditBucket, auditS3Endpoint, auditConditionalWrites, auditPrefix } = settings;
  // The endpoint of R2 honours them; only Cloudflare's API is at hand here.
  if (auditBucket === null || r2Place(auditS3Endpoint) !== null) return null;
  const tried = { bucket: auditBucket, conditionalWrites: true, retention: null, encryption: null };
  const store = createS3Store(s3ClientOf(settings, operatorAgents(console.env)), tried, { clock: () => Date.now() });
  const found = await probeConditionalWrites(store, `${auditPrefix}/probe/conditional-write`);
  const wanted = found === 'honoured';
  const inForce = auditConditionalWrites ?? hasConditionalWrites(auditS3Endpoint);
  console.out(`conditional writes: ${found}`);
  return wanted === inForce ? null : { set: `TGEFD_AUDIT_CONDITIONAL_WRITES=${wanted}` };
}

/** The addressing that the store understands, where it is another than the one in force; null where nothing has to change. */
async function addressingAdvice({ settings }: Config, console: Output): Promise<Advice | null> {
  const { auditBucket, auditS3Endpoint, auditPrefix } = settings;
  if (auditBucket === null || auditS3Endpoint === null) return null;
  const [{ createS3Store }, { s3ClientOf }] = await Promise.all([
    import('../../storage/s3/s3.ts'),
    import('../../platform/cloud/object-stores.ts'),
  ]);
  const inForce = settings.auditS3Addressing ?? 'path';
  const listed = (addressing: 'path' | 'virtual') => {
    const client = s3ClientOf({ ...settings, auditS3Addressing: addressing }, operatorAgents(console.env));
    const tried = { bucket: auditBucket, conditionalWrites: true, retention: null, encryption: null };
    return createS3Store(client, tried, { clock: () => Date.now() }).list(`${auditPrefix}/`, null);
  };
  try {
    await listed(inForce);
    return null;
  } catch (error) {
    const other = inForce === 'path' ? 'virtual' : 'path';
    const works = await listed(other).then(
      () => true,
      () => false,
    );
    if (!works) throw error;
    return {
      set: `TGEFD_AUDIT_S3_ADDRESSING=${other}`,
      why: `the store does not understand \`${inForce}\` addressing`,
    };
  }
}
