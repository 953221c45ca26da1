import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../lib/decision/request.ts';
import { tgefdEndpoints } from '../../../../lib/presets/tgefd.ts';
import type { EndpointRow } from '../../../../lib/request/endpoints/row-schema.ts';
import { mergeEndpoints } from '../../../../lib/request/endpoints/rows.ts';
import { createEndpointTable, ownEndpoints } from '../../../../lib/request/endpoints/table.ts';

const SCOPES = { discover: 'd', evaluate: 'e', jobs: 'j', metrics: 'm', revoke: 'r' };
const DEFAULTS = [...tgefdEndpoints(SCOPES), ...ownEndpoints(SCOPES, false)];
function row(method: string, pattern: string, more: Partial<EndpointRow> = {}): EndpointRow {
  return {
    method,
    pattern,
    scope: null,
    budget: 'none',
    action: null,
    ...more,
  };
}
function tableOf(...patterns: readonly string[]) {
  return createEndpointTable(
    mergeEndpoints(
      [],
      patterns.map((pattern) => {
        const [method = '', path = ''] = pattern.split(' ');
        return row(method, path);
      }),
    ),
  );
}
function found(table: ReturnType<typeof createEndpointTable>, method: string, path: string) {
  const route = table.route(method, path);
  if (route.found === 'endpoint') return `${route.endpoint.method} ${route.endpoint.pattern}`;
  return route.found === 'other_methods' ? route.allow.join(', ') : null;
}

describe('the default table', () => {
  const table = createEndpointTable(DEFAULTS);
  const answer = (method: string, path: string) => {
    const route = table.route(method, path);
    return route.found === 'endpoint'
      ? ([route.endpoint.action, route.endpoint.scope, route.endpoint.budget, route.endpoint.own] as const)
      : route.found;
  };

  it.each([
    ['POST', '/v1/discover', ['discover', 'd', 'heavy', false]],
    ['POST', '/v1/discover_async', ['discover_async', 'd', 'heavy', false]],
    ['POST', '/v1/evaluate', ['evaluate', 'e', 'heavy', false]],
    ['POST', '/v1/evaluate_async', ['evaluate_async', 'e', 'heavy', false]],
    ['GET', '/v1/jobs/17', ['jobs', 'j', 'read', false]],
    ['HEAD', '/v1/jobs/17', ['jobs', 'j', 'read', false]],
    ['GET', '/v1/metrics', ['metrics', 'm', 'read', false]],
    ['GET', '/metrics', ['metrics', 'm', 'read', false]],
    ['POST', '/_authorizer/revocations', ['revocations', 'r', 'none', true]],
    ['GET', '/_authorizer/revocations/jti/x', ['revocations', 'r', 'none', true]],
    ['DELETE', '/_authorizer/revocations/jti/x', ['revocations', 'r', 'none', true]],
  ])('%s %s', (method, path, expected) => {
    expect(answer(method, path)).toEqual(expected);
  });

  it.each([
    '/',
    '/v1',
    '/v1/discover/',
    '/v1/Discover',
    '/v1/jobs',
    '/v1/jobs/',
    '/v1/jobs/17/',
    '/v1/jobs/17/result',
    '/healthz',
    '/readyz',
    '/_authorizer/check',
    '/__proto__',
    '/constructor',
    '/v1/__proto__',
    '/v1/jobs/__proto__/x',
  ])('%s is no endpoint', (path) => {
    expect(answer('GET', path)).toBe('nothing');
  });

  it.each([
    ['GET', '/v1/discover', ['POST']],
    ['DELETE', '/v1/jobs/17', ['GET', 'HEAD']],
    ['post', '/v1/discover', ['POST']],
    ['constructor', '/v1/metrics', ['GET', 'HEAD']],
    ['', '/metrics', ['GET', 'HEAD']],
    ['PATCH', '/_authorizer/revocations/jti/x', ['DELETE', 'GET', 'HEAD']],
    ['POST', '/healthz', ['GET', 'HEAD']],
    ['OPTIONS', '/readyz', ['GET', 'HEAD']],
  ])('%s %s is another method', (method, path, allow) => {
    expect(table.route(method, path)).toMatchObject({ found: 'other_methods', allow });
  });

  it('names the pattern also where only the method is wrong', () => {
    expect(table.route('PUT', '/v1/jobs/17')).toMatchObject({ pattern: '/v1/jobs/{job_id}' });
  });
});

