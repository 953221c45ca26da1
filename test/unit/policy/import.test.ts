import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../lib/policy/load.ts';
import { type ImportSettings, importDescription } from '../../../lib/policy/openapi/import.ts';
import { noteLines } from '../../../lib/policy/openapi/notes.ts';

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

async function imported(changes: object) {
  const { policy, notes } = await importDescription(description(changes), settings);
  return { rows: policy.endpoints, notes: notes.map(({ at, text }) => `${at}: ${text}`) };
}

async function rowFor(security: unknown, operation: object = {}) {
  const { rows, notes } = await imported({
    ...schemes,
    paths: { '/items/{item-id}': { get: { security, ...operation } } },
  });
  return { row: rows[0], notes };
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

  test('a certificate without a scope does not open the row to tokens without one', async () => {
    const { row, notes } = await rowFor([{ oauth: ['read'] }, { cert: [] }]);
    expect(row?.scope).toBe('read');
    expect(notes.join()).toContain('certificates need the scope too');
    expect((await rowFor([{ oauth: ['read'] }, { bearer: [] }])).row?.scope).toBeNull();
  });

  test('an API key beside a token leaves the token’s scope, and a note', async () => {
    const { row, notes } = await rowFor([{ oauth: ['read'] }, { key: [] }]);
    expect(row?.scope).toBe('read');
    expect(notes.join()).toContain('accepts key (API key), which no row can demand');
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
    ['only basic authentication', [{ basic: [] }], 'accepts only basic (HTTP basic)'],
    [
      'only an API key or a password',
      [{ key: [] }, { basic: [] }],
      'accepts only key (API key) and basic (HTTP basic)',
    ],
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
    const { rows, notes } = await imported({
      paths: { '/<upload_url>': { get: {} }, '/ok': { head: {}, get: {} }, '/a//b': { get: {} } },
    });
    expect(rows.map(({ path }) => path)).toEqual(['/ok']);
    expect(notes.filter((note) => note.includes('is left out'))).toHaveLength(3);
  });

  test.each<[template: string, path: string, note: string]>([
    ['/Calls/{Sid}.json', '/Calls/{Sid}', '`{Sid}.json` becomes {Sid}'],
    ['/repos/{base}...{head}', '/repos/{base_head}', 'becomes {base_head}'],
    ['/jobs/{id}:cancel', '/jobs/{id}', '`{id}:cancel` becomes {id}'],
    ['/files/{file_id}#add_shared_link', '/files/{file_id}', 'what follows #'],
    ['/responses?beta=true', '/responses', 'its query'],
  ])('%s becomes the row of %s, with a note', async (template, path, note) => {
    const { rows, notes } = await imported({ paths: { [template]: { get: {} } } });
    expect(rows.map((row) => row.path)).toEqual([path]);
    expect(notes.join()).toContain(note);
  });

  test.each<[name: string, first: unknown, second: unknown, row: object | null]>([
    ['the same scope', [{ oauth: ['a'] }], [{ oauth: ['a'] }], { scope: 'a' }],
    ['two scopes', [{ oauth: ['a'] }], [{ oauth: ['b'] }], { scope: { all: ['a', 'b'] } }],
    ['a scope and none', [{ oauth: [] }], [{ oauth: ['b'] }], { scope: 'b' }],
    ['none and a scope', [{ oauth: ['b'] }], [{ oauth: [] }], { scope: 'b' }],
    ['a token and a certificate', [{ oauth: ['a'] }], [{ cert: [] }], null],
  ])('operations that share a path demand what both demand: %s', async (_, first, second, row) => {
    const paths = { '/a/{id}': { get: { security: first } }, '/a/{id}.pdf': { get: { security: second } } };
    const { rows, notes } = await imported({ ...schemes, paths });
    expect(rows).toMatchObject(row === null ? [] : [row]);
    expect(notes.join()).toMatch(row === null ? /is left out, with others/ : /has the shape of/);
  });

  test('an operation that refers to another file is left out, since its security is not known', async () => {
    const paths = { '/a': { get: { $ref: 'resources/a.yml' }, put: {} } };
    const { rows, notes } = await imported({ ...schemes, security: [{ bearer: [] }], paths });
    expect(rows.map(({ method }) => method)).toEqual(['PUT']);
    expect(notes.join()).toContain('GET /a: is left out: it refers to another file or URL');
  });
});

describe('notes for people', () => {
  test('name three operations of many for which the same is true', () => {
    const notes = [1, 2, 3, 4].map((number) => ({ at: `GET /${number}`, text: 'is open' }));
    expect(noteLines([...notes, { at: 'GET /x', text: 'is left out' }])).toEqual([
      '4 operations (GET /1, GET /2, GET /3, …): is open',
      'GET /x: is left out',
    ]);
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
    const { rows, notes } = await imported({ paths });
    expect(rows.map(({ path }) => path)).toEqual(['/c']);
    expect(notes.filter((note) => note.includes('not read'))).toHaveLength(2);
  });

  test('names of prototypes are names like any other', async () => {
    const text = `{"openapi":"3.1.0","paths":{"/__proto__":{"get":{"security":[{"__proto__":["x"]}]}}}}`;
    const { policy } = await importDescription(text, settings);
    expect(policy.endpoints).toMatchObject([{ path: '/__proto__', scope: null }]);
  });
});
