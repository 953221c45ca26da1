import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const key = 'a key for the forwarding tests';
const rows = [
  'echo',
  'stream',
  'events',
  'upload',
  'hang',
  'stall',
  'reset',
  'abort',
  'gzip',
  'trailers',
  'fields',
  'websocket',
]
  .flatMap((name) => ['GET', 'POST'].map((method) => ({ method, path: `/${name}`, scope: null, budget: 'read' })))
  .concat(
    { method: 'GET', path: '/status/{code}', scope: null, budget: 'read' },
    { method: 'GET', path: '/echo/{name}', scope: null, budget: 'read' },
  );

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream?.stop());

function environment(more: Record<string, string> = {}) {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'api_key',
    TGEFD_API_KEY: `tests:${key}`.replaceAll(' ', '-'),
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_ENDPOINTS: JSON.stringify(rows),
    TGEFD_UPSTREAM_TIMEOUT_SEC: '1',
    TGEFD_MAX_BODY_BYTES: '100000',
    TGEFD_CORS_ALLOWED_ORIGINS: 'https://app.example',
    TGEFD_AUDIT_LOG: 'false',
    TGEFD_METRICS_ENABLED: 'true',
    ...more,
  };
}
const apiKey = { 'x-api-key': key.replaceAll(' ', '-') };

function lastSeen() {
  const seen = upstream.received.at(-1);
  if (!seen) throw new Error('the upstream has seen nothing');
  const fields = new Map<string, string[]>();
  for (const [name, value] of seen.fields)
    fields.set(name.toLowerCase(), [...(fields.get(name.toLowerCase()) ?? []), value]);
  return { ...seen, field: (name: string) => fields.get(name)?.join(', ') ?? null };
}

