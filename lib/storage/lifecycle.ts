/** The ages, in days, at which records change their tier: hot until the first, warm until the second, cold until the
 * third, then expired. */
export interface TierAges {
  readonly hotDays: number;
  readonly warmDays: number;
  readonly coldDays: number;
}

/** The S3 storage classes that a tier may have. */
export type S3TierClass = 'INTELLIGENT_TIERING' | 'STANDARD_IA' | 'GLACIER_IR';

/** One rule of an S3 lifecycle, in the words of `PutBucketLifecycleConfiguration`. */
export interface S3LifecycleRule {
  readonly ID: string;
  readonly Status: 'Enabled';
  readonly Filter: { readonly Prefix: string };
  readonly Transitions?: readonly { readonly Days: number; readonly StorageClass: S3TierClass }[];
  readonly Expiration?: { readonly Days: number } | { readonly ExpiredObjectDeleteMarker: true };
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays: number };
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number };
}

/** One rule of an R2 lifecycle (`wrangler r2 bucket lifecycle set`, `PUT …/lifecycle`). */
export interface R2LifecycleRule {
  readonly id: string;
  readonly enabled: true;
  readonly conditions: { readonly prefix: string };
  readonly deleteObjectsTransition: { readonly condition: { readonly type: 'Age'; readonly maxAge: number } };
  readonly storageClassTransitions?: readonly {
    readonly condition: { readonly type: 'Age'; readonly maxAge: number };
    readonly storageClass: 'InfrequentAccess';
  }[];
}

/** One rule of R2's bucket locks (`wrangler r2 bucket lock set`, `PUT …/lock`). */
export interface R2LockRule {
  readonly id: string;
  readonly enabled: true;
  readonly prefix: string;
  readonly condition: { readonly type: 'Age'; readonly maxAgeSeconds: number };
}

const DAY_SECONDS = 86_400;
/** AWS moves nothing to STANDARD_IA before this age. */
const STANDARD_IA_MINIMUM_DAYS = 30;
/** How long records spilled during an outage may wait for the archive before they are given up. */
const SPILL_DAYS = 30;
/** Days that a version stays after its object has expired; S3 deletes it then, once its lock has ended too. */
const NONCURRENT_DAYS = 1;
const ABORT_DAYS = 7;

/**
 * The S3 lifecycle of the tiers, for everything below `prefix` (with its slash, or empty). Warm objects are in
 * INTELLIGENT_TIERING, or in STANDARD_IA where AWS allows it at that age; cold ones in GLACIER_IR, which answers at once, so
 * that an archive verifies and reads without being restored. Objects under 128 KB stay where they are: AWS moves none.
 * What expires first becomes a version behind a delete marker; versions and markers go after it.
 */
export function s3Lifecycle(ages: TierAges, prefix: string): readonly S3LifecycleRule[] {
  const { hotDays, warmDays, coldDays } = ages;
  return [
    {
      ID: 'audit-tiers',
      Status: 'Enabled',
      Filter: { Prefix: prefix },
      Transitions: [
        { Days: hotDays, StorageClass: hotDays < STANDARD_IA_MINIMUM_DAYS ? 'INTELLIGENT_TIERING' : 'STANDARD_IA' },
        { Days: warmDays, StorageClass: 'GLACIER_IR' },
      ],
      Expiration: { Days: coldDays },
      NoncurrentVersionExpiration: { NoncurrentDays: NONCURRENT_DAYS },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: ABORT_DAYS },
    },
    {
      ID: 'audit-delete-markers',
      Status: 'Enabled',
      Filter: { Prefix: prefix },
      Expiration: { ExpiredObjectDeleteMarker: true },
    },
  ];
}

/** The R2 lifecycle of the tiers. R2 has one colder class, with a minimum of 30 days: objects go there as cold ones. */
export function r2Lifecycle(ages: TierAges, prefix: string): readonly R2LifecycleRule[] {
  const at = (days: number) => ({ condition: { type: 'Age', maxAge: days * DAY_SECONDS } }) as const;
  return [
    {
      id: 'audit-tiers',
      enabled: true,
      conditions: { prefix },
      deleteObjectsTransition: at(ages.coldDays),
      storageClassTransitions: [{ ...at(ages.warmDays), storageClass: 'InfrequentAccess' }],
    },
    {
      id: 'audit-spill',
      enabled: true,
      conditions: { prefix: `${prefix}spill/` },
      deleteObjectsTransition: at(Math.min(SPILL_DAYS, ages.coldDays)),
    },
  ];
}

/** The R2 lock rules: nothing of the archive can be overwritten or deleted before it expires. Spilled records are left
 * out, since the archive moves them. */
export function r2Locks(ages: TierAges, prefix: string): readonly R2LockRule[] {
  return ['batches', 'manifests', 'anchors'].map((folder) => ({
    id: `audit-${folder}`,
    enabled: true,
    prefix: `${prefix}${folder}/`,
    condition: { type: 'Age', maxAgeSeconds: ages.coldDays * DAY_SECONDS },
  }));
}
