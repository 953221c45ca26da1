import { describe, expect, test } from 'vitest';
import { egressTargets } from '../../../lib/config/egress.ts';
import { loadConfig } from '../../../lib/config/load.ts';

function targets(env: Record<string, string>) {
  const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
  const loaded = loadConfig({ TGEFD_ENV: 'development', TGEFD_FORWARD_AUTH: 'nginx', ...env }, place);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return egressTargets(loaded.config.settings, 'eu-west-1').map(
    ({ host, port, addresses }) => `${host} ${port} ${addresses}`,
  );
}

describe('places that the process may call', () => {
  test('are those that the configuration names, and no others', () => {
    expect(targets({})).toEqual([]);
    expect(
      targets({
        TGEFD_UPSTREAM_URL: 'https://api.example:8443',
        TGEFD_REDIS_URL: 'https://eu1.upstash.example',
        TGEFD_REDIS_TOKEN: 't',
      }),
    ).toEqual(['eu1.upstash.example 443 public', 'api.example:8443 8443 public']);
  });

  test.each([
    ['https://10.0.0.5', '10.0.0.5 443 as_written'],
    ['https://[fd00::5]:8443', '[fd00::5]:8443 8443 as_written'],
    ['http://localhost:9000', 'localhost:9000 9000 loopback'],
    ['https://tgefd', 'tgefd 443 private'],
    ['https://tgefd.tgefd.svc', 'tgefd.tgefd.svc 443 private'],
    ['https://tgefd.tgefd.svc.cluster.local:8443', 'tgefd.tgefd.svc.cluster.local:8443 8443 private'],
    ['https://api.corp.internal', 'api.corp.internal 443 private'],
    ['https://internal.example', 'internal.example 443 public'],
  ])('an upstream %s is %s', (url, row) => {
    expect(targets({ TGEFD_UPSTREAM_URL: url })).toEqual([row]);
  });

  test('a host named in TGEFD_EGRESS_ALLOW may have private addresses, whatever names it as well', () => {
    expect(targets({ TGEFD_UPSTREAM_URL: 'https://alb.example', TGEFD_EGRESS_ALLOW: 'alb.example' })).toEqual([
      'alb.example 443 private',
      'alb.example 443 private',
    ]);
  });

  test('buckets are reached at AWS by name, or at the one endpoint', () => {
    const bucket = { TGEFD_AUDIT_BUCKET: 'records', TGEFD_AUDIT_S3_REGION: 'eu-central-1' };
    expect(targets(bucket)).toEqual([
      'records.s3.eu-central-1.amazonaws.com 443 public',
      's3.eu-central-1.amazonaws.com 443 public',
      'sts.eu-central-1.amazonaws.com 443 public',
    ]);
    expect(targets({ TGEFD_AUDIT_BUCKET: 'records' })[0]).toBe('records.s3.eu-west-1.amazonaws.com 443 public');
    expect(targets({ ...bucket, TGEFD_AUDIT_S3_ENDPOINT: 'https://x.r2.cloudflarestorage.com' })).toEqual([
      'x.r2.cloudflarestorage.com 443 public',
    ]);
    expect(targets({ ...bucket, TGEFD_AUDIT_S3_ENDPOINT: 'https://s3.eu-central-1.amazonaws.com' })).toEqual([
      's3.eu-central-1.amazonaws.com 443 public',
      'sts.eu-central-1.amazonaws.com 443 public',
    ]);
    const keys = { TGEFD_AUDIT_S3_ACCESS_KEY_ID: 'id', TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: 'key' };
    expect(targets({ ...bucket, ...keys }).join()).not.toContain('sts.');
  });
});
