import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../lib/policy/load.ts';
import { type ImportSettings, importDescription } from '../../../lib/policy/openapi/import.ts';

const settings: ImportSettings = { basePath: null, heavy: [] };

function description(changes: object): string {
  return JSON.stringify({ openapi: '3.1.0', info: { title: 't', version: '1' }, paths: {}, ...changes });
}

const schemes = {
  components: {
    securitySchemes: {
      oauth: { type: 'oauth2', flows: {} },
      oidc: { type: 'openIdConnect', openIdConnectUrl: 'https://issuer.example/x' },
      bearer: { type: 'http', scheme: 'Bearer' },
      basic: { type: 'http', scheme: 'basic' },
      key: { type: 'apiKey', in: 'header', name: 'x' },
      cert: { type: 'mutualTLS' },
    },
  },
};

async function rowFor(security: unknown, operation: object = {}) {
  const paths = { '/items/{item-id}': { get: { security, ...operation } } };
  const { policy, notes } = await importDescription(description({ ...schemes, paths }), settings);
  return { row: policy.endpoints[0], notes };
}

describe('the description of the TGEFD service', () => {
  test('gives the preset', async () => {
    const text = readFileSync(new URL('./tgefd-openapi.json', import.meta.url), 'utf8');
    const { policy } = await importDescription(text, settings);
    const rows = (document: string | null) => {
      const loaded = loadPolicy(document, {
        TGEFD_AUTH_MODE: 'jwt',
        TGEFD_ENV: 'development',
        TGEFD_JWT_SECRET: 'x'.repeat(32),
      });
      return loaded.ok ? loaded.config.documents.endpoints : loaded.problems;
    };
    expect(rows(JSON.stringify(policy))).toEqual(rows(null));
  });
});

describe('security requirements', () => {
  test.each<[string, unknown, unknown]>([
    ['one scope', [{ oauth: ['read'] }], 'read'],
    ['several scopes of one requirement', [{ oauth: ['read', 'write'] }], { all: ['read', 'write'] }],
    ['alternatives of one scope each', [{ oauth: ['read'] }, { oidc: ['admin'] }], { any: ['read', 'admin'] }],
    ['a bearer token without scopes', [{ bearer: [] }], null],
  ])('%s', async (_, security, scope) => {
    expect((await rowFor(security)).row).toMatchObject({ method: 'GET', path: '/items/{item_id}', scope });
  });

  test('never becomes weaker where a row cannot say it', async () => {
    const { row, notes } = await rowFor([{ oauth: ['a', 'b'] }, { oauth: ['c'] }]);
    expect(row?.scope).toEqual({ all: ['a', 'b', 'c'] });
    expect(notes.join()).toContain('which a row cannot say');
  });

  test('certificates become a way of their own where tokens are known too', async () => {
    expect((await rowFor([{ cert: [] }])).row).toMatchObject({ auth: ['mtls'] });
    expect((await rowFor([{ oauth: ['a'] }])).row).toMatchObject({ auth: ['jwt'] });
    expect((await rowFor([{ oauth: ['a'] }, { cert: [] }])).row).not.toHaveProperty('auth');
  });

  test.each<[string, unknown, string]>([
    ['nothing is said', undefined, 'says nothing about security'],
    ['it is open', [], 'open to everybody'],
    ['it may be open', [{}, { oauth: ['a'] }], 'open to everybody'],
    ['only basic authentication', [{ basic: [] }], 'not known here'],
    ['only an API key', [{ key: [] }], 'not known here'],
  ])('%s: any authenticated caller, and a note', async (_, security, note) => {
    const { row, notes } = await rowFor(security);
    expect(row?.scope).toBeNull();
    expect(notes.join('\n')).toContain(note);
  });
});

describe('paths', () => {
  const rows = async (changes: object, further = settings) =>
    (await importDescription(description(changes), further)).policy.endpoints.map(
      ({ method, path, budget }) => `${method} ${path} ${budget}`,
    );

  test('every base path of the servers has its rows', async () => {
    const servers = [{ url: 'https://a.example/v1/' }, { url: '/{base}', variables: { base: { default: 'v2' } } }];
    expect(await rows({ servers, paths: { '/a': { get: {} } } })).toEqual(['GET /v1/a read', 'GET /v2/a read']);
    expect(await rows({ servers, paths: { '/a': { get: {} } } }, { basePath: '/x', heavy: [] })).toEqual([
      'GET /x/a read',
    ]);
  });

  test('the nearest servers win', async () => {
    const paths = { '/a': { servers: [{ url: '/p' }], get: { servers: [{ url: '/o' }] }, put: {} } };
    expect(await rows({ servers: [{ url: '/s' }], paths })).toEqual(['GET /o/a read', 'PUT /p/a read']);
  });

  test('budgets come from the command, and first from the description', async () => {
    const paths = { '/a': { get: {}, post: {}, put: { 'x-tgefd-budget': 'none' } }, '/heavy/b': { get: {} } };
    expect(await rows({ paths }, { basePath: null, heavy: ['POST', 'PUT', 'GET /heavy/*'] })).toEqual([
      'GET /a read',
      'PUT /a none',
      'POST /a heavy',
      'GET /heavy/b heavy',
    ]);
  });

  test('references to path items are followed within the description', async () => {
    const components = { pathItems: { item: { get: { operationId: 'readItem' } } } };
    const { policy } = await importDescription(
      description({ components, paths: { '/a': { $ref: '#/components/pathItems/item' } } }),
      settings,
    );
    expect(policy.endpoints).toMatchObject([{ method: 'GET', path: '/a', action: 'read_item' }]);
  });

  test('what no row can say is named and left out', async () => {
    const paths = { '/files/{name}.json': { get: {} }, '/ok': { head: {}, get: {} }, '/a//b': { get: {} } };
    const { policy, notes } = await importDescription(description({ paths }), settings);
    expect(policy.endpoints.map(({ path }) => path)).toEqual(['/ok']);
    expect(notes.filter((note) => note.includes('is left out'))).toHaveLength(3);
  });
});

describe('bad descriptions end in one sentence', () => {
  test.each<[string, string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['Swagger 2.0', JSON.stringify({ swagger: '2.0', paths: {} })],
    ['no paths', JSON.stringify({ openapi: '3.0.3' })],
    [
      'a reference in a circle',
      description({
        components: { pathItems: { a: { $ref: '#/components/pathItems/b' }, b: { $ref: '#/components/pathItems/a' } } },
        paths: { '/a': { $ref: '#/components/pathItems/a' } },
      }),
    ],
    ['a reference to nothing', description({ paths: { '/a': { $ref: '#/components/pathItems/none' } } })],
  ])('%s', async (_, text) => {
    await expect(importDescription(text, settings)).rejects.toMatchObject({ code: 'description_unreadable' });
  });

  test('a reference to a URL or a file is not followed', async () => {
    const paths = { '/a': { $ref: 'http://127.0.0.1:9/x.json' }, '/b': { $ref: './passwd' }, '/c': { get: {} } };
    const { policy, notes } = await importDescription(description({ paths }), settings);
    expect(policy.endpoints.map(({ path }) => path)).toEqual(['/c']);
    expect(notes.filter((note) => note.includes('not read'))).toHaveLength(2);
  });

  test('names of prototypes are names like any other', async () => {
    const text = `{"openapi":"3.1.0","paths":{"/__proto__":{"get":{"security":[{"__proto__":["x"]}]}}}}`;
    const { policy } = await importDescription(text, settings);
    expect(policy.endpoints).toMatchObject([{ path: '/__proto__', scope: null }]);
  });
});
