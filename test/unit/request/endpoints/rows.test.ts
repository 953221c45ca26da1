import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEndpointRows } from '../../../../lib/request/endpoints/rows.ts';

const good = { method: 'GET', path: '/v1/items/{id}', scope: 'items', budget: 'read' };
function problemsOf(...rows: readonly unknown[]) {
  return parseEndpointRows(rows).problems;
}

describe('rows', () => {
  it('reads what the contract lists', () => {
    const rows = [good, { ...good, method: 'POST', scope: null, budget: 'heavy', action: 'make' }];
    expect(parseEndpointRows(rows)).toEqual({
      rows: [
        { method: 'GET', pattern: '/v1/items/{id}', scope: 'items', budget: 'read', action: null },
        { method: 'POST', pattern: '/v1/items/{id}', scope: null, budget: 'heavy', action: 'make' },
      ],
      problems: [],
    });
    expect(parseEndpointRows([])).toEqual({ rows: [], problems: [] });
  });

  it('reads lists of scopes, ways, issuers and claims; one entry may stand for a list', () => {
    const row = {
      ...good,
      scope: { any: ['a', 'b'] },
      auth: 'jwt',
      issuers: ['https://a.example/', 'https://b.example'],
      claims: { sub: '{id}', 'realm_access.roles': ['x', 'team-*'], level: 3, 'https://x.example/ok': true },
    };
    expect(parseEndpointRows([row, { ...good, path: '/all', scope: { all: 'a' } }])).toEqual({
      rows: [
        {
          method: 'GET',
          pattern: '/v1/items/{id}',
          scope: { any: ['a', 'b'] },
          budget: 'read',
          action: null,
          auth: ['jwt'],
          issuers: ['https://a.example/', 'https://b.example'],
          claims: [
            { path: 'sub', values: ['{id}'] },
            { path: 'realm_access.roles', values: ['x', 'team-*'] },
            { path: 'level', values: [3] },
            { path: 'https://x.example/ok', values: [true] },
          ],
        },
        { method: 'GET', pattern: '/all', scope: { all: ['a'] }, budget: 'read', action: null },
      ],
      problems: [],
    });
  });

  it.each(['/files/{path...}', '/{all...}', '/a/{b}/{c...}'])('takes the tail of %s', (path) => {
    expect(problemsOf({ ...good, path })).toEqual([]);
  });

  it.each(['/', '/v1/', '/{a}/{b}', '/a.b', '/x%20y', '/_authorizers'])('takes the pattern %s', (path) => {
    expect(problemsOf({ ...good, path })).toEqual([]);
  });
});

