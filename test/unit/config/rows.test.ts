import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../lib/config/load.ts';
import { problemLine } from '../../../lib/config/problem.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
const development = {
  TGEFD_ENV: 'development',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:3000',
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_JWKS_URL: 'http://127.0.0.1:4000/jwks',
  TGEFD_JWT_ISSUER: 'https://issuer.example',
};
function load(env: Record<string, string>) {
  return loadConfig({ ...development, ...env }, place);
}
function problemsOf(env: Record<string, string>) {
  const loaded = load(env);
  return loaded.ok ? [] : loaded.problems.map(problemLine);
}
function rows(...more: object[]) {
  return {
    TGEFD_ENDPOINTS: JSON.stringify(
      more.map((row, at) => ({ method: 'GET', path: `/r${at}/{id}`, scope: null, budget: 'none', ...row })),
    ),
  };
}

describe('rows and the rest of the configuration', () => {
  it('agree', () => {
    const env = rows({ auth: 'jwt', issuers: 'https://issuer.example', claims: { sub: '{id}' } });
    expect(problemsOf(env)).toEqual([]);
  });

  it.each([
    ['a way that is off', {}, { auth: ['jwt', 'mtls'] }, '"auth" lists `mtls`; accepted: ways that TGEFD_AUTH_MODE'],
    ['an unknown issuer', {}, { issuers: ['https://issuer.example/'] }, 'configured issuers (https://issuer.example)'],
    ['claims of certificates', { TGEFD_AUTH_MODE: 'mtls' }, { claims: { sub: '{id}' } }, '"claims" without tokens'],
    ['issuers of certificates', { TGEFD_AUTH_MODE: 'jwt,mtls' }, { auth: 'mtls', issuers: 'x' }, '"issuers" without'],
  ])('disagree about %s', (_, env, row, problem) => {
    expect(problemsOf({ ...env, ...rows(row) })).toEqual(
      expect.arrayContaining([expect.stringMatching(/^TGEFD_ENDPOINTS: found row GET \/r0\/\{id\}: /)]),
    );
    expect(problemsOf({ ...env, ...rows(row) }).join('\n')).toContain(problem);
  });
});

describe('issuers of rows', () => {
  it('may be written in any spelling, and become the one that callers carry', () => {
    const issuers = [
      { issuer: ['https://a.example', 'https://a.example/'], audience: 'x', keys: 'http://127.0.0.1:4000/a' },
      { issuer: 'https://b.example', audience: 'x', keys: 'http://127.0.0.1:4000/b' },
    ];
    const { TGEFD_JWKS_URL: _, TGEFD_JWT_ISSUER: __, ...others } = development;
    const env = { ...others, TGEFD_ISSUERS: JSON.stringify(issuers) };
    const loaded = loadConfig({ ...env, ...rows({ issuers: ['https://a.example/', 'https://b.example'] }) }, place);
    const row = loaded.ok ? loaded.config.documents.endpoints.find(({ issuers }) => issuers) : null;
    expect(row?.issuers).toEqual(['https://a.example', 'https://b.example']);
  });
});

describe('TGEFD_PRESET', () => {
  it('begins with the TGEFD service', () => {
    const loaded = load({});
    expect(loaded.ok && loaded.config.documents.endpoints.filter(({ own }) => !own)).toHaveLength(7);
    expect(loaded.ok && loaded.config.settings.roleAdminScopes).toEqual(['*']);
  });

  it('`none` begins with an empty table and roles without scopes', () => {
    const loaded = load({ TGEFD_PRESET: 'none', TGEFD_ROLE_READER_SCOPES: 'read', ...rows({}) });
    expect(loaded.ok && loaded.config.documents.endpoints.filter(({ own }) => !own)).toHaveLength(1);
    const settings = loaded.ok ? loaded.config.settings : null;
    expect([settings?.roleAdminScopes, settings?.roleAnalystScopes, settings?.roleReaderScopes]).toEqual([
      [],
      [],
      ['read'],
    ]);
  });

  it.each(['TGEFD_SCOPE_DISCOVER', 'TGEFD_SCOPE_EVALUATE', 'TGEFD_SCOPE_JOBS', 'TGEFD_SCOPE_METRICS'])(
    '`none` leaves nothing for %s to guard',
    (name) => {
      expect(problemsOf({ TGEFD_PRESET: 'none', [name]: 'x' })).toEqual([
        `${name}: found a value; accepted: nothing with TGEFD_PRESET=none: it guards an endpoint of the preset`,
      ]);
    },
  );
});

describe('TGEFD_AUTH_MODE', () => {
  it.each([
    ['jwt', ['jwt']],
    ['jwt,mtls', ['jwt', 'mtls']],
    ['mtls , jwt', ['mtls', 'jwt']],
  ])('%s', (mode, ways) => {
    const loaded = load({ TGEFD_AUTH_MODE: mode });
    expect(loaded.ok && loaded.config.ways).toEqual(ways);
    expect(loaded.ok && loaded.config.authMode).toBe(ways[0]);
  });

  it.each(['jwt,jwt', 'jwt,none', 'jwt mtls', 'mtls,api_key', 'jwt,'])('refuses %s', (mode) => {
    expect(problemsOf({ TGEFD_AUTH_MODE: mode }).join()).toContain('TGEFD_AUTH_MODE: found');
  });
});
