import { connect, type Socket } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw, sendRaw } from '../support/raw-http.ts';
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const KEY = 'X-Api-Key: a-key-for-carriage';
const HOST = 'Host: a';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** What the upstream answers, by the first segment of the path. */
const ANSWERS: Readonly<Record<string, string | ((socket: Socket) => string | null)>> = {
  ok: OK,
  'status-600': 'HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n',
  'status-000': 'HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n',
  'status-099': 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n',
  'status-199': 'HTTP/1.1 199 X\r\n\r\n',
  'status-999': 'HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n',
  'reason-control': 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n',
  'field-control': 'HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 0\r\n\r\n',
  'unasked-101': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'bare-101': 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  'half-line': (socket) => {
    socket.end('HTTP/1.1 2');
    return null;
  },
  silence: () => null,
  fields:
    'HTTP/1.1 200 OK\r\nX-Name: caf\xe9 \xfc\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: b=2, c\r\n' +
    'Access-Control-Expose-Headers: ETag, retry-after\r\nContent-Length: 2\r\n\r\nok',
  once: (socket) => {
    setTimeout(() => socket.resetAndDestroy(), 100);
    return OK;
  },
};

const bodiless = ['GET', 'HEAD'];
const ROWS = Object.keys(ANSWERS).flatMap((name) =>
  ['GET', 'POST', 'DELETE'].map((method) => ({ method, path: `/${name}`, scope: null, budget: 'none' })),
);

let upstream: RawUpstream;
beforeAll(async () => {
  upstream = await startRawUpstream(({ head }, socket) => {
    const name = /^\S+ \/([^ /?]*)/.exec(head)?.[1] ?? '';
    const answer = ANSWERS[name] ?? 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n';
    return typeof answer === 'string' ? answer : answer(socket);
  });
});
afterAll(() => upstream?.stop());

const environment = (more: Record<string, string> = {}) => ({
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'api_key',
  TGEFD_API_KEY: 'tests:a-key-for-carriage',
  TGEFD_UPSTREAM_URL: upstream.url,
  TGEFD_ENDPOINTS: JSON.stringify(ROWS),
  TGEFD_UPSTREAM_TIMEOUT_SEC: '1',
  TGEFD_IDLE_TIMEOUT_SEC: '3',
  TGEFD_CORS_ALLOWED_ORIGINS: 'https://app.example',
  TGEFD_CORS_ALLOWED_HEADERS: 'X-Tenant, idempotency-key',
  TGEFD_AUDIT_LOG: 'false',
  ...more,
});

function lastSeen() {
  const seen = upstream.requests.at(-1);
  if (seen === undefined) throw new Error('the upstream has seen nothing');
  return seen;
}