describe.each(Object.entries({ node: startNodeDoor, workerd: startWorkerDoor }))(
  'forwarding on %s',
  (runtime, start) => {
    let door: StartedDoor;
    beforeAll(async () => {
      door = await start(environment());
    });
    afterAll(() => door?.stop());
    const call = (path: string, init: RequestInit = {}) =>
      fetch(`${door.url}${path}`, { ...init, headers: { ...apiKey, ...init.headers } });

    describe('what the upstream sees', () => {
      test('the target that was matched, query byte for byte, method and body unchanged', async () => {
        const body = 'x'.repeat(90_000);
        await call('/echo?b=%2e%2e&a=1', { method: 'POST', body });
        const seen = lastSeen();
        expect([seen.method, seen.target, seen.bodyBytes]).toEqual(['POST', '/echo?b=%2e%2e&a=1', 90_000]);
        expect(seen.bodySha256).toBe(createHash('sha256').update(body).digest('hex'));
      });

      test('the canonical path, where the caller wrote another spelling of it', async () => {
        await requestRaw(door.port, 'GET /%65cho/a%c3%a9 HTTP/1.1', ['Host: a', `X-Api-Key: ${apiKey['x-api-key']}`]);
        expect(lastSeen().target).toBe('/echo/a%C3%A9');
      });

      test('a fresh identity in the place of whatever the caller claimed, in every spelling', async () => {
        const claims = [
          'X-Auth-Request-User: admin',
          'X_Auth_Request_User: admin',
          'x.auth.request.user: admin',
          'X-Auth-Request-Scopes: *',
          'X-Forwarded-User: admin',
          'X-Forwarded-For: 203.0.113.9',
          'X-Forwarded-Proto: https',
          'Forwarded: for=203.0.113.9;proto=https',
          'X-Real-IP: 203.0.113.9',
          'X-SSL-Client-Subject: CN=admin',
          'Client-Cert: :AAAA:',
          'X-Forwarded-Client-Cert: Subject="CN=admin"',
          'X-Tgefd-Assertion: forged',
          'X-Original-URI: /healthz',
          'X-HTTP-Method-Override: DELETE',
          'X-Request-Id: chosen-by-the-caller',
          'X-Kept: yes',
          'X-Dropped: by Connection',
          'Authorization: Basic c2VjcmV0',
        ];
        await requestRaw(door.port, 'GET /echo HTTP/1.1', [
          'Host: api.example',
          `X-Api-Key: ${apiKey['x-api-key']}`,
          ...claims,
          'Connection: x-dropped, x-auth-request-user',
        ]);
        const seen = lastSeen();
        expect(seen.field('x-auth-request-user')).toBe('tests');
        expect(seen.field('x-auth-request-method')).toBe('api_key');
        expect(seen.field('x-auth-request-scopes')).toBe('*');
        expect(seen.field('x-kept')).toBe('yes');
        expect(seen.field('x-request-id')).toMatch(/^[0-9A-Z]{26}$/);
        expect(seen.field('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$/);
        expect(seen.field('x-forwarded-host')).toBe('api.example');
        expect(seen.field('x-forwarded-for')).toBe(runtime === 'node' ? '127.0.0.1' : null);
        const text = JSON.stringify(seen.fields);
        for (const forged of [
          'admin',
          '203.0.113.9',
          'forged',
          'AAAA',
          'DELETE',
          'healthz',
          'chosen',
          'by Connection',
          'c2VjcmV0',
          'forwarding',
        ])
          expect(text).not.toContain(forged);
      });

      test('a trace goes on, with a span of ours', async () => {
        await call('/echo', { headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } });
        expect(lastSeen().field('traceparent')).toMatch(
          /^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$/,
        );
      });
    });

    describe('what the caller gets', () => {
      test.each([301, 404, 418, 500])('the upstream’s own %i', async (status) => {
        const response = await call(`/status/${status}`, { redirect: 'manual' });
        expect(response.status).toBe(status);
      });

      test('fields of the answer, those of the hop left out, our request id over another', async () => {
        const response = await call('/fields');
        expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
        expect(response.headers.get('x-hop')).toBeNull();
        expect(response.headers.get('x-request-id')).toMatch(/^[0-9A-Z]{26}$/);
        expect(response.headers.get('www-authenticate')).toBe('Basic realm="upstream"');
      });

      test('a compressed answer that can be read', async () => {
        const response = await call('/gzip');
        expect((await response.json()).received.target).toBe('/gzip');
      });

      test('an answer as it comes, chunk by chunk', async () => {
        const response = await call('/stream');
        const times: number[] = [];
        for await (const _ of response.body ?? []) times.push(performance.now());
        expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(100);
      });

      test('a body that is passed on while it is still being sent', async () => {
        const outgoing = httpRequest(`${door.url}/upload`, { method: 'POST', headers: apiKey });
        const lines: string[] = [];
        const answered = new Promise<void>((resolve, reject) => {
          outgoing.once('error', reject);
          outgoing.once('response', (incoming) => {
            incoming.setEncoding('utf8').on('data', (text: string) => {
              lines.push(...text.trim().split('\n'));
              if (lines.length === 1) outgoing.end('second');
            });
            incoming.once('end', resolve);
          });
        });
        outgoing.write('first');
        await answered;
        expect(lines).toEqual(['5', '6', 'end']);
      });
    });

    describe('an upstream in trouble', () => {
      const codeOf = async (response: Response) => [response.status, (await response.json()).code];

      test('cut off before an answer: 502', async () => {
        expect(await codeOf(await call('/reset'))).toEqual([502, 'upstream_unreachable']);
      });

      test('no answer in time: 504', async () => {
        expect(await codeOf(await call('/hang'))).toEqual([504, 'upstream_timeout']);
      });

      test('down: 502, and well again when it is back', async () => {
        await upstream.down();
        expect(await codeOf(await call('/echo'))).toEqual([502, 'upstream_unreachable']);
        await upstream.up();
        expect((await call('/echo')).status).toBe(200);
      });

      test('cut off in the middle of its answer: the caller is cut off too, never told that all is well', async () => {
        const response = await call('/abort').catch(() => null);
        await expect(response ? response.text() : Promise.reject(new Error('cut off'))).rejects.toThrow();
      });

      test('a caller that leaves takes the upstream call with it', async () => {
        const leave = new AbortController();
        const gone = call('/hang', { signal: leave.signal }).catch(() => 'gone');
        setTimeout(() => leave.abort(), 50);
        expect(await gone).toBe('gone');
        expect((await call('/echo')).status).toBe(200);
      });
    });

    describe('a body that is too large', () => {
      test('declared: 413 before the upstream hears of it', async () => {
        const begun = upstream.counts.begun;
        const response = await call('/echo', { method: 'POST', body: 'x'.repeat(100_001) });
        expect([response.status, (await response.json()).code]).toEqual([413, 'body_too_large']);
        expect(upstream.counts.begun).toBe(begun);
      });

      test('streamed: 413, and the upstream never gets the whole', async () => {
        const received = upstream.received.length;
        const outgoing = httpRequest(`${door.url}/echo`, { method: 'POST', headers: apiKey });
        const status = await new Promise<number>((resolve) => {
          outgoing.once('response', (incoming) => resolve(incoming.statusCode ?? 0));
          outgoing.on('error', () => resolve(0));
          for (let chunk = 0; chunk < 20; chunk++) outgoing.write(Buffer.alloc(10_000));
          outgoing.end();
        });
        expect(status).toBe(413);
        expect(upstream.received.length).toBe(received);
      });
    });

    describe('cross-origin', () => {
      const preflight = (origin: string) =>
        fetch(`${door.url}/echo`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });

      test('a preflight is answered here and never reaches the upstream', async () => {
        const begun = upstream.counts.begun;
        const [listed, stranger] = await Promise.all([
          preflight('https://app.example'),
          preflight('https://evil.example'),
        ]);
        expect([listed.status, listed.headers.get('access-control-allow-origin')]).toEqual([
          204,
          'https://app.example',
        ]);
        expect([stranger.status, stranger.headers.get('access-control-allow-origin')]).toEqual([204, null]);
        expect(upstream.counts.begun).toBe(begun);
      });

      test.each(['/echo', '/_authorizer/metrics'])(
        'answers and refusals of %s can be read by a listed origin',
        async (path) => {
          for (const [headers, status] of [[apiKey, 200] as const, [{}, 401] as const]) {
            const response = await fetch(`${door.url}${path}`, {
              headers: { ...headers, origin: 'https://app.example' },
            });
            expect(response.status).toBe(status);
            expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
          }
        },
      );
    });

    describe('requests that no parser should agree on', () => {
      const credentials = `X-Api-Key: ${apiKey['x-api-key']}`;
      test.each<[string, string, string[]]>([
        ['an authority that is none', 'GET /echo HTTP/1.1', ['Host: a b', credentials]],
        ['two Host fields', 'GET /echo HTTP/1.1', ['Host: a', 'Host: b', credentials]],
        ['two API keys', 'GET /echo HTTP/1.1', ['Host: a', credentials, credentials]],
        ['a target that starts with @', 'GET @evil.example/echo HTTP/1.1', ['Host: a', credentials]],
        ['two lengths', 'POST /echo HTTP/1.1', ['Host: a', credentials, 'Content-Length: 2', 'Content-Length: 3']],
      ])('%s is refused, and the upstream hears nothing', async (_name, line, fields) => {
        const begun = upstream.counts.begun;
        const answer = await requestRaw(door.port, line, fields, line.startsWith('POST') ? '{}' : '');
        expect(answer.status).toBe(400);
        expect(upstream.counts.begun).toBe(begun);
      });
    });
  },
);

