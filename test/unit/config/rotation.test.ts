import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { overdueSecrets, rotationWarnings } from '../../../lib/config/rotation.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
const secret = 'a secret of more than thirty-two bytes';
const nowMs = Date.parse('2026-11-24T00:00:00Z');
function load(env: Record<string, string>) {
  return loadConfig(
    { TGEFD_ENV: 'development', TGEFD_FORWARD_AUTH: 'nginx', TGEFD_INGRESS_SECRET: secret, ...env },
    place,
  );
}
function told(env: Record<string, string>) {
  const loaded = load(env);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return {
    warnings: rotationWarnings(loaded.config, nowMs).map(({ variable }) => variable),
    overdue: overdueSecrets(loaded.config, nowMs),
  };
}

describe('the age of secrets', () => {
  test.each([
    ['of ninety days is within the policy', { TGEFD_INGRESS_SECRET_ROTATED_AT: '2026-08-26' }, [], 0],
    ['of ninety-one days is past it', { TGEFD_INGRESS_SECRET_ROTATED_AT: '2026-08-25' }, ['TGEFD_INGRESS_SECRET'], 1],
    ['that nobody wrote down is asked for', {}, ['TGEFD_INGRESS_SECRET_ROTATED_AT'], 0],
    ['does not matter where the policy is off', { TGEFD_ROTATION_MAX_AGE_DAYS: '0' }, [], 0],
    ['in the future is none', { TGEFD_INGRESS_SECRET_ROTATED_AT: '2027-01-01T00:00:00+01:00' }, [], 0],
    [
      'may be counted from an instant',
      { TGEFD_INGRESS_SECRET_ROTATED_AT: '2026-11-20T23:59:59Z', TGEFD_ROTATION_MAX_AGE_DAYS: '3' },
      ['TGEFD_INGRESS_SECRET'],
      1,
    ],
  ])('%s', (_, env, warnings, overdue) => {
    expect(told(env as Record<string, string>)).toEqual({ warnings, overdue });
  });

  test.each(['yesterday', '2026-13-01', '24.11.2026', '2026-11-24 10:00', ''])('%j is no date of rotation', (text) => {
    const loaded = load({ TGEFD_INGRESS_SECRET_ROTATED_AT: text });
    expect(loaded.ok ? [] : loaded.problems.map(({ variable }) => variable)).toEqual([
      'TGEFD_INGRESS_SECRET_ROTATED_AT',
    ]);
  });

  test('a date without a secret is a known name that says nothing', () => {
    expect(told({ TGEFD_INGRESS_SECRET_ROTATED_AT: '2026-11-01', TGEFD_JWT_SECRET_ROTATED_AT: '2020-01-01' })).toEqual({
      warnings: [],
      overdue: 0,
    });
  });
});
