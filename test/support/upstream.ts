import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { listenOnLoopback } from './loopback-server.ts';
import { echoWebSocket } from './websocket-echo.ts';

/** One request as it reached the upstream: what a test of forwarding looks at. */
export interface ReceivedRequest {
  readonly method: string;
  /** Request target as it stood in the request line. */
  readonly target: string;
  /** Fields in order of arrival and in the case they came in: `[name, value]`. */
  readonly fields: readonly (readonly [string, string])[];
  readonly bodyBytes: number;
  readonly bodySha256: string;
}

export interface Upstream {
  /** What `TGEFD_UPSTREAM_URL` takes. */
  readonly url: string;
  readonly port: number;
  /** Every request so far whose body has arrived in full, in order. */
  readonly received: ReceivedRequest[];
  /** Requests begun so far, also those whose body never came to an end. */
  readonly counts: { begun: number };
  /** Refuses connections until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse, received: ReceivedRequest) => void;

const STREAM_CHUNKS = 5;
const STREAM_PAUSE_MS = 50;

/**
 * Starts an upstream on a free loopback port: a small imitation of the TGEFD service, and paths that behave in every
 * way an upstream can (`/echo/…`, `/stream`, `/events`, `/upload`, `/status/{code}`, `/hang`, `/stall`, `/reset`,
 * `/abort`, `/gzip`, `/trailers`, `/fields`, `/bytes/{count}`, `/websocket`). Whatever it answers as JSON holds under
 * `received` the request as it came. A path that it does not know gets `unknownStatus`.
 */
export async function startUpstream(port = 0, unknownStatus: 200 | 404 = 404): Promise<Upstream> {
  const received: ReceivedRequest[] = [];
  const counts = { begun: 0 };
  const server = createServer((request, response) => {
    counts.begun += 1;
    serve(request, response, received, unknownStatus).catch(() => response.destroy());
  });
  server.on('upgrade', (request, socket) => {
    counts.begun += 1;
    received.push(receivedRequest(request, new Uint8Array()));
    echoWebSocket(request, socket);
  });
  const loopback = await listenOnLoopback(server, port);
  return {
    url: `http://127.0.0.1:${loopback.port}`,
    port: loopback.port,
    received,
    counts,
    down: loopback.down,
    up: loopback.up,
    stop: loopback.down,
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  received: ReceivedRequest[],
  unknownStatus: 200 | 404,
): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (path === '/upload') return await echoWhileReading(request, response);
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const seen = receivedRequest(request, Buffer.concat(chunks));
  received.push(seen);
  const [, first = ''] = path.split('/');
  const handler = TGEFD[`${request.method === 'HEAD' ? 'GET' : request.method} ${path}`] ?? BEHAVIOURS[first];
  if (path.startsWith('/v1/jobs/')) job(path, response, seen);
  else if (handler === undefined) {
    const said = unknownStatus === 404 ? { error: 'no such path' } : {};
    json(response, unknownStatus, { ...said, received: seen });
  } else handler(request, response, seen);
}

/** The TGEFD service in miniature. */
const TGEFD: Readonly<Record<string, Handler>> = {
  'POST /v1/discover': (_request, response, received) =>
    json(response, 200, {
      candidates: [
        { id: 'c-1', score: 0.91 },
        { id: 'c-2', score: 0.64 },
      ],
      received,
    }),
  'POST /v1/discover_async': (_request, response, received) =>
    json(response, 202, { job_id: 'job-1', status: 'queued', received }),
  'POST /v1/evaluate': (_request, response, received) => json(response, 200, { score: 0.87, received }),
  'POST /v1/evaluate_async': (_request, response, received) =>
    json(response, 202, { job_id: 'job-2', status: 'queued', received }),
  'GET /v1/metrics': (_request, response, received) => json(response, 200, { jobs_total: 2, jobs_failed: 0, received }),
  'GET /metrics': (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
      .end('# TYPE tgefd_jobs_total counter\ntgefd_jobs_total 2\n'),
};

function job(path: string, response: ServerResponse, received: ReceivedRequest): void {
  json(response, 200, { job_id: path.slice('/v1/jobs/'.length), status: 'succeeded', received });
}

/** Ways to behave, by the first segment of the path. */
const BEHAVIOURS: Readonly<Record<string, Handler>> = {
  echo: (_request, response, received) => json(response, 200, { received }),
  /** Five chunks, each after a pause. */
  stream: (_request, response) => drip(response, 'text/plain', (index) => `chunk ${index}\n`),
  /** Server-sent events, each after a pause. */
  events: (_request, response) =>
    drip(response, 'text/event-stream', (index) => `id: ${index}\ndata: event ${index}\n\n`),
  status: (request, response, received) =>
    json(response, Number(request.url?.split('/')[2]) || 500, { error: 'as asked', received }),
  /** Never a byte of an answer. */
  hang: () => {},
  /** Headers and half a body, then silence. */
  stall: (_request, response) => void response.writeHead(200, { 'content-length': '100' }).write('half'),
  /** The connection is cut before an answer. */
  reset: (request) => void request.socket.resetAndDestroy(),
  /** The connection is cut in the middle of the body. */
  abort: (request, response) =>
    void response.writeHead(200, { 'content-length': '100' }).write('half', () => request.socket.resetAndDestroy()),
  gzip: (_request, response, received) =>
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip', vary: 'accept-encoding' })
      .end(gzipSync(JSON.stringify({ received }))),
  trailers: (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', trailer: 'x-checksum' });
    response.write('body');
    response.addTrailers({ 'x-checksum': 'abc' });
    response.end();
  },
  /** Fields that a gateway must pass, drop or keep apart. */
  fields: (_request, response) =>
    response
      .writeHead(
        200,
        [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['connection', 'x-hop'],
          ['x-hop', 'for the next hop only'],
          ['x-request-id', "the upstream's own"],
          ['server', 'upstream'],
          ['www-authenticate', 'Basic realm="upstream"'],
        ].flat(),
      )
      .end('fields'),
  bytes: (request, response) =>
    response
      .writeHead(200, { 'content-type': 'application/octet-stream' })
      .end(Buffer.alloc(Number(request.url?.split('/')[2]))),
};

/** Answers from the first byte on, with a line per chunk as it arrives: shows that a body is streamed, not collected. */
async function echoWhileReading(request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain' });
  for await (const chunk of request) response.write(`${chunk.length}\n`);
  response.end('end\n');
}

function drip(response: ServerResponse, type: string, chunk: (index: number) => string): void {
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
  const next = (index: number): void => {
    if (response.destroyed) return;
    response.write(chunk(index));
    if (index === STREAM_CHUNKS) response.end();
    else setTimeout(next, STREAM_PAUSE_MS, index + 1);
  };
  next(1);
}

function receivedRequest(request: IncomingMessage, body: Uint8Array): ReceivedRequest {
  const raw = request.rawHeaders;
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    fields: raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : [])),
    bodyBytes: body.byteLength,
    bodySha256: createHash('sha256').update(body).digest('hex'),
  };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
