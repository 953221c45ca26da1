import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig, policyFaults } from '../../../lib/config/load.ts';
import { fileProblems, sizeProblems } from '../../../lib/config/policy/platform-limits.ts';
import { expandPolicy } from '../../../lib/config/policy/policy-document.ts';
import { problemLine } from '../../../lib/config/problem.ts';

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
const row = { method: 'GET', path: '/items/{id}', scope: 'items', budget: 'read' };
function expanded(document: unknown, env: Record<string, string> = {}, compiled: string | null = null) {
  const { problems, ...rest } = expandPolicy({ ...env, TGEFD_POLICY: JSON.stringify(document) }, compiled);
  return { ...rest, problems: problems.map(problemLine) };
}

describe('the policy document', () => {
  it('puts each member into the variable of the same meaning', () => {
    const { env, problems } = expanded(
      { $schema: 'https://x.example/policy.schema.json', preset: 'none', endpoints: [row], mtls: [], overrides: [] },
      { OTHER: 'x' },
    );
    expect(problems).toEqual([]);
    expect(env).toEqual({
      OTHER: 'x',
      TGEFD_PRESET: 'none',
      TGEFD_ENDPOINTS: JSON.stringify([row]),
      TGEFD_MTLS_POLICY: '[]',
      TGEFD_RATE_LIMIT_OVERRIDES: '[]',
    });
  });

  it('is decided upon as its variables are', () => {
    const env = { TGEFD_ENV: 'development', TGEFD_UPSTREAM_URL: 'http://127.0.0.1:1' };
    const loaded = loadConfig({ ...env, TGEFD_POLICY: JSON.stringify({ preset: 'none', endpoints: [row] }) }, place);
    expect(loaded.ok && loaded.config.documents.endpoints.map(({ pattern }) => pattern)).toContain('/items/{id}');
    const faulty = loadConfig({ ...env, TGEFD_POLICY: JSON.stringify({ endpoints: [{ ...row, path: '*' }] }) }, place);
    expect(faulty.ok ? [] : faulty.problems.map(({ variable }) => variable)).toEqual([
      'TGEFD_POLICY member "endpoints"',
    ]);
  });

  it.each([
    [
      'a member beside its variable',
      { endpoints: [] },
      { TGEFD_ENDPOINTS: '[]' },
      '"endpoints" beside TGEFD_ENDPOINTS',
    ],
    ['a member beside its file', { endpoints: [] }, { TGEFD_ENDPOINTS_FILE: '/x' }, 'beside TGEFD_ENDPOINTS_FILE'],
    ['a member nobody knows', { endpoint: [] }, {}, 'probably meant: endpoints'],
    ['a list', [], {}, 'something else than an object'],
    ['a private key', { mtls: [{ kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'd' }] }, {}, 'JWK at /mtls/0'],
    ['a symmetric key', { endpoints: [{ kty: 'oct', k: 'aaaa' }] }, {}, 'JWK at /endpoints/0'],
    ['a PEM key', { preset: '-----BEGIN EC PRIVATE KEY-----\nMIG' }, {}, 'a private key in PEM at /preset'],
    ['a token', { preset: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.' }, {}, 'a token at /preset'],
    [
      'a client secret',
      { endpoints: [{ a: { client_secret: 'hunter2' } }] },
      {},
      'a secret at /endpoints/0/a/client_secret',
    ],
  ])('refuses %s', (_, document, env, problem) => {
    const { problems } = expanded(document, env as Record<string, string>);
    expect(problems.join('\n')).toContain(problem);
    for (const secret of ['hunter2', 'MIG', 'eyJ', '"d"']) expect(problems.join('\n')).not.toContain(secret);
  });

  it.each(['vault:kv/idp#secret', 'aws-sm:idp#secret', 'cf:IDP_SECRET', 'TGEFD_IDP_SECRET'])(
    'takes %s for a reference, not for a secret',
    (client_secret) => {
      expect(expanded({ endpoints: [{ client_secret }] }).problems).toEqual([]);
    },
  );

  it.each(['{', '{"preset":"none","preset":"tgefd"}', 'null', '1', '"none"', ''])('%s is no document', (text) => {
    const { problems, env } = expandPolicy({ TGEFD_POLICY: text }, null);
    expect(problems).toHaveLength(1);
    expect(env).toEqual({ TGEFD_POLICY: text });
  });

  it('is the one that is compiled in, which a variable must not stand beside', () => {
    const compiled = JSON.stringify({ preset: 'none' });
    expect(expandPolicy({}, compiled).env).toEqual({ TGEFD_PRESET: 'none' });
    expect(expanded({ preset: 'none' }, {}, compiled).problems).toEqual([
      'TGEFD_POLICY: found a document beside the one that is compiled in; accepted: one of the two',
    ]);
  });

  it('leaves an environment without one as it is', () => {
    const env = { TGEFD_ENV: 'development' };
    expect(expandPolicy(env, null)).toEqual({ env, problems: [], memberOf: new Map() });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expandPolicy({ TGEFD_POLICY: JSON.stringify(value) }, null);
        expandPolicy({ TGEFD_POLICY: JSON.stringify({ endpoints: value, preset: value }) }, null);
      }),
      { seed: 20_261_127, numRuns: 500 },
    );
  });
});

