import { describe, expect, test } from 'vitest';
import { r2Lifecycle, r2Locks, s3Lifecycle, type TierAges } from '../../../lib/storage/lifecycle.ts';

const policy: TierAges = { hotDays: 7, warmDays: 30, coldDays: 180 };

/** What AWS demands of a transition, by class: the earliest age, and the days that are charged at least. */
const aws = {
  INTELLIGENT_TIERING: { earliestDay: 0, chargedDays: 0 },
  STANDARD_IA: { earliestDay: 30, chargedDays: 30 },
  GLACIER_IR: { earliestDay: 0, chargedDays: 90 },
} as const;

test('the plan’s ages as an S3 lifecycle', () => {
  expect(s3Lifecycle(policy, 'audit/')).toEqual([
    {
      ID: 'audit-tiers',
      Status: 'Enabled',
      Filter: { Prefix: 'audit/' },
      Transitions: [
        { Days: 7, StorageClass: 'INTELLIGENT_TIERING' },
        { Days: 30, StorageClass: 'GLACIER_IR' },
      ],
      Expiration: { Days: 180 },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
    },
    {
      ID: 'audit-delete-markers',
      Status: 'Enabled',
      Filter: { Prefix: 'audit/' },
      Expiration: { ExpiredObjectDeleteMarker: true },
    },
  ]);
});

describe('whatever the ages, AWS accepts the classes at them', () => {
  test.each([
    policy,
    { hotDays: 1, warmDays: 2, coldDays: 92 },
    { hotDays: 30, warmDays: 90, coldDays: 365 },
    { hotDays: 45, warmDays: 400, coldDays: 3650 },
  ])('%o', (ages) => {
    const transitions = s3Lifecycle(ages, '')[0]?.Transitions ?? [];
    for (const [place, { Days, StorageClass }] of transitions.entries()) {
      const until = transitions[place + 1]?.Days ?? ages.coldDays;
      expect(Days).toBeGreaterThanOrEqual(aws[StorageClass].earliestDay);
      expect(until - Days).toBeGreaterThanOrEqual(aws[StorageClass].chargedDays);
    }
  });
});

test('the plan’s ages as R2 lifecycle and locks, which let the archive remove what was spilled', () => {
  const day = 86_400;
  expect(r2Lifecycle(policy, 'audit/')).toMatchObject([
    {
      conditions: { prefix: 'audit/' },
      deleteObjectsTransition: { condition: { type: 'Age', maxAge: 180 * day } },
      storageClassTransitions: [{ condition: { type: 'Age', maxAge: 30 * day }, storageClass: 'InfrequentAccess' }],
    },
    { conditions: { prefix: 'audit/spill/' }, deleteObjectsTransition: { condition: { maxAge: 30 * day } } },
  ]);
  const locks = r2Locks(policy, 'audit/');
  expect(locks.map(({ prefix }) => prefix)).toEqual(['audit/batches/', 'audit/manifests/', 'audit/anchors/']);
  expect(locks.every(({ condition }) => condition.maxAgeSeconds === 180 * day)).toBe(true);
});
