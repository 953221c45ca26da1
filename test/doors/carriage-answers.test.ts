import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw, sendRaw } from '../support/raw-http.ts';
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const FIELDS = ['Host: a', 'X-Api-Key: a-key-for-carriage'];
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const COOKIES = Array.from(
  { length: 60 },
  (_, number) => `c${number}=${number}; Path=/; Expires=Wed, 21 Oct 2065 07:28:00 GMT`,
);
const closing = (text: string) => (socket: Socket) => {
  socket.end(Buffer.from(text, 'latin1'));
  return null;
};

/** What the upstream answers, by the first segment of the path. */
const ANSWERS: Readonly<Record<string, string | ((socket: Socket) => string | null)>> = {
  ok: OK,
  hints: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${OK}`,
  continue: `HTTP/1.1 100 Continue\r\n\r\n${OK}`,
  cookies: `HTTP/1.1 200 OK\r\n${COOKIES.map((cookie) => `Set-Cookie: ${cookie}\r\n`).join('')}Content-Length: 2\r\n\r\nok`,
  nothing: 'HTTP/1.1 204 No Content\r\nETag: "a"\r\n\r\n',
  unchanged: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 10\r\n\r\n',
  'nothing-and-more': `HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`,
  'unchanged-and-more': `HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison`,
  'ok-and-more': `${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`,
  head: 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: "a"\r\n\r\n',
  trailers: 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
  vary: 'HTTP/1.1 200 OK\r\nVary: accept-encoding, origin\r\nAccess-Control-Allow-Origin: https://else.example\r\nContent-Length: 2\r\n\r\nok',
  'until-close': closing('HTTP/1.1 200 OK\r\n\r\nhello'),
  'http-1.0': closing('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  'two-lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  'odd-length': 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok',
  'length-and-chunks': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'breaks-at-once': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n',
  short: closing('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
  'short-chunks': closing('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
};

let upstream: RawUpstream;
beforeAll(async () => {
  upstream = await startRawUpstream(({ head }, socket) => {
    const answer = ANSWERS[/^\S+ \/([^ /?]*)/.exec(head)?.[1] ?? ''] ?? OK;
    return typeof answer === 'string' ? answer : answer(socket);
  });
});
afterAll(() => upstream?.stop());

describe.each([
  ['Node', startNodeDoor],
  ['workerd', startWorkerDoor],
] as const)('on %s', (runtime, start) => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await start({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'api_key',
      TGEFD_API_KEY: 'tests:a-key-for-carriage',
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_ENDPOINTS: JSON.stringify(
        Object.keys(ANSWERS).flatMap((name) =>
          ['GET', 'POST'].map((method) => ({ method, path: `/${name}`, scope: null, budget: 'none' })),
        ),
      ),
      TGEFD_UPSTREAM_TIMEOUT_SEC: '2',
      TGEFD_IDLE_TIMEOUT_SEC: '3',
      TGEFD_CORS_ALLOWED_ORIGINS: 'https://app.example',
      TGEFD_AUDIT_LOG: 'false',
    });
  });
  afterAll(() => door?.stop());
  const get = (name: string, more: readonly string[] = []) =>
    requestRaw(door.port, `GET /${name} HTTP/1.1`, [...FIELDS, ...more]);

  test.each(['hints', 'continue'])('an interim answer (%s) is not taken for the final one', async (name) => {
    expect(await get(name)).toMatchObject({ status: 200, body: 'ok' });
  });

  test('a caller that waits for 100 gets it, and its body is carried', async () => {
    const line = ['POST /ok HTTP/1.1', ...FIELDS, 'Expect: 100-continue', 'Content-Length: 5', 'Connection: close'];
    const answers = await sendRaw(door.port, [...line, '', 'hello'].join('\r\n'), 4_000);
    expect(answers.map(({ status }) => status)).toEqual([100, 200]);
    expect(upstream.requests.at(-1)?.body).toBe('hello');
  });

  test('every Set-Cookie stays a line of its own, in order', async () => {
    const { fields } = await get('cookies');
    expect(fields.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)).toEqual(COOKIES);
  });

  test.each([
    ['GET', 'nothing', 204],
    ['GET', 'unchanged', 304],
    ['HEAD', 'unchanged', 304],
    ['HEAD', 'head', 200],
  ])('%s of an answer without a body (%s) keeps its fields', async (method, name, status) => {
    const [answer, ...more] = await sendRaw(
      door.port,
      [`${method} /${name} HTTP/1.1`, ...FIELDS, '', ''].join('\r\n'),
      700,
    );
    expect([answer?.status, answer?.body, more]).toEqual([status, '', []]);
    expect(answer?.field('etag')).toBe('"a"');
    expect(answer?.field('transfer-encoding')).toBeNull();
    if (name === 'head') expect(answer?.field('content-length')).toBe('1234');
  });

  test.each([
    ['nothing-and-more', 204, ''],
    ['unchanged-and-more', 304, ''],
    ['ok-and-more', 200, 'ok'],
  ])('what the upstream sends behind an answer (%s) is the answer to nobody', async (name, status, body) => {
    for (let round = 0; round < 3; round++) {
      expect(await get(name)).toMatchObject({ status, body });
      expect(await get('ok')).toMatchObject({ status: 200, body: 'ok' });
    }
  });

  test.each([
    ['trailers', 'ok'],
    ['until-close', 'hello'],
    ['http-1.0', 'ok'],
  ])('a body that ends in another way (%s) is carried whole', async (name, body) => {
    const answer = await get(name);
    expect(answer).toMatchObject({ status: 200, body });
    expect(answer.field('trailer')).toBeNull();
  });

  test('an answer without a media type gets none', async () => {
    for (const name of ['ok', 'until-close', 'trailers']) expect((await get(name)).field('content-type')).toBeNull();
  });

  test('Vary is merged, and Access-Control-Allow-Origin is the one that is configured', async () => {
    const listed = await get('vary', ['Origin: https://app.example']);
    expect(listed.field('vary')).toBe('accept-encoding, origin');
    expect(listed.field('access-control-allow-origin')).toBe('https://app.example');
    expect((await get('ok', ['Origin: https://app.example'])).field('vary')).toBe('Origin');
  });

  test.each(['two-lengths', 'odd-length'])('%s of an answer are 502', async (name) => {
    const answer = await get(name);
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([502, 'upstream_unreachable']);
    expect(answer.field('cache-control')).toBe('no-store');
    expect((await get('ok')).status).toBe(200);
  });

  // workerd takes chunks over a length (RFC 9112 §6.3), Node refuses both together.
  test('a length and chunks are one answer or none', async () => {
    const answer = await get('length-and-chunks');
    expect([answer.status, answer.body.slice(0, 2)]).toEqual(runtime === 'Node' ? [502, '{"'] : [200, 'ok']);
    expect((await get('ok')).body).toBe('ok');
  });

  // workerd sends the fields before it reads the body.
  test('a body that breaks before a field of the answer has left is 502 on Node, and never whole', async () => {
    const text = await bytesOf(door.port, 'breaks-at-once');
    if (runtime === 'Node') {
      expect(text).toMatch(/^HTTP\/1\.1 502 [\s\S]*cache-control: no-store[\s\S]*"code":"upstream_unreachable"/);
      expect(door.lines.join('\n')).toContain('"event":"upstream_unreachable"');
    }
    expect(text).not.toContain('\r\n0\r\n');
  });

  test.each(['short', 'short-chunks'])('a body that ends too early (%s) is never told as whole', async (name) => {
    const text = await bytesOf(door.port, name);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toMatch(/half(\r\n)?$/);
    expect((await get('ok')).status).toBe(200);
  });

  test.each<[string, readonly string[], string]>([
    ['a list of lengths', ['Content-Length: 2, 2'], '{}'],
    ['a signed length', ['Content-Length: +2'], '{}'],
    ['a length in hexadecimal', ['Content-Length: 0x2'], '{}'],
    ['chunks without a length', ['Transfer-Encoding: chunked'], 'zz\r\n{}\r\n0\r\n\r\n'],
    ['a chunk that is followed by no chunk', ['Transfer-Encoding: chunked'], '4\r\nhalf\r\nzz\r\n'],
    ['a chunk longer than it says', ['Transfer-Encoding: chunked'], '2\r\nhalf\r\n0\r\n\r\n'],
  ])('a request with %s is 400, and never a whole request to the upstream', async (_name, more, body) => {
    const before = upstream.requests.length;
    const [answer] = await sendRaw(door.port, ['POST /ok HTTP/1.1', ...FIELDS, ...more, '', body].join('\r\n'), 1_000);
    expect(answer?.status).toBe(400);
    expect(upstream.requests.length).toBe(before);
    expect((await get('ok')).status).toBe(200);
  });

  test('an upload that ends before its length is no request', async () => {
    const before = upstream.requests.length;
    const text = await bytesOf(door.port, 'ok', 'POST', ['Content-Length: 10'], 'half');
    expect(upstream.requests.length).toBe(before);
    expect(text).not.toMatch(/^HTTP\/1\.1 200 /);
  });
});

/** Every byte of an answer, from a caller that says no more after its request. */
function bytesOf(port: number, name: string, method = 'GET', more: readonly string[] = [], body = ''): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.setTimeout(3_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.write([`${method} /${name} HTTP/1.1`, ...FIELDS, ...more, '', body].join('\r\n'));
    if (body !== '') socket.end();
  });
}
