import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import type { RequestContext } from '../../../lib/decision/ports.ts';
import {
  createTracer,
  type TracedDecision,
  type TracedRequest,
  type TraceSettings,
} from '../../../lib/observe/traces.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const OUR_SPAN = '00f067aa0ba902b7';
const CALLER_SPAN = 'b7ad6b7169203331';
const NOW_MS = 1_999_999_800_000;

const decision: TracedDecision = {
  decisionId: 'd-1',
  requestId: 'r-1',
  door: 'gateway',
  method: 'POST',
  pattern: '/v1/discover',
  action: 'discover',
  authMethod: 'jwt',
  outcome: 'denied',
  code: 'rate_limited',
  status: 429,
};

interface Export {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** A collector that keeps what it is sent and answers with the statuses given, the last of them for ever. */
async function startSink(...statuses: number[]) {
  const exports: Export[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      exports.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(statuses.length > 1 ? (statuses.shift() ?? 200) : (statuses[0] ?? 200)).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  sinks.push(() => server.close());
  return { endpoint: `http://127.0.0.1:${address.port}/v1/traces`, exports };
}
const sinks: (() => void)[] = [];
afterEach(() => {
  for (const stop of sinks.splice(0)) stop();
});

function tracing(settings: Partial<TraceSettings>, fetched: typeof fetch = fetch) {
  const logged: unknown[][] = [];
  const deferred: Promise<unknown>[] = [];
  const context: RequestContext = { defer: (promise) => deferred.push(promise) };
  const tracer = createTracer(
    { endpoint: '', headers: {}, serviceName: 'tgefd', timeoutMs: 2000, ...settings },
    { fetch: fetched, log: (...line) => logged.push(line) },
    { lost: 0 },
  );
  const send = (request: Partial<TracedRequest> = {}) =>
    tracer.export(
      {
        traceparent: `00-${TRACE}-${OUR_SPAN}-01`,
        parentSpanId: null,
        startMs: NOW_MS - 5,
        endMs: NOW_MS,
        stages: [],
        decision,
        ...request,
      },
      context,
    );
  const settle = async () => {
    await Promise.all(deferred.splice(0));
  };
  return { tracer, send, context, deferred, logged, settle };
}

function spansOf(body: string | undefined) {
  return JSON.parse(body ?? '').resourceSpans[0].scopeSpans[0].spans;
}

test('one export tells a decision and its stages, after the answer', async () => {
  const { endpoint, exports } = await startSink(200);
  const { send, deferred, settle } = tracing({ endpoint, headers: { authorization: 'Bearer c' } });
  send({
    parentSpanId: CALLER_SPAN,
    stages: [
      { name: 'authenticate', kind: 'internal', startMs: NOW_MS - 5, endMs: NOW_MS - 4.25 },
      { name: 'upstream', kind: 'client', startMs: NOW_MS - 4, endMs: NOW_MS },
    ],
  });
  expect(deferred).toHaveLength(1);
  await settle();

  expect(exports).toHaveLength(1);
  expect(exports[0]?.headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Bearer c' });
  const [authenticate, upstream, request] = spansOf(exports[0]?.body);
  expect(authenticate).toMatchObject({ traceId: TRACE, parentSpanId: OUR_SPAN, name: 'authenticate', kind: 1 });
  expect(authenticate.endTimeUnixNano).toBe('1999999799995750000');
  expect(upstream).toMatchObject({ traceId: TRACE, parentSpanId: OUR_SPAN, name: 'upstream', kind: 3 });
  expect(request).toMatchObject({
    traceId: TRACE,
    spanId: OUR_SPAN,
    parentSpanId: CALLER_SPAN,
    name: 'POST /v1/discover',
    kind: 2,
    startTimeUnixNano: '1999999799995000000',
    status: {},
  });
  const attributes = Object.fromEntries(
    request.attributes.map(({ key, value }: { key: string; value: object }) => [key, Object.values(value)[0]]),
  );
  expect(attributes).toEqual({
    'http.request.method': 'POST',
    'http.response.status_code': '429',
    'http.route': '/v1/discover',
    'tgefd.action': 'discover',
    'tgefd.auth_method': 'jwt',
    'tgefd.code': 'rate_limited',
    'tgefd.decision_id': 'd-1',
    'tgefd.door': 'gateway',
    'tgefd.outcome': 'denied',
    'tgefd.request_id': 'r-1',
  });
});

test('a method that a caller made up is not told, and our outage is an error', async () => {
  const { endpoint, exports } = await startSink(200);
  const { send, settle } = tracing({ endpoint });
  send({ decision: { ...decision, method: 'alice@example.test', pattern: null, status: 503 } });
  await settle();
  expect(exports[0]?.body).not.toContain('alice');
  expect(spansOf(exports[0]?.body)[0]).toMatchObject({ name: '_OTHER', status: { code: 2 } });
});

test.each([
  ['00', 0],
  ['01', 1],
  ['02', 0],
  ['03', 1],
])('a trace with the flags %s is exported %i times', async (flags, times) => {
  const { endpoint, exports } = await startSink(200);
  const { send, deferred, settle } = tracing({ endpoint });
  send({ traceparent: `00-${TRACE}-${OUR_SPAN}-${flags}` });
  expect(deferred).toHaveLength(times);
  await settle();
  expect(exports).toHaveLength(times);
});

test('a collector that fails is logged once a spell, its lost spans are counted, and nothing throws', async () => {
  const { endpoint } = await startSink(503, 503, 200, 200, 503);
  const { tracer, send, logged, settle } = tracing({ endpoint, headers: { authorization: 'Bearer c' } });
  for (let round = 0; round < 5; round++) {
    send();
    await settle();
  }
  expect(logged).toEqual([
    ['warn', 'trace_export_failing', { cause: 'status 503' }],
    ['info', 'trace_export_recovered', { lost: 2 }],
    ['warn', 'trace_export_failing', { cause: 'status 503' }],
  ]);
  expect(tracer.lost()).toBe(3);
});

test('an unreachable collector, and one that never answers within the deadline, cost spans only', async () => {
  const refused = tracing({ endpoint: 'http://127.0.0.1:1/v1/traces' });
  refused.send();
  await refused.settle();
  expect(refused.logged).toEqual([['warn', 'trace_export_failing', { cause: 'unreachable' }]]);

  const hung = tracing(
    { timeoutMs: 20 },
    (_, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))),
  );
  hung.send();
  await hung.settle();
  expect(hung.tracer.lost()).toBe(1);
});

test('exports under way are bounded: what is beyond is lost at once', () => {
  const { tracer, send, deferred } = tracing({}, () => new Promise(() => {}));
  for (let request = 0; request < 40; request++) send();
  expect(deferred).toHaveLength(32);
  expect(tracer.lost()).toBe(8);
});

test('a request whose boundary was never drawn is not traced', () => {
  const { send, deferred } = tracing({});
  send({ traceparent: '' });
  expect(deferred).toHaveLength(0);
});