describe.each([
  ['node', startNodeDoor],
  [
    'node with a body limit',
    (env: Record<string, string>) => startNodeDoor({ ...env, TGEFD_MAX_BODY_BYTES: '100000' }),
  ],
  ['workerd', startWorkerDoor],
  [
    'workerd with a body limit',
    (env: Record<string, string>) => startWorkerDoor({ ...env, TGEFD_MAX_BODY_BYTES: '100000' }),
  ],
] as const)('what is carried on %s', (runtime, start) => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await start(environment());
  });
  afterAll(() => door?.stop());
  const call = (line: string, fields: readonly string[] = [], body = '') =>
    requestRaw(door.port, `${line} HTTP/1.1`, [HOST, KEY, ...fields], body);

  test.each(bodiless)('%s with a body is refused and never forwarded', async (method) => {
    const before = upstream.requests.length;
    for (const [fields, body] of [
      [['Content-Length: 13', 'Content-Type: application/json'], '{"a": "bcd"}\n'],
      [['Transfer-Encoding: chunked'], '2\r\n{}\r\n0\r\n\r\n'],
    ] as const) {
      const answer = await call(`${method} /ok`, fields, body);
      expect(answer.status).toBe(400);
      if (method === 'GET') expect(JSON.parse(answer.body)).toMatchObject({ code: 'request_invalid' });
    }
    expect(upstream.requests.length).toBe(before);
  });

  test('GET with a length of 0 is carried', async () => {
    expect((await call('GET /ok', ['Content-Length: 0'])).status).toBe(200);
  });

  test.each<[string, string, readonly string[], string, readonly string[], string]>([
    ['a declared length', 'POST', ['Content-Length: 5'], 'hello', ['5'], 'hello'],
    ['a length of 0', 'POST', ['Content-Length: 0'], '', ['0'], ''],
    ['no body at all', 'POST', [], '', ['0'], ''],
    ['chunks', 'POST', ['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n', [], 'hello'],
    ['a body of DELETE', 'DELETE', ['Content-Length: 2'], '{}', ['2'], '{}'],
  ])('%s stays as it was', async (_name, method, fields, body, lengths, received) => {
    expect((await call(`${method} /ok`, fields, body)).status).toBe(200);
    const seen = lastSeen();
    expect(seen.values('content-length')).toEqual(lengths);
    expect(seen.values('transfer-encoding')).toEqual(lengths.length === 0 ? ['chunked'] : []);
    expect(seen.body).toContain(received);
  });

  test('lines of Cookie become one list', async () => {
    await call('GET /ok', ['Cookie: a=1', 'Cookie: b=2']);
    expect(lastSeen().values('cookie')).toEqual(['a=1; b=2']);
  });

  test('fields of the answer leave as the bytes that came', async () => {
    const answer = await call('GET /fields', ['Origin: https://app.example']);
    expect(answer.field('x-name')).toBe('caf\xe9 \xfc');
    expect(answer.fields.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)).toEqual([
      'a=1; Path=/',
      'b=2, c',
    ]);
  });

  test('the fields that the service exposes are merged with ours', async () => {
    const answer = await call('GET /fields', ['Origin: https://app.example']);
    expect(answer.field('access-control-expose-headers')).toMatch(
      /^ETag, retry-after, RateLimit, RateLimit-Policy, X-Request-Id, /,
    );
  });

  test('a preflight names the request fields that are configured, beside ours', async () => {
    const answer = await call('OPTIONS /ok', ['Origin: https://app.example', 'Access-Control-Request-Method: POST']);
    expect(answer.status).toBe(204);
    expect(answer.field('access-control-allow-headers')?.toLowerCase()).toMatch(
      /^authorization, .*, x-tenant, idempotency-key$/,
    );
  });

  test.each([
    'status-600',
    'status-000',
    'status-099',
    'status-199',
    'status-999',
    'reason-control',
    'unasked-101',
    'bare-101',
    'half-line',
  ])('an answer that is none (%s) is 502, and the next request works', async (name) => {
    const answer = await call(`GET /${name}`);
    const stated =
      name === 'reason-control' && runtime.startsWith('workerd')
        ? [200, 502]
        : name === 'status-199'
          ? [502, 504]
          : [502];
    expect(stated).toContain(answer.status);
    expect((await call('GET /ok')).status).toBe(200);
  });

  test('silence is 504', async () => {
    expect((await call('GET /silence')).status).toBe(504);
  });

  test('an upload that takes longer than the upstream may is carried', async () => {
    const answer = await upload(door.port, 'POST /ok', 1500);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(lastSeen().body).toBe('xxxxx');
  });

  test('a stalled upload ends with 408', async () => {
    const answer = await upload(door.port, 'POST /ok', null);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('"code":"request_timeout"');
  }, 15_000);

  test('an upgrade that the upstream does not make is its ordinary answer, and needs credentials', async () => {
    const upgrade = [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    ];
    const [answer] = await sendRaw(door.port, ['GET /ok HTTP/1.1', HOST, KEY, ...upgrade, '', ''].join('\r\n'), 800);
    expect(answer?.status).toBe(200);
    expect(lastSeen().values('upgrade')).toEqual(['websocket']);
    const [refused] = await sendRaw(door.port, ['GET /ok HTTP/1.1', HOST, ...upgrade, '', ''].join('\r\n'), 800);
    expect(refused?.status).toBe(401);
  });

  test('another upgrade is an ordinary request', async () => {
    const answer = await call('GET /ok', ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']);
    expect(answer.status).toBe(200);
    expect(lastSeen().values('upgrade')).toEqual([]);
  });

  test('a kept connection that the upstream reset costs a GET nothing', async () => {
    for (let round = 0; round < 3; round++) {
      expect((await call('GET /once')).status).toBe(200);
      await pass(150);
    }
  });
});

/** Sends five bytes over the given time, or the first two and then nothing. */
function upload(port: number, line: string, overMs: number | null): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let seen = '';
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(seen));
    socket.write([`${line} HTTP/1.1`, HOST, KEY, 'Content-Length: 5', 'Connection: close', '', 'xx'].join('\r\n'));
    if (overMs !== null) for (const at of [1, 2, 3]) setTimeout(() => socket.write('x'), (overMs * at) / 3);
  });
}
