import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import type { RequestContext } from '../../../lib/decision.ts';
import { createTracer, type TracedDecision, type TraceSettings } from '../../../lib/observe/traces.ts';

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
  let nowMs = NOW_MS;
  const logged: unknown[][] = [];
  const deferred: Promise<unknown>[] = [];
  const context: RequestContext = { defer: (promise) => deferred.push(promise) };
  const tracer = createTracer(
    { endpoint: '', headers: {}, serviceName: 'tgefd', sampleRatio: 1, timeoutMs: 2000, ...settings },
    { fetch: fetched, clock: () => nowMs++, log: (...line) => logged.push(line) },
  );
  const begin = (start: { inbound?: string | null; trustedHop?: boolean; traceparent?: string } = {}) =>
    tracer.begin({
      traceparent: `00-${TRACE}-${OUR_SPAN}-01`,
      inbound: null,
      trustedHop: false,
      startedAtMs: NOW_MS - 5,
      ...start,
    });
  const settle = async () => {
    await Promise.all(deferred.splice(0));
  };
  return { tracer, begin, context, deferred, logged, settle };
}

const spansOf = (body: string | undefined) => JSON.parse(body ?? '').resourceSpans[0].scopeSpans[0].spans;

test('one export tells a decision and its stages, after the answer', async () => {
  const { endpoint, exports } = await startSink(200);
  const { begin, context, deferred, settle } = tracing({ endpoint, headers: { authorization: 'Bearer c' } });
  const trace = begin({ inbound: `00-${TRACE}-${CALLER_SPAN}-01` });
  const authenticated = trace.stage('authenticate');
  authenticated();
  const answered = trace.stage('upstream', 'client');
  answered();
  trace.end(decision, context);
  expect(deferred).toHaveLength(1);
  await settle();

  expect(exports).toHaveLength(1);
  expect(exports[0]?.headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Bearer c' });
  const [authenticate, upstream, request] = spansOf(exports[0]?.body);
  expect(authenticate).toMatchObject({ traceId: TRACE, parentSpanId: OUR_SPAN, name: 'authenticate', kind: 1 });
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
  const { begin, context, settle } = tracing({ endpoint });
  begin().end({ ...decision, method: 'alice@example.test', pattern: null, status: 503 }, context);
  await settle();
  expect(exports[0]?.body).not.toContain('alice');
  expect(spansOf(exports[0]?.body)[0]).toMatchObject({ name: '_OTHER', status: { code: 2 } });
});

test.each<[string, { trustedHop: boolean; flag: string; sampleRatio: number }, boolean]>([
  ['a trusted hop that samples is followed', { trustedHop: true, flag: '01', sampleRatio: 0 }, true],
  ['a trusted hop that does not sample is followed', { trustedHop: true, flag: '00', sampleRatio: 1 }, false],
  ['a stranger cannot have itself sampled', { trustedHop: false, flag: '01', sampleRatio: 0 }, false],
  ['a stranger cannot hide', { trustedHop: false, flag: '00', sampleRatio: 1 }, true],
])('%s', async (_, { trustedHop, flag, sampleRatio }, sampled) => {
  const { endpoint } = await startSink(200);
  const { begin, context, deferred, settle } = tracing({ endpoint, sampleRatio });
  const trace = begin({ inbound: `00-${TRACE}-${CALLER_SPAN}-${flag}`, trustedHop });
  expect(trace.traceparent).toBe(`00-${TRACE}-${OUR_SPAN}-${sampled ? '01' : '00'}`);
  trace.end(decision, context);
  expect(deferred).toHaveLength(sampled ? 1 : 0);
  await settle();
});

test('a caller’s span of another trace is no parent', async () => {
  const { endpoint, exports } = await startSink(200);
  const { begin, context, settle } = tracing({ endpoint });
  begin({ inbound: `00-${'1'.repeat(32)}-${CALLER_SPAN}-01` }).end(decision, context);
  await settle();
  expect(spansOf(exports[0]?.body)[0]).not.toHaveProperty('parentSpanId');
});

test('a collector that fails is logged once a spell, its lost spans are counted, and nothing throws', async () => {
  const { endpoint } = await startSink(503, 503, 200, 200, 503);
  const { tracer, begin, context, logged, settle } = tracing({ endpoint, headers: { authorization: 'Bearer c' } });
  for (let round = 0; round < 5; round++) {
    begin().end(decision, context);
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
  refused.begin().end(decision, refused.context);
  await refused.settle();
  expect(refused.logged).toEqual([['warn', 'trace_export_failing', { cause: 'unreachable' }]]);

  const hung = tracing(
    { timeoutMs: 20 },
    (_, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))),
  );
  hung.begin().end(decision, hung.context);
  await hung.settle();
  expect(hung.tracer.lost()).toBe(1);
});

test('exports under way are bounded: what is beyond is lost at once', () => {
  const { tracer, begin, context, deferred } = tracing({}, () => new Promise(() => {}));
  for (let request = 0; request < 40; request++) begin().end(decision, context);
  expect(deferred).toHaveLength(32);
  expect(tracer.lost()).toBe(8);
});

test('a trace ends once, and a stage that closes later is left out', async () => {
  const { endpoint, exports } = await startSink(200);
  const { begin, context, settle } = tracing({ endpoint });
  const trace = begin();
  const late = trace.stage('record');
  trace.end(decision, context);
  late();
  trace.end(decision, context);
  await settle();
  expect(exports).toHaveLength(1);
  expect(spansOf(exports[0]?.body)).toHaveLength(1);
});

test('a boundary without a valid traceparent is not traced', () => {
  const { begin, context, deferred } = tracing({});
  const trace = begin({ traceparent: 'nonsense' });
  trace.stage('admit')();
  trace.end(decision, context);
  expect(deferred).toHaveLength(0);
});
