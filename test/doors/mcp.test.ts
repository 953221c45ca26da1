import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const VERSION = '2026-07-28';
const rows = [
  { mcp: { method: 'tools/list' }, scope: null },
  { mcp: { method: 'tools/call' }, scope: 'discover' },
  { mcp: { method: 'tools/call', name: 'delete_*' }, scope: 'evaluate' },
  { mcp: { method: 'resources/read', name: 'file:///public/*' }, scope: null },
  { mcp: { method: 'initialize' }, scope: null },
].map((row) => ({ method: 'POST', path: '/echo/mcp', budget: 'none', ...row }));
const open = { method: 'POST', path: '/echo/open', scope: null, budget: 'none' };
const endpoints = [...rows, { ...open, mcp: { method: 'tools/call' }, scope: 'discover' }, open];

let issuer: Issuer;
let upstream: Upstream;
let doors: Record<string, StartedDoor>;
let reader: string;
let writer: string;

beforeAll(async () => {
  [issuer, upstream] = await Promise.all([startIssuer(), startUpstream()]);
  const environment = {
    ...jwtEnvironment(issuer),
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_ENDPOINTS: JSON.stringify(endpoints),
    TGEFD_PRESET: 'none',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_RESOURCE: 'https://api.example.com/echo/mcp',
  };
  const [node, worker, legacy, nginx] = await Promise.all([
    startNodeDoor(environment),
    startWorkerDoor(environment),
    startNodeDoor({ ...environment, TGEFD_MCP_LEGACY: 'true' }),
    startNodeDoor({ ...environment, TGEFD_FORWARD_AUTH: 'nginx' }),
  ]);
  doors = { Node: node, Worker: worker, legacy, nginx };
  reader = await issuer.token({ scope: 'discover' });
  writer = await issuer.token({ scope: 'discover evaluate' });
});
afterAll(() => Promise.all([...Object.values(doors ?? {}), issuer, upstream].map((part) => part?.stop())));

type Fields = Record<string, string | undefined>;
interface Call {
  readonly door: string;
  readonly fields?: Fields;
  readonly body?: unknown;
  readonly token?: string | null;
  readonly path?: string;
}

const called = (name: string, method = 'tools/call') => ({ jsonrpc: '2.0', id: 1, method, params: { name } });
const fieldsOf = (name?: string, method = 'tools/call'): Fields => ({
  'mcp-protocol-version': VERSION,
  'mcp-method': method,
  ...(name === undefined ? {} : { 'mcp-name': name }),
});

async function call({ door, fields = fieldsOf('search'), body = called('search'), token = writer, path }: Call) {
  const given = { 'content-type': 'application/json', authorization: token && `Bearer ${token}`, ...fields };
  const headers = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] != null),
  );
  const response = await fetch(`${doors[door]?.url}${path ?? '/echo/mcp'}`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text), headers: response.headers };
}