describe('issuers of the policy document', () => {
  const issuer = { issuer: 'http://127.0.0.1:8180/realms/shop', audience: 'shop-api', provider: 'keycloak' };
  const policy = (changes: object = {}) => JSON.stringify({ preset: 'none', issuers: [{ ...issuer, ...changes }] });

  it('are named by their member where they refuse a token, and not by a variable that nobody wrote', () => {
    const env = { TGEFD_ENV: 'development', TGEFD_UPSTREAM_URL: 'http://127.0.0.1:1', TGEFD_AUTH_MODE: 'jwt' };
    const loaded = loadConfig({ ...env, TGEFD_POLICY: policy() }, place);
    const [setBy] = loaded.ok ? loaded.config.issuers.map((one) => one.setBy) : [];
    expect(setBy?.audience).toBe('TGEFD_POLICY member "issuers"[0].audience');
    expect(setBy?.require).toBe('TGEFD_POLICY member "issuers"[0].require (default of the provider keycloak)');
  });

  it.each([
    ['on the machine of a developer', 'development', 'worker', {}, []],
    ['in production', 'production', 'cli', {}, ['TGEFD_POLICY member "issuers"[0].keys']],
    ['in a Worker with keys in a file', 'development', 'worker', { keys: { file: '/k' } }, ['a file']],
  ] as const)('at a loopback address %s', (_, environment, platform, changes, faults) => {
    const found = policyFaults(policy(changes), { environment, platform }).map(problemLine);
    expect(found).toEqual(faults.map((fault) => expect.stringContaining(fault)));
  });
});

describe('limits of platforms', () => {
  it.each([
    ['worker', { TGEFD_ENDPOINTS: 'x'.repeat(5120) }, []],
    ['worker', { TGEFD_ENDPOINTS: 'x'.repeat(5121) }, ['TGEFD_ENDPOINTS: found 5121 bytes; accepted: at most 5120']],
    ['worker', { TGEFD_X: 'é'.repeat(2561) }, ['TGEFD_X: found 5122 bytes']],
    ['lambda', { TGEFD_ENDPOINTS: 'x'.repeat(4081) }, []],
    ['lambda', { TGEFD_ENDPOINTS: 'x'.repeat(4082) }, ['TGEFD_ENDPOINTS: found 4097 bytes in all variables together']],
    ['lambda', { PATH: 'x'.repeat(9000) }, []],
    ['node', { TGEFD_ENDPOINTS: 'x'.repeat(10_000) }, []],
    ['node', { TGEFD_ENDPOINTS: 'x'.repeat(131_072) }, ['TGEFD_ENDPOINTS: found 131072 bytes']],
  ] as const)('on %s %#', (platform, env, problems) => {
    expect(sizeProblems(env, platform).map(problemLine)).toEqual(
      problems.map((problem) => expect.stringContaining(problem)),
    );
  });

  it('counts the variables of a Worker', () => {
    const env = Object.fromEntries(Array.from({ length: 129 }, (_, at) => [`TGEFD_${at}`, 'x']));
    expect(sizeProblems(env, 'worker').map(problemLine)).toEqual([expect.stringContaining('129 variables')]);
  });

  it('knows that a Worker has no files, and compiles the policy document in', () => {
    const told = fileProblems({ TGEFD_POLICY_FILE: 'p', TGEFD_MTLS_POLICY_FILE: 'm' }, 'worker');
    expect(told.problems.map(({ variable }) => variable)).toEqual(['TGEFD_MTLS_POLICY_FILE']);
    expect(told.warnings.map(problemLine)).toEqual([expect.stringContaining('npm run build -- --policy FILE')]);
    expect(fileProblems({ TGEFD_POLICY_FILE: 'p' }, 'node')).toEqual({ problems: [], warnings: [] });
  });
});
