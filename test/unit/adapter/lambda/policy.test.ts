import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allowOnly,
  createPolicies,
  denyEverything,
  type PolicyDocument,
  PolicyTooLarge,
} from '../../../../lib/adapter/lambda/policy.ts';
import type { BudgetClass, Endpoint } from '../../../../lib/decision/request.ts';
import { tgefdEndpoints } from '../../../../lib/presets/tgefd.ts';
import { createEndpointTable, ownEndpoints } from '../../../../lib/request/endpoints/table.ts';
import { readPolicy } from '../../../support/iam-policy.ts';

const PREFIX = 'arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/live/';
const scopes = { discover: 'discover', evaluate: 'evaluate', jobs: 'jobs', metrics: 'metrics', revoke: 'revoke' };
const defaults = [...tgefdEndpoints(scopes), ...ownEndpoints(scopes, false)];

function row(method: string, pattern: string, scope: string | null = 'a', budget: BudgetClass = 'read'): Endpoint {
  return {
    action: `${method} ${pattern}`,
    method,
    pattern,
    scope,
    budget,
    own: false,
  };
}
function holding(...held: string[]) {
  return (candidate: Endpoint) => candidate.scope === null || held.includes(String(candidate.scope));
}
function allows(document: PolicyDocument, method: string, path: string) {
  return readPolicy(document)(`${PREFIX}${method}${path}`) === 'allow';
}

describe('a policy of the default table', () => {
  const policies = createPolicies(defaults);

  it('tells all rows apart', () => {
    expect(policies.indistinct).toEqual([]);
  });

  it.each([
    ['GET', '/v1/jobs/7', true],
    ['HEAD', '/v1/jobs/7', true],
    ['GET', '/v1/metrics', true],
    ['GET', '/metrics', true],
    ['POST', '/v1/discover', false],
    ['POST', '/v1/evaluate', false],
    ['DELETE', '/v1/jobs/7', false],
    ['GET', '/v1/jobs/', false],
    ['GET', '/v1/jobs/7/secrets', false],
    ['GET', '/v1/jobs', false],
    ['GET', '/v1/Metrics', false],
    ['GET', '/v1/metrics/', false],
    ['GET', '/elsewhere', false],
  ])('for a reader: %s %s is %s', (method, path, permitted) => {
    expect(allows(policies.of(PREFIX, holding('jobs', 'metrics')), method, path)).toBe(permitted);
  });

  it('never opens our own endpoints, whatever the caller holds', () => {
    const document = policies.of(PREFIX, () => true);
    expect(allows(document, 'POST', '/_authorizer/revocations')).toBe(false);
    expect(allows(document, 'GET', '/_authorizer/revocations/jti/x')).toBe(false);
    expect(JSON.stringify(document)).not.toContain('_authorizer');
  });

  it('denies everything to a caller who holds nothing', () => {
    expect(policies.of(PREFIX, () => false)).toEqual(denyEverything(PREFIX));
  });

  it('names only the API and stage that asked', () => {
    const document = policies.of(PREFIX, () => true);
    const judge = readPolicy(document);
    expect(judge(`${PREFIX.replace('live', 'test')}GET/v1/metrics`)).toBe('implicit_deny');
    expect(judge(`${PREFIX.replace('a1b2c3d4e5', 'other')}GET/v1/metrics`)).toBe('implicit_deny');
  });
});