describe.each(['Node', 'Worker'])('messages of MCP through %s', (door) => {
  test('pass whole, by the row that they name', async () => {
    const body = called('search');
    const answer = await call({ door, body });
    expect(answer.status).toBe(200);
    const [received] = upstream.received.slice(-1);
    expect(received?.bodyBytes).toBe(JSON.stringify(body).length);
    expect(received?.fields.find(([name]) => name.toLowerCase() === 'content-length')?.[1]).toBe(
      String(received?.bodyBytes),
    );
    expect(
      (await call({ door, fields: fieldsOf(undefined, 'tools/list'), body: called('x', 'tools/list') })).status,
    ).toBe(200);
  });

  test('are asked for the scope of the most specific row', async () => {
    const answer = await call({ door, fields: fieldsOf('delete_user'), body: called('delete_user'), token: reader });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer realm="tgefd", error="insufficient_scope", scope="evaluate", ' +
        'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/echo/mcp"',
    );
    expect((await call({ door, fields: fieldsOf('delete_user'), body: called('delete_user') })).status).toBe(200);
    expect((await call({ door, token: reader })).status).toBe(200);
  });

  test('without credentials are 401 with the scope of their row, also with fields that are wrong', async () => {
    const answer = await call({ door, token: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('scope="discover"');
    expect((await call({ door, token: null, fields: {} })).status).toBe(401);
  });

  test.each<[string, Fields, unknown, number]>([
    ['another method in the body', fieldsOf('search', 'tools/list'), called('search'), -32020],
    ['another name in the body', fieldsOf('search'), called('delete_user'), -32020],
    [
      'another version in the body',
      fieldsOf('search'),
      {
        ...called('search'),
        params: { name: 'search', _meta: { 'io.modelcontextprotocol/protocolVersion': '2025-11-25' } },
      },
      -32020,
    ],
    ['the method in another letter case', fieldsOf('search', 'TOOLS/CALL'), called('search'), -32020],
    ['no method', { ...fieldsOf('search'), 'mcp-method': undefined }, called('search'), -32020],
    ['no name', fieldsOf(), called('search'), -32020],
    ['a name that is decoded otherwise', fieldsOf('=?base64?c2VhcmNoMg==?='), called('search'), -32020],
    ['a name that cannot be decoded', fieldsOf('=?base64?c2VhcmNo=?='), called('search'), -32020],
    [
      'a dot segment in a name',
      fieldsOf('file:///public/../etc/passwd', 'resources/read'),
      { method: 'resources/read', params: { uri: 'file:///public/../etc/passwd' } },
      -32020,
    ],
    ['no version', { ...fieldsOf('search'), 'mcp-protocol-version': undefined }, called('search'), -32020],
    ['an unknown version', { ...fieldsOf('search'), 'mcp-protocol-version': '2099-01-01' }, called('search'), -32022],
    ['an earlier version', { ...fieldsOf('search'), 'mcp-protocol-version': '2025-11-25' }, called('search'), -32022],
    [
      'a member twice',
      fieldsOf('search'),
      '{"method":"tools/call","params":{"name":"search","name":"delete_user"}}',
      -32700,
    ],
    ['a batch', fieldsOf('search'), [called('search')], -32700],
    [
      'a charset that hides quotation marks',
      { ...fieldsOf('search'), 'content-type': 'application/json; charset=utf-7' },
      called('search'),
      -32700,
    ],
    ['no message', fieldsOf('search'), { id: 1 }, -32600],
  ])('are refused with %s', async (_, fields, body, code) => {
    const before = upstream.counts.begun;
    const answer = await call({ door, fields, body });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'request_invalid', jsonrpc: '2.0', id: null, error: { code } });
    expect(upstream.counts.begun).toBe(before);
  });

  test('tell the versions that are served', async () => {
    const answer = await call({ door, fields: { ...fieldsOf('search'), 'mcp-protocol-version': '2099-01-01' } });
    expect(answer.body.error.data).toEqual({ supported: [VERSION], requested: '' });
  });

  test('are read up to 1 MiB', async () => {
    const padded = (bytes: number) => `${JSON.stringify(called('search'))}${' '.repeat(bytes)}`.slice(0, bytes);
    expect((await call({ door, body: padded(1024 * 1024) })).status).toBe(200);
    expect((await call({ door, body: padded(1024 * 1024 + 1) })).status).toBe(413);
  });

  test('that no row takes are 404, and go by the row without messages where there is one', async () => {
    const message = { fields: fieldsOf(undefined, 'prompts/list'), body: { method: 'prompts/list' } };
    expect((await call({ door, ...message })).body).toMatchObject({
      status: 404,
      code: 'endpoint_unknown',
      jsonrpc: '2.0',
      error: { code: -32601, message: 'Method not found' },
    });
    const other = { fields: fieldsOf('file:///private', 'resources/read'), body: called('x', 'resources/read') };
    expect(
      (await call({ door, ...other, body: { ...other.body, params: { uri: 'file:///private' } } })).body,
    ).toMatchObject({
      status: 404,
      error: { code: -32602, message: 'Invalid params: unknown name' },
    });
    expect((await call({ door, ...message, path: '/echo/open' })).status).toBe(200);
    const without = await issuer.token({ scope: '' });
    expect((await call({ door, path: '/echo/open', token: without })).status).toBe(403);
    expect((await call({ door, path: '/echo/open', fields: {} })).status).toBe(400);
  });

  test('with a field twice are refused', async () => {
    const body = JSON.stringify(called('search'));
    const fields = ['mcp-protocol-version: 2026-07-28', 'mcp-method: tools/call', 'mcp-name: search'];
    for (const twice of fields) {
      const all = [`Host: x`, `Authorization: Bearer ${writer}`, ...fields, twice, `Content-Length: ${body.length}`];
      const answer = await requestRaw(doors[door]?.port ?? 0, 'POST /echo/mcp HTTP/1.1', all, body);
      expect(answer.status, twice).toBe(400);
    }
  });
});