describe('matching', () => {
  it('lets a literal segment beat a name, from the left', () => {
    const table = tableOf('GET /a/{x}', 'GET /a/b', 'GET /{y}/c', 'GET /a/{x}/{z}', 'GET /{y}/b/c');
    expect(found(table, 'GET', '/a/b')).toBe('GET /a/b');
    expect(found(table, 'GET', '/a/c')).toBe('GET /a/{x}');
    expect(found(table, 'GET', '/q/c')).toBe('GET /{y}/c');
    expect(found(table, 'GET', '/a/b/c')).toBe('GET /a/{x}/{z}');
    expect(found(table, 'GET', '/q/b/c')).toBe('GET /{y}/b/c');
  });

  it('goes back to a name where a literal led nowhere', () => {
    const table = tableOf('GET /a/x/1', 'GET /{n}/y/{m}');
    expect(found(table, 'GET', '/a/y/2')).toBe('GET /{n}/y/{m}');
    expect(found(table, 'GET', '/a/x/2')).toBeNull();
  });

  it('looks among the rows of the method: a narrower pattern of another method stands in no way', () => {
    const table = tableOf('GET /jobs/{id}', 'POST /jobs/search');
    expect(found(table, 'GET', '/jobs/search')).toBe('GET /jobs/{id}');
    expect(found(table, 'HEAD', '/jobs/search')).toBe('GET /jobs/{id}');
    expect(found(table, 'POST', '/jobs/search')).toBe('POST /jobs/search');
    expect(found(table, 'POST', '/jobs/17')).toBe('GET, HEAD');
    expect(found(table, 'PUT', '/jobs/search')).toBe('GET, HEAD, POST');
  });

  it('takes a tail for one or more segments, after names and literals', () => {
    const table = tableOf('GET /f/{path...}', 'GET /f/{name}', 'GET /f/a', 'PUT /f/{rest...}', 'GET /f/{name}/meta');
    expect(found(table, 'GET', '/f/a')).toBe('GET /f/a');
    expect(found(table, 'GET', '/f/b')).toBe('GET /f/{name}');
    expect(found(table, 'GET', '/f/a/meta')).toBe('GET /f/{name}/meta');
    expect(found(table, 'GET', '/f/a/b')).toBe('GET /f/{path...}');
    expect(found(table, 'GET', '/f/a/meta/x')).toBe('GET /f/{path...}');
    expect(found(table, 'PUT', '/f/a')).toBe('PUT /f/{rest...}');
    expect(found(table, 'DELETE', '/f/a/b')).toBe('GET, HEAD, PUT');
    expect(found(table, 'GET', '/f/a/b/')).toBe('GET /f/{path...}');
    for (const path of ['/f', '/f/', '/g/a']) expect(found(table, 'GET', path)).toBeNull();
  });

  it('never lets a tail reach our own endpoints or the health paths', () => {
    const table = createEndpointTable([
      ...mergeEndpoints([], [row('GET', '/{all...}'), row('POST', '/{all...}')]),
      ...ownEndpoints(SCOPES, false),
    ]);
    for (const path of ['/_authorizer', '/_authorizer/x/y', '/healthz']) expect(found(table, 'GET', path)).toBeNull();
    expect(found(table, 'POST', '/healthz')).toBe('GET, HEAD');
    expect(found(table, 'PUT', '/_authorizer/revocations')).toBe('DELETE, GET, HEAD, POST');
    expect(found(table, 'GET', '/x/_authorizer/y')).toBe('GET /{all...}');
  });

  it('gathers the methods of rows that name a segment differently', () => {
    const table = tableOf('GET /jobs/{id}', 'DELETE /jobs/{job}');
    expect(found(table, 'DELETE', '/jobs/1')).toBe('DELETE /jobs/{job}');
    expect(found(table, 'PUT', '/jobs/1')).toBe('DELETE, GET, HEAD');
  });

  it('takes a name for exactly one non-empty segment', () => {
    const table = tableOf('GET /{a}/{b}');
    expect(found(table, 'GET', '/x/y')).toBe('GET /{a}/{b}');
    for (const path of ['/x', '/x/', '/x/y/', '/x/y/z', '/']) expect(found(table, 'GET', path)).toBeNull();
  });

  it('keeps a trailing slash apart', () => {
    const table = tableOf('GET /a/', 'GET /{n}');
    expect(found(table, 'GET', '/a/')).toBe('GET /a/');
    expect(found(table, 'GET', '/a')).toBe('GET /{n}');
    expect(found(table, 'GET', '/b/')).toBeNull();
  });

  it('never lets a name reach our own endpoints or the health paths', () => {
    const table = tableOf('GET /{a}', 'GET /{a}/{b}', 'POST /{a}/{b}');
    for (const path of ['/_authorizer', '/_authorizer/jwks.json', '/healthz', '/readyz'])
      expect(found(table, 'GET', path)).toBeNull();
    expect(found(table, 'GET', '/x/_authorizer')).toBe('GET /{a}/{b}');
  });

  it('visits no more than the table holds, however a path is made', () => {
    const depth = 14;
    const patterns: string[] = [];
    for (let mask = 0; mask < 2 ** 8; mask++)
      patterns.push(
        `GET /${Array.from({ length: depth }, (_, i) => ((mask >> i) & 1 ? 'a' : `{n${i}}`)).join('/')}/end`,
      );
    const table = tableOf(...patterns);
    expect(found(table, 'GET', `/${'a/'.repeat(depth)}other`)).toBeNull();
    expect(found(table, 'GET', `/${'a/'.repeat(4000)}`)).toBeNull();
  });

  it('answers like a search through all rows, by specificity from the left', () => {
    const segment = fc.constantFrom('a', 'b', '{n}', '{m}');
    const pattern = fc
      .tuple(
        fc.constantFrom('GET', 'PUT'),
        fc.array(segment, { minLength: 0, maxLength: 4 }),
        fc.constantFrom('a', '{n}', '{r...}'),
      )
      .map(([method, segments, last]) => `${method} /${[...segments, last].join('/')}`);
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 });
    const rank = (candidate: string) => candidate.replace(/\{r\.\.\.\}/g, '~~').replace(/\{[^}]*\}/g, '~');
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { selector: rank, maxLength: 14 }), path, (patterns, segments) => {
        const matching = patterns.filter((candidate) => {
          const parts = (candidate.split(' ')[1] ?? '').slice(1).split('/');
          const open = parts.at(-1) === '{r...}';
          return (
            (open ? parts.length <= segments.length : parts.length === segments.length) &&
            parts.every((part, i) => part.startsWith('{') || part === segments[i])
          );
        });
        const ofMethod = matching.filter((candidate) => candidate.startsWith('GET'));
        const [best] = ofMethod.sort((one, other) => (rank(one) < rank(other) ? -1 : 1));
        const expected = best ?? (matching.length > 0 ? 'PUT' : null);
        expect(found(tableOf(...patterns), 'GET', `/${segments.join('/')}`)).toBe(expected);
      }),
      { seed: 20_260_103, numRuns: 500 },
    );
  });
});

describe('merging', () => {
  const defaults = DEFAULTS;
  const byPattern = (rows: readonly Endpoint[], pattern: string) =>
    rows.filter((endpoint) => endpoint.pattern === pattern);

  it('puts a row in the place of the one of its shape, and keeps that one’s action', () => {
    const rows = mergeEndpoints(defaults, [row('GET', '/v1/jobs/{id}', { scope: 'x', budget: 'read' })]);
    expect(rows).toHaveLength(defaults.length);
    expect(byPattern(rows, '/v1/jobs/{id}')).toEqual([
      { action: 'jobs', method: 'GET', pattern: '/v1/jobs/{id}', scope: 'x', budget: 'read', own: false },
    ]);
  });

  it('adds what is new under an action made of method and pattern', () => {
    const rows = mergeEndpoints(defaults, [row('PUT', '/v2/items/{id}'), row('GET', '/', { action: 'home' })]);
    expect(rows.slice(defaults.length).map(({ action }) => action)).toEqual(['put_v2_items_id', 'home']);
  });
});
