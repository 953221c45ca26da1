import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RawResponse, requestRaw, sendRaw } from '../support/raw-http.ts';
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const PLACES = 64;
const NAMES = ['caller0', 'caller1'];
const keyOf = (name: string) => `key-of-${name}-of-the-tests`;
const fieldsOf = (name: string) => ['Host: a', `X-Api-Key: ${keyOf(name)}`];
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let upstream: RawUpstream;
let held: Socket[] = [];
const release = () => {
  for (const socket of held.splice(0)) socket.write(OK);
};
beforeAll(async () => {
  upstream = await startRawUpstream(({ head }, socket) => {
    if (head.startsWith('GET /hold ')) {
      held.push(socket);
      return null;
    }
    return OK;
  });
});
afterAll(() => upstream?.stop());

const environment = (more: Record<string, string> = {}) => ({
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'api_key',
  TGEFD_API_KEY: NAMES.map((name) => `${name}:${keyOf(name)}`).join(','),
  TGEFD_UPSTREAM_URL: upstream.url,
  TGEFD_ENDPOINTS: JSON.stringify(
    ['/hold', '/ok'].map((path) => ({ method: 'GET', path, scope: null, budget: 'none' })),
  ),
  TGEFD_AUDIT_MODE: 'off',
  TGEFD_AUDIT_LOG: 'true',
  ...more,
});

describe.each([
  ['Node', startNodeDoor],
  ['workerd', startWorkerDoor],
] as const)('requests of one caller under way at once, on %s', (_, start) => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await start(environment());
  });
  afterAll(() => door?.stop());
  const get = (path: string, name: string): Promise<RawResponse> =>
    requestRaw(door.port, `GET ${path} HTTP/1.1`, fieldsOf(name));

  test('are 64: one more is 429, another caller passes, and a place that is left is free', async () => {
    held = [];
    const message = [`GET /hold HTTP/1.1`, ...fieldsOf('caller0'), 'Connection: close', '', ''].join('\r\n');
    const waiting = Array.from({ length: PLACES }, () => sendRaw(door.port, message, 20_000));
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(PLACES);

    const refused = await get('/ok', 'caller0');
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'rate_limited' });
    expect(refused.field('retry-after')).toBe('1');
    expect(refused.field('cache-control')).toBe('no-store');
    await expect
      .poll(() => door.lines.join('\n'), { timeout: 5_000 })
      .toContain('"reason":"too_many_requests_under_way"');
    expect((await get('/ok', 'caller1')).status).toBe(200);

    release();
    const answers = (await Promise.all(waiting)).map(([answer]) => answer?.status);
    expect(answers).toEqual(Array.from({ length: PLACES }, () => 200));
    expect((await get('/ok', 'caller0')).status).toBe(200);
  }, 30_000);
});

describe('expectations, on Node', () => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startNodeDoor(environment());
  });
  afterAll(() => door?.stop());

  test('another than 100-continue is 417, as a problem that is told, and the next request works', async () => {
    const answer = await requestRaw(door.port, 'GET /ok HTTP/1.1', [...fieldsOf('caller0'), 'Expect: a-wonder']);
    expect(answer.status).toBe(417);
    expect(answer.field('content-type')).toBe('application/problem+json');
    expect(answer.field('cache-control')).toBe('no-store');
    expect(JSON.parse(answer.body)).toMatchObject({ status: 417, request_id: expect.any(String) });
    await expect.poll(() => door.lines.join('\n'), { timeout: 5_000 }).toMatch(/"request_unreadable".*417/);
    expect((await requestRaw(door.port, 'GET /ok HTTP/1.1', fieldsOf('caller0'))).status).toBe(200);
  });
});

describe('odd messages that the parser of Node lets pass', () => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startNodeDoor(environment());
  });
  afterAll(() => door?.stop());
  const codings = (...fields: string[]) => [
    ...fieldsOf('caller0'),
    ...fields.map((field) => `Transfer-Encoding: ${field}`),
  ];

  test.each([
    ['a body that is gzip before it is chunked', 'POST /ok HTTP/1.1', codings('gzip, chunked')],
    ['the same in two fields', 'POST /ok HTTP/1.1', codings('gzip', 'chunked')],
    ['a transfer coding in HTTP/1.0', 'POST /ok HTTP/1.0', codings('chunked')],
    ['HTTP/2.0 in a request line', 'GET /ok HTTP/2.0', fieldsOf('caller0')],
    ['HTTP/0.9 in a request line', 'GET /ok HTTP/0.9', fieldsOf('caller0')],
  ])('%s: 400, and the connection ends', async (_, line, fields) => {
    const body = line.startsWith('POST') ? '0\r\n\r\n' : '';
    const [answer, ...more] = await sendRaw(door.port, [line, ...fields, '', body].join('\r\n'));
    expect(answer).toMatchObject({ status: 400 });
    expect(answer?.field('connection')).toBe('close');
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ code: 'request_invalid', request_id: expect.any(String) });
    expect(more).toEqual([]);
  });

  test.each([
    ['an address, with credentials', 'CONNECT somewhere.example:443', 'caller0', 400],
    ['a path that other methods have, with credentials', 'CONNECT /ok', 'caller0', 405],
    ['a path, without credentials', 'CONNECT /ok', null, 401],
  ])('CONNECT to %s is decided, answered and recorded', async (_, request, caller, status) => {
    const records = () => door.lines.filter((line) => line.includes('"type":"audit"')).length;
    const before = records();
    const fields = caller === null ? ['Host: a'] : fieldsOf(caller);
    const answer = await requestRaw(door.port, `${request} HTTP/1.1`, fields);
    expect(answer.status).toBe(status);
    expect(answer.field('content-type')).toBe('application/problem+json');
    await expect.poll(() => records() - before, { timeout: 5_000 }).toBe(1);
  });
});
