import { describe, expect, test } from 'vitest';
import { egressTargets } from '../../../lib/config/egress.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { problemLine } from '../../../lib/config/problem.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
const production = {
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_UPSTREAM_URL: 'https://api.internal',
  TGEFD_JWKS_URL: 'https://issuer.example/jwks',
  TGEFD_JWT_ISSUER: 'https://issuer.example',
  TGEFD_JWT_AUDIENCE: 'tgefd',
  TGEFD_REDIS_URL: 'https://redis.example',
  TGEFD_REDIS_TOKEN: 'token',
  TGEFD_AUDIT_PSEUDONYM_KEY: 'x'.repeat(32),
};
function load(env: Record<string, string>) {
  return loadConfig({ ...production, ...env }, place);
}
function problems(env: Record<string, string>) {
  const loaded = load(env);
  return loaded.ok ? [] : loaded.problems.map(problemLine);
}
function config(env: Record<string, string>) {
  const loaded = load(env);
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.config;
}

describe('traces', () => {
  test('are off by default, and a collector beside the process is where they would go', () => {
    const { settings } = config({});
    expect(settings).toMatchObject({ otelEnabled: false, otelServiceName: 'tgefd-authorizer', otelSampleRatio: 1 });
    expect(settings.otelEndpoint.href).toBe('http://localhost:4318/v1/traces');
  });

  test.each([
    ['http://collector.example/v1/traces', /TGEFD_OTEL_ENDPOINT.*https/],
    ['collector.example:4318', /TGEFD_OTEL_ENDPOINT/],
  ])('refuse the collector %s', (TGEFD_OTEL_ENDPOINT, problem) => {
    expect(problems({ TGEFD_OTEL_ENDPOINT })).toEqual([expect.stringMatching(problem)]);
  });

  test.each(['1.1', '-0.1', '50%', '', '.5', '1e-3'])('refuse the ratio %j', (TGEFD_OTEL_SAMPLE_RATIO) => {
    expect(problems({ TGEFD_OTEL_SAMPLE_RATIO })).toHaveLength(1);
  });
  test.each([
    ['0', 0],
    ['0.25', 0.25],
    ['1', 1],
    ['1.0', 1],
  ])('take the ratio %s', (TGEFD_OTEL_SAMPLE_RATIO, ratio) => {
    expect(config({ TGEFD_OTEL_SAMPLE_RATIO }).settings.otelSampleRatio).toBe(ratio);
  });

  test('take headers for the collector, and never tell the value of one that is malformed', () => {
    expect(config({ TGEFD_OTEL_HEADERS: 'X-Key=a=b, x-team=edge' }).documents.exporterHeaders).toEqual({
      'x-key': 'a=b',
      'x-team': 'edge',
    });
    const told = problems({ TGEFD_OTEL_HEADERS: 'secret-without-a-name' });
    expect(told).toHaveLength(1);
    expect(told.join()).not.toContain('secret-without');
  });

  test('name a place to call only while they are on', () => {
    const names = (env: Record<string, string>) =>
      egressTargets(config(env).settings, null).map(({ variable }) => variable);
    expect(names({})).not.toContain('TGEFD_OTEL_ENDPOINT');
    expect(names({ TGEFD_OTEL_ENABLED: 'true' })).toContain('TGEFD_OTEL_ENDPOINT');
  });
});

describe('metrics', () => {
  test('have an endpoint with the metrics scope only while they are on', () => {
    const row = (env: Record<string, string>) =>
      config(env).documents.endpoints.find(({ pattern }) => pattern === '/_authorizer/metrics');
    expect(row({})).toBeUndefined();
    expect(row({ TGEFD_METRICS_ENABLED: 'true', TGEFD_SCOPE_METRICS: 'scrape' })).toMatchObject({
      method: 'GET',
      scope: 'scrape',
      own: true,
    });
  });

  test('have no port of their own while they are off', () => {
    expect(problems({ TGEFD_METRICS_PORT: '9464' })).toEqual([expect.stringMatching(/TGEFD_METRICS_PORT/)]);
  });
});

describe('the doctor', () => {
  test('needs a secret of 32 bytes, and is warned of while it may come', () => {
    expect(problems({ TGEFD_DOCTOR_SECRET: 'short' })).toEqual([
      expect.stringMatching(/TGEFD_DOCTOR_SECRET.*32 bytes/),
    ]);
    const loaded = load({ TGEFD_DOCTOR_SECRET: 'x'.repeat(32) });
    expect(loaded.warnings.map(problemLine).join()).toMatch(/TGEFD_DOCTOR_SECRET/);
  });
});