describe('on Node alone', () => {
  // workerd reads absolute-form as RFC 9112 §3.2.2 says and takes chunks over a length as §6.3 does; what it makes of the
  // request is one request in its own framing, to our upstream alone.
  let door: StartedDoor;
  beforeAll(async () => {
    door = await startNodeDoor(environment());
  });
  afterAll(() => door?.stop());

  const host = 'Host: a';
  test.each<[string, string, string[], string?]>([
    ['absolute-form', 'GET http://evil.example/echo HTTP/1.1', [host]],
    ['absolute-form of a health page', 'GET http://evil.example/healthz HTTP/1.1', [host]],
    ['the asterisk', 'OPTIONS * HTTP/1.1', [host]],
    ['no Host at all', 'GET /echo HTTP/1.1', []],
    [
      'a length and chunks',
      'POST /echo HTTP/1.1',
      [host, 'Content-Length: 2', 'Transfer-Encoding: chunked'],
      '0\r\n\r\n',
    ],
    ['a method nobody knows', 'FROBNICATE /echo HTTP/1.1', [host]],
    ['fields of more than 32 KiB', 'GET /echo HTTP/1.1', [host, `Authorization: Bearer ${'a'.repeat(40_000)}`]],
    ['a target with a space', 'GET /ec ho HTTP/1.1', [host]],
    ['what is no HTTP', 'frobnicate', []],
  ])('%s is refused with a problem document', async (_name, line, fields, body = '') => {
    const begun = upstream.counts.begun;
    const answer = await requestRaw(door.port, line, [...fields, `X-Api-Key: ${apiKey['x-api-key']}`], body);
    expect(answer.status).toBe(400);
    expect(answer.field('content-type')).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 400,
      code: 'request_invalid',
      request_id: answer.field('x-request-id'),
    });
    expect(upstream.counts.begun).toBe(begun);
  });

  test('no second answer is written into one that has begun', async () => {
    const text = await new Promise<string>((resolve) => {
      let seen = '';
      const socket = connect(door.port, '127.0.0.1');
      socket.on('data', (chunk) => {
        if (seen === '') socket.write('frobnicate\r\n\r\n');
        seen += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(seen));
      socket.write(`GET /stall HTTP/1.1\r\nHost: a\r\nX-Api-Key: ${apiKey['x-api-key']}\r\n\r\n`);
    });
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text.split('HTTP/1.1 ')).toHaveLength(2);
  });

  test('HTTP/1.0 needs no Host', async () => {
    const answer = await requestRaw(door.port, 'GET /echo HTTP/1.0', [`X-Api-Key: ${apiKey['x-api-key']}`]);
    expect(answer.status).toBe(200);
  });
});

