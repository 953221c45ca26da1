import type { Config } from '../../config/load.ts';
import { operatorAgents } from '../../platform/cli/agents.ts';
import type { Applied, Difference, ManagedBucket } from '../../storage/bucket.ts';
import { r2Lifecycle, r2Locks, s3Lifecycle, type TierAges } from '../../storage/lifecycle.ts';
import { createR2Bucket } from '../../storage/r2-bucket.ts';
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
    const managed = await managedBucket(config, ages, prefix, console);
    if (managed === null) return 1;
    const found = values.apply ? await managed.apply() : await managed.check();
    for (const difference of found) for (const line of shown(difference)) console.out(line);
    const left = found.filter((difference) => !('refused' in difference) || difference.refused !== null);
    console.out(left.length === 0 ? 'the bucket is as wanted' : `${left.length} not as wanted`);
    return left.length === 0 ? 0 : 1;
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
  const { CLOUDFLARE_ACCOUNT_ID: accountId, CLOUDFLARE_API_TOKEN: apiToken } = console.env;
  if (accountId && apiToken) {
    const parts = { accountId, apiToken, bucket: settings.auditBucket, prefix, ages };
    return createR2Bucket(parts, (input, init) => fetch(input, init));
  }
  if (settings.auditS3Endpoint?.hostname.endsWith('.r2.cloudflarestorage.com')) {
    console.err('an R2 bucket is set over Cloudflare’s API: give CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN');
    return null;
  }
  const [{ createS3Bucket }, { s3ClientOf }] = await Promise.all([
    import('../../storage/s3-bucket.ts'),
    import('../../platform/cloud/object-stores.ts'),
  ]);
  const lockMode = LOCK_MODES[settings.auditObjectLock];
  return createS3Bucket(s3ClientOf(settings, operatorAgents(console.env)), {
    bucket: settings.auditBucket,
    prefix,
    ages,
    lockMode,
  });
}