describe('messages of MCP where the body is not seen', () => {
  const ask = (fields: Fields, token = writer) => {
    const asked = {
      'x-original-method': 'POST',
      'x-original-uri': '/echo/mcp',
      authorization: `Bearer ${token}`,
      ...fields,
    };
    const headers = Object.fromEntries(
      Object.entries(asked).filter((entry): entry is [string, string] => entry[1] != null),
    );
    return fetch(`${doors.nginx?.url}/_authorizer/check`, { headers });
  };

  test('go by their fields', async () => {
    expect((await ask(fieldsOf('search'), reader)).status).toBe(200);
    const refused = await ask(fieldsOf('delete_user'), reader);
    expect([refused.status, refused.headers.get('x-tgefd-status')]).toEqual([403, '403']);
    expect(refused.headers.get('www-authenticate')).toContain('scope="evaluate"');
    expect((await ask(fieldsOf('delete_user'))).status).toBe(200);
  });

  test.each<[string, Fields]>([
    ['no fields', {}],
    ['no name', fieldsOf()],
    ['a revision whose fields nobody compares', { ...fieldsOf('search'), 'mcp-protocol-version': '2025-11-25' }],
  ])('are refused with %s', async (_, fields) => {
    const refused = await ask(fields);
    expect([refused.status, refused.headers.get('x-tgefd-status')]).toEqual([403, '400']);
  });
});

describe('messages of earlier revisions', () => {
  const door = 'legacy';
  const of = (version: string): Fields => ({ 'mcp-protocol-version': version });

  test('go by their body', async () => {
    for (const version of ['2025-11-25', '2025-06-18']) {
      expect((await call({ door, fields: of(version), token: reader })).status).toBe(200);
      const refused = await call({ door, fields: of(version), body: called('delete_user'), token: reader });
      expect(refused.headers.get('www-authenticate')).toContain('scope="evaluate"');
    }
  });

  test('begin with initialize, which alone needs no version', async () => {
    const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18' } };
    expect((await call({ door, fields: {}, body: initialize })).status).toBe(200);
    expect((await call({ door, fields: {} })).status).toBe(400);
    expect((await call({ door, fields: of('2025-03-26') })).status).toBe(400);
  });

  test('may not say something else in fields that they do not need', async () => {
    const fields = { ...of('2025-11-25'), 'mcp-name': 'search' };
    expect((await call({ door, fields, token: reader })).status).toBe(200);
    expect((await call({ door, fields, body: called('delete_user') })).status).toBe(400);
    const method = { ...of('2025-11-25'), 'mcp-method': 'tools/list' };
    expect((await call({ door, fields: method })).status).toBe(400);
  });

  test('do not loosen those of the present one', async () => {
    expect((await call({ door, body: called('delete_user'), token: writer })).status).toBe(400);
  });
});