test.each([
  ['node', startNodeDoor],
  ['workerd', startWorkerDoor],
] as const)('a WebSocket passes through %s, and only with credentials', async (_runtime, start) => {
  const door = await start(environment());
  try {
    const upgrade = [
      'Host: a',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    ];
    const open = (fields: string[]) =>
      new Promise<string>((resolve) => {
        const outgoing = httpRequest(`${door.url}/websocket`, {
          headers: Object.fromEntries(
            [...upgrade, 'Connection: Upgrade', ...fields].map((field) => field.split(': ') as [string, string]),
          ),
        });
        outgoing.on('upgrade', (response, socket) => {
          // A masked text frame that says "hi" (RFC 6455 §5.7), with a mask of zeros.
          socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
          socket.once('data', (frame: Buffer) => {
            socket.destroy();
            resolve(`${response.statusCode} ${frame.subarray(2).toString()}`);
          });
        });
        outgoing.on('response', (response) => resolve(String(response.statusCode)));
        outgoing.end();
      });
    expect(await open([`X-Api-Key: ${apiKey['x-api-key']}`])).toBe('101 hi');
    expect(await open([])).toBe('401');
  } finally {
    await door.stop();
  }
});

describe('on workerd alone', () => {
  test('the service binding UPSTREAM stands in for the URL', async () => {
    const { TGEFD_UPSTREAM_URL: _url, ...rest } = environment();
    const door = await startWorkerDoor(rest, { upstreamPort: upstream.port });
    try {
      const response = await fetch(`${door.url}/echo`, { headers: apiKey });
      expect((await response.json()).received.target).toBe('/echo');
    } finally {
      await door.stop();
    }
  });
});