describe('one problem for each fault', () => {
  it.each([
    ['a method in lower case', { ...good, method: 'get' }, '"method" must be an HTTP method in upper case'],
    ['HEAD, which follows GET', { ...good, method: 'HEAD' }, 'write GET'],
    ['CONNECT', { ...good, method: 'CONNECT' }, 'never forwarded'],
    ['TRACE', { ...good, method: 'TRACE' }, 'never forwarded'],
    ['a missing scope: none is written null', { method: 'GET', path: '/a', budget: 'read' }, '"scope" must be'],
    ['an empty scope', { ...good, scope: '' }, '"scope" must be'],
    ['two scopes in one', { ...good, scope: 'a b' }, '"scope" must be'],
    ['two scopes in one, by comma', { ...good, scope: 'a,b' }, '"scope" must be'],
    ['a wildcard scope', { ...good, scope: '*' }, '"scope" must be'],
    ['a scope that is a list', { ...good, scope: ['a'] }, '"scope" must be'],
    ['a scope in the manner of a pattern', { ...good, scope: 'items:*' }, '"scope" must be'],
    ['alternatives in one text', { ...good, scope: 'a|b' }, '"scope" must be'],
    ['any of nothing', { ...good, scope: { any: [] } }, '"scope" must be'],
    ['any and all at once', { ...good, scope: { any: ['a'], all: ['b'] } }, '"scope" must be'],
    ['any scope', { ...good, scope: { any: ['a', '*'] } }, '"scope" must be'],
    ['a scope of another operator', { ...good, scope: { none: ['a'] } }, '"scope" must be'],
    ['a way that rows cannot choose', { ...good, auth: ['api_key'] }, '"auth" must be'],
    ['no way at all', { ...good, auth: [] }, '"auth" must be'],
    ['two issuers in one text', { ...good, issuers: 'https://a.example,https://b.example' }, '"issuers" must be'],
    ['a wildcard issuer', { ...good, issuers: ['https://*.example'] }, '"issuers" must be'],
    ['no claims', { ...good, claims: {} }, '"claims" must be'],
    ['claims that are a list', { ...good, claims: ['a'] }, '"claims" must be'],
    ['a claim that must be null', { ...good, claims: { a: null } }, '"claims" must be'],
    ['a claim that must be an object', { ...good, claims: { a: { b: 1 } } }, '"claims" must be'],
    ['a claim without values', { ...good, claims: { a: [] } }, '"claims" must be'],
    ['a wildcard inside a claim', { ...good, claims: { a: 'x*y' } }, '"claims" must be'],
    ['a reference inside a claim', { ...good, claims: { a: 'user-{id}' } }, '"claims" must be'],
    ['a claim path of another language', { ...good, claims: { '$.a': 'x' } }, '"claims" must be'],
    ['a reference to no name of the path', { ...good, claims: { a: '{job}' } }, 'a name that "path" does not have'],
    ['a wildcard segment', { ...good, path: '/v1/*' }, 'must not have `*`'],
    ['a wildcard in a segment', { ...good, path: '/v1/a*' }, 'must not have `*`'],
    ['a tail in the middle', { ...good, path: '/v1/{rest...}/x' }, 'as its last segment only'],
    ['a tail of one name with a segment', { ...good, path: '/{a}/{a...}' }, 'one name twice'],
    ['a budget nobody has', { ...good, budget: 'hvy' }, '"budget" must be "heavy", "read" or "none"; found "hvy"'],
    ['a member nobody knows', { ...good, budgets: 'read' }, 'unknown member "budgets"'],
    ['an action with spaces', { ...good, action: 'a b' }, '"action" must be'],
    ['a relative path', { ...good, path: 'v1/items' }, '"path" must be a path pattern'],
    ['a query', { ...good, path: '/v1/items?x' }, 'must not have a query'],
    ['a path of ours', { ...good, path: '/_authorizer/revocations' }, 'never forwarded'],
    ['the root of ours', { ...good, path: '/_authorizer' }, 'never forwarded'],
    ['a path of ours, encoded', { ...good, path: '/%5Fauthorizer/x' }, 'write "/_authorizer/x"'],
    ['a health path', { ...good, path: '/healthz' }, 'health path'],
    ['a dot segment', { ...good, path: '/v1/../x' }, 'can match no request (dot_segment)'],
    ['an empty segment', { ...good, path: '/v1//x' }, 'can match no request (empty_segment)'],
    ['a spelling that is not canonical', { ...good, path: '/{id}/%7ex' }, 'write "/{id}/~x"'],
    ['a name for a part of a segment', { ...good, path: '/v1/item-{id}' }, 'whole segment'],
    ['a name that is none', { ...good, path: '/v1/{}' }, 'whole segment'],
    ['a wildcard of another dialect', { ...good, path: '/v1/{id:.*}' }, 'whole segment'],
    ['one name twice', { ...good, path: '/{id}/{id}' }, 'one name twice'],
    ['too many segments', { ...good, path: '/a'.repeat(33) }, 'more than 32 segments'],
  ])('%s', (_what, row, problem) => {
    const { rows, problems } = parseEndpointRows([row]);
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]).toMatch(/^row 1: /);
    expect(rows).toEqual([]);
  });

  it('two tails that match the same requests', () => {
    const tail = (name: string) => ({ ...good, path: `/f/{${name}...}` });
    expect(problemsOf(tail('a'), tail('b'), { ...good, path: '/f/{a}' })).toEqual([
      'row 2: matches the same requests as row 1',
    ]);
  });

  it('two rows that match the same requests', () => {
    expect(problemsOf(good, { ...good, path: '/v1/items/{item}' })).toEqual([
      'row 2: matches the same requests as row 1',
    ]);
  });

  it('every fault of every row at once', () => {
    expect(problemsOf({ ...good, budget: 1, scope: 2 }, good, { ...good, method: '' })).toHaveLength(3);
  });

  it('a member called __proto__', () => {
    const row = JSON.parse('{"method":"GET","path":"/a","scope":null,"budget":"read","__proto__":{"own":true}}');
    const { problems } = parseEndpointRows([row]);
    expect(problems).toEqual(['row 1: unknown member "__proto__"']);
  });

  it.each([undefined, null, {}, '[]', { 0: 1 }])('%j is no list of rows', (document) => {
    expect(parseEndpointRows(document)).toEqual({ rows: [], problems: ['is not a JSON array of rows'] });
  });

  it.each([1, null, 'GET /', [good]])('%j is no row', (row) => {
    expect(problemsOf(row)).toEqual(['row 1: is not an object']);
  });

  it('more rows than anybody needs', () => {
    expect(problemsOf(...Array.from({ length: 2001 }, () => good))).toEqual([
      'has 2001 rows; at most 2000 are accepted',
    ]);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        parseEndpointRows(value);
        parseEndpointRows([value]);
      }),
      { seed: 20_260_104, numRuns: 500 },
    );
  });
});
