import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { posture } from '../../../lib/config/posture/posture.ts';
import { sharedProduction } from './event-issuers-environment.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;

function problemsOf(env: Record<string, string>, base: Record<string, string> = sharedProduction) {
  const loaded = loadConfig({ ...base, ...env }, place);
  return loaded.ok ? [] : loaded.problems.map(({ variable }) => variable);
}

describe('the identifier of a protected resource', () => {
  test.each(['https://api.example', 'https://api.example/v1'])('may be %s', (resource) => {
    expect(problemsOf({ TGEFD_RESOURCE: resource })).toEqual([]);
  });

  test.each(['http://api.example', 'https://api.example/?a=b', 'https://api.example/#part', 'api.example', ''])(
    'is a problem when it is %j',
    (resource) => {
      expect(problemsOf({ TGEFD_RESOURCE: resource })).toContain('TGEFD_RESOURCE');
    },
  );
});

describe('an issuer that is asked about opaque tokens', () => {
  const { TGEFD_JWT_ISSUER: _, TGEFD_JWT_AUDIENCE: __, ...base } = sharedProduction;
  const row = (issuer: string, introspection: object = {}) => ({
    ...{ issuer, audience: 'api' },
    introspection: { url: `${issuer}/introspect`, client_id: 'api', client_secret: 's', ...introspection },
  });
  const problems = (...rows: readonly object[]) => problemsOf({ TGEFD_ISSUERS: JSON.stringify(rows) }, base);

  test('is asked over TLS, and is the only one', () => {
    expect(problems(row('https://a.example'))).toEqual([]);
    expect(problems(row('https://a.example', { url: 'http://a.example/introspect' }))).toEqual([
      'TGEFD_ISSUERS[0].introspection',
    ]);
    expect(problems(row('https://a.example'), row('https://b.example'))).toEqual(['TGEFD_ISSUERS[1].introspection']);
  });

  test('stands in the posture with the time for which a revoked token may pass', () => {
    const loaded = loadConfig({ ...base, TGEFD_ISSUERS: JSON.stringify([row('https://a.example')]) }, place);
    const told = loaded.ok ? posture(loaded.config).map(({ text }) => text) : [];
    expect(told).toContain(
      'Opaque tokens are asked about at a.example; one that was revoked there passes for at most 5 s.',
    );
  });
});

describe('the form of the assertion', () => {
  test('is one of two, and nothing without a key', () => {
    expect(problemsOf({ TGEFD_ASSERTION_PROFILE: 'txn-token' })).toContain('TGEFD_ASSERTION_PROFILE');
    expect(problemsOf({ TGEFD_ASSERTION_PROFILE: 'other' })).toContain('TGEFD_ASSERTION_PROFILE');
  });
});