describe('wildcards', () => {
  it('do not carry a permission for {name} over to a literal with another scope', () => {
    const document = createPolicies([row('GET', '/v1/jobs/{id}'), row('GET', '/v1/jobs/all', 'b')]).of(
      PREFIX,
      holding('a'),
    );
    expect(allows(document, 'GET', '/v1/jobs/1')).toBe(true);
    expect(allows(document, 'GET', '/v1/jobs/all')).toBe(false);
  });

  it('cover a pattern that only another method has', () => {
    const document = createPolicies([row('GET', '/v1/{x}'), row('POST', '/v1/all')]).of(PREFIX, holding('a'));
    expect(allows(document, 'GET', '/v1/1')).toBe(true);
    expect(allows(document, 'GET', '/v1/all')).toBe(true);
    expect(allows(document, 'POST', '/v1/all')).toBe(true);
  });

  it('stand for a tail: one segment or more, none of them empty', () => {
    const rows = [row('GET', '/f/{p...}'), row('GET', '/f/secret', 'b'), row('GET', '/g/{p...}', 'b')];
    const policies = createPolicies(rows);
    const document = policies.of(PREFIX, holding('a'));
    for (const path of ['/f/a', '/f/a/b', '/f/a/b/c']) expect(allows(document, 'GET', path)).toBe(true);
    for (const path of ['/f', '/f/', '/f//a', '/f/a//b', '/f/secret', '/g/a'])
      expect(allows(document, 'GET', path)).toBe(false);
  });

  it('of a tail and a name below the same segment cannot be told apart', () => {
    const { indistinct } = createPolicies([row('GET', '/f/{p...}', 'b'), row('GET', '/f/{n}')]);
    expect(indistinct).toContain('GET /f/{…} and GET /f/{…...}');
  });

  it('of rows that demand different authentications cannot be told apart where they cross', () => {
    const stepUp = { acr: ['phrh'], maximumAgeSeconds: null };
    const { indistinct } = createPolicies([{ ...row('GET', '/{x}/b'), stepUp }, row('GET', '/a/{y}')]);
    expect(indistinct).not.toEqual([]);
  });

  it('say nothing about a row that demands something of its path', () => {
    const own = { ...row('GET', '/u/{id}', null), claims: [{ path: 'sub', values: ['{id}'] }] };
    const policies = createPolicies([own, row('GET', '/v1/x')]);
    expect(policies.byPath).toEqual(['GET /u/{id}']);
    expect(policies.indistinct).toEqual(['GET /u/{id} and itself: it demands something of the path or the message']);
  });

  it('at the front never cover health probes or own endpoints', () => {
    const document = createPolicies([row('GET', '/{x}'), row('GET', '/{x}/{y}', 'b')]).of(PREFIX, holding('a', 'b'));
    for (const path of ['/healthz', '/readyz', '/_authorizer', '/_authorizer/jwks.json']) {
      expect(allows(document, 'GET', path)).toBe(false);
    }
    expect(allows(document, 'GET', '/a')).toBe(true);
  });

  it('in a literal are escaped', () => {
    const document = createPolicies([row('GET', '/v1/a*b$')]).of(PREFIX, holding('a'));
    expect(allows(document, 'GET', '/v1/a*b$')).toBe(true);
    expect(allows(document, 'GET', '/v1/axxb$')).toBe(false);
    expect(allows(allowOnly(PREFIX, 'GET', 'v1/*'), 'GET', '/v1/other')).toBe(false);
  });

  it('stand for every name of one shape', () => {
    const document = createPolicies([row('GET', '/v1/{a}'), row('POST', '/v1/{b}')]).of(PREFIX, holding('a'));
    expect(allows(document, 'GET', '/v1/1')).toBe(true);
    expect(allows(document, 'POST', '/v1/1')).toBe(true);
  });

  it('that would cover another row make the table indistinct, and it says which rows', () => {
    const { indistinct } = createPolicies([row('GET', '/v1/jobs/{id}'), row('GET', '/v1/jobs/{id}/results')]);
    expect(indistinct).toContain('GET /v1/jobs/{…} and GET /v1/jobs/{…}/results');
  });
});

describe('limits', () => {
  it('of 512 characters a resource: the row is named', () => {
    const long = createPolicies([row('GET', `/v1/${'x'.repeat(480)}`)]);
    expect(() => long.of(PREFIX, () => true)).toThrow(PolicyTooLarge);
    expect(() => long.of(PREFIX, () => true)).toThrow(/\/v1\/xxx.*512/);
  });

  it('of 8 KB an answer: both figures are told', () => {
    const many = createPolicies(Array.from({ length: 120 }, (_, number) => row('POST', `/v1/things/${number}`)));
    expect(() => many.of(PREFIX, () => true)).toThrow(/policy of \d+ bytes.*8192/);
    expect(many.of(PREFIX, () => false)).toEqual(denyEverything(PREFIX));
  });
});

describe('for any table that is not indistinct', () => {
  const segment = fc.constantFrom('a', 'b', '{p}');
  const pattern = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
  const anyRow = fc.record({ method: fc.constantFrom('GET', 'POST'), pattern, scope: fc.constantFrom('s', 't', null) });
  const table = fc
    .uniqueArray(anyRow, { minLength: 1, maxLength: 5, selector: ({ method, pattern }) => `${method} ${pattern}` })
    .map((rows) => rows.map((made) => row(made.method, made.pattern, made.scope)));
  const path = fc
    .array(fc.constantFrom('a', 'b', 'c', '', '_authorizer', 'healthz'), { minLength: 1, maxLength: 4 })
    .map((segments) => `/${segments.join('/')}`);

  it('the policy grants exactly what the table grants, on every route at once', () => {
    let tried = 0;
    fc.assert(
      fc.property(
        table,
        fc.subarray(['s', 't']),
        fc.array(path, { minLength: 20, maxLength: 20 }),
        (rows, held, paths) => {
          const policies = createPolicies(rows);
          fc.pre(policies.indistinct.length === 0);
          tried++;
          const permitted = holding(...held);
          const judge = readPolicy(policies.of(PREFIX, permitted));
          const routes = createEndpointTable(rows);
          for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
            for (const candidate of paths) {
              const route = routes.route(method, candidate);
              const granted = route.found === 'endpoint' && permitted(route.endpoint);
              const verdict = judge(`${PREFIX}${method}${candidate}`);
              expect([method, candidate, verdict === 'allow']).toEqual([method, candidate, granted]);
            }
          }
        },
      ),
      { seed: 5, numRuns: 300 },
    );
    expect(tried).toBeGreaterThan(100);
  });
});
