import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { problemLine } from '../../../lib/config/problem.ts';
import type { Platform } from '../../../lib/config/variable.ts';

function problemsOf(env: Record<string, string>, platform: Platform = 'node') {
  const loaded = loadConfig(
    {
      TGEFD_ENV: 'development',
      TGEFD_UPSTREAM_URL: 'http://127.0.0.1:3000',
      TGEFD_AUTH_MODE: 'mtls',
      TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
      ...env,
    },
    { platform, role: 'gateway', upstreamBinding: false, bucketBinding: false },
  );
  return loaded.ok ? [] : loaded.problems.map(problemLine);
}

describe('sources of client certificates', () => {
  it.each([
    {},
    { TGEFD_MTLS_SOURCES: 'alb' },
    { TGEFD_MTLS_SOURCES: 'xfcc', TGEFD_XFCC_HOPS: '2' },
    { TGEFD_MTLS_SOURCES: 'traefik', TGEFD_MTLS_CA_FILE: '/ca.pem' },
  ])('take %j', (env) => {
    expect(problemsOf(env as Record<string, string>)).toEqual([]);
  });

  it.each([
    [{ TGEFD_MTLS_SOURCES: 'traefik' }, 'TGEFD_MTLS_CA_FILE: found nothing'],
    [{ TGEFD_MTLS_CA_FILE: '/ca.pem' }, 'TGEFD_MTLS_CA_FILE: found a value'],
    [{ TGEFD_MTLS_SOURCES: 'subject', TGEFD_XFCC_HOPS: '2' }, 'TGEFD_XFCC_HOPS: found 2'],
    [{ TGEFD_XFCC_HOPS: '0' }, 'TGEFD_XFCC_HOPS: found "0"'],
    [{ TGEFD_MTLS_SOURCES: 'aws' }, 'TGEFD_MTLS_SOURCES: found "aws"'],
    [{ TGEFD_MTLS_POLICY: '[{"san":"URI:spiffe://td/a*"}]' }, 'TGEFD_MTLS_POLICY: found a fault in rule 1, `san`'],
  ])('refuse %j', (env, problem) => {
    expect(problemsOf(env as unknown as Record<string, string>).join('\n')).toContain(problem);
  });

  it('count Traefik on Node only, where there are files', () => {
    const env = { TGEFD_MTLS_SOURCES: 'traefik', TGEFD_MTLS_CA_FILE: '/ca.pem' };
    expect(problemsOf(env, 'worker').join('\n')).toContain('`traefik` counts on Node only');
  });
});
