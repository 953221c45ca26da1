import { awsPartition } from '../../codec/aws-partition.ts';
import type { Config } from '../../config/load.ts';
import { operatorAgents } from '../../platform/cli/agents.ts';
import type { Applied, Difference, ManagedBucket } from '../../storage/bucket.ts';
import { probeConditionalWrites } from '../../storage/conditional-probe.ts';
import { r2Lifecycle, r2Locks, s3Lifecycle, type TierAges } from '../../storage/lifecycle.ts';
import { createR2Bucket } from '../../storage/r2-bucket.ts';
import { hasConditionalWrites, r2Place } from '../../storage/s3/s3-address.ts';
import { type Command, type Console, options, Usage } from '../command.ts';
import { archiveConfig } from './parts.ts';

const LOCK_MODES = { off: null, governance: 'GOVERNANCE', compliance: 'COMPLIANCE' } as const;

export const bucket: Command = {
  summary: 'sets or checks versions, locks, encryption, access and lifecycle of the archive’s bucket',
  usage:
    'audit bucket --check | --apply | --print s3-lifecycle|r2-lifecycle|r2-locks   (R2: with CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN)',
  async run(args, console) {
    const { values } = options(args, {
      check: { type: 'boolean', default: false },
      apply: { type: 'boolean', default: false },
      print: { type: 'string' },
    });
    if ([values.check, values.apply, values.print !== undefined].filter(Boolean).length !== 1) {
      throw new Usage('give one of --check, --apply and --print');
    }
    const config = await archiveConfig(console);
    if (config === null) return 1;
    const { settings } = config;
    const ages = { hotDays: settings.auditHotDays, warmDays: settings.auditWarmDays, coldDays: settings.auditColdDays };
    const prefix = `${settings.auditPrefix}/`;
    if (values.print !== undefined) {
      console.out(JSON.stringify(printed(values.print, ages, prefix), null, 2));
      return 0;
    }
    const addressing = values.check ? await addressingAdvice(config, console) : null;
    if (addressing !== null) {
      console.out(addressing);
      return 1;
    }
    const managed = await managedBucket(config, ages, prefix, console);
    if (managed === null) return 1;
    const found = values.apply ? await managed.apply() : await managed.check();
    for (const difference of found) for (const line of shown(difference)) console.out(line);
    const advice = values.check ? await conditionalAdvice(config, console) : null;
    if (advice !== null) console.out(advice);
    const left = found.filter((difference) => !('refused' in difference) || difference.refused !== null);
    const differs = left.length + (advice === null ? 0 : 1);
    console.out(differs === 0 ? 'the bucket is as wanted' : `${differs} not as wanted`);
    return differs === 0 ? 0 : 1;
  },
};

function printed(what: string, ages: TierAges, prefix: string): unknown {
  if (what === 's3-lifecycle') return { Rules: s3Lifecycle(ages, prefix) };
  if (what === 'r2-lifecycle') return { rules: r2Lifecycle(ages, prefix) };
  if (what === 'r2-locks') return { rules: r2Locks(ages, prefix) };
  throw new Usage('--print is s3-lifecycle, r2-lifecycle or r2-locks');
}

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
  console: Console,
): Promise<ManagedBucket | null> {
  if (settings.auditBucket === null) {
    console.err('TGEFD_AUDIT_BUCKET is not set');
    return null;
  }
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
  if (r2 !== null) {
    console.err('an R2 bucket is set over Cloudflare’s API: give CLOUDFLARE_API_TOKEN');
    return null;
  }
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
async function conditionalAdvice({ settings }: Config, console: Console): Promise<string | null> {
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
  return wanted === inForce ? null : `  set     TGEFD_AUDIT_CONDITIONAL_WRITES=${wanted}`;
}

/** The addressing that the store understands, where it is another than the one in force; null where nothing has to change. */
async function addressingAdvice({ settings }: Config, console: Console): Promise<string | null> {
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
    return `the store does not understand \`${inForce}\` addressing\n  set     TGEFD_AUDIT_S3_ADDRESSING=${other}`;
  }
}
