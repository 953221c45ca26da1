import { createServer, type IncomingHttpHeaders } from 'node:http';
import { listenOnLoopback } from './loopback-server.ts';

/** A span as it came in, its attributes as one object. */
export interface CollectedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Collector {
  /** What `TGEFD_OTEL_ENDPOINT` takes. */
  readonly endpoint: string;
  readonly spans: CollectedSpan[];
  readonly headers: IncomingHttpHeaders[];
  /** Every body as it came, for a test that looks for what must not be there. */
  readonly bodies: string[];
  stop(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: object;
}

/** Starts a trace receiver (OTLP over HTTP in JSON) on a loopback port that keeps what it is sent. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const bodies: string[] = [];
  const attributesOf = (list: readonly Attribute[]) =>
    Object.fromEntries(list.map(({ key, value }) => [key, String(Object.values(value)[0])]));
  const loopback = await listenOnLoopback(
    createServer(async (request, response) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      bodies.push(body);
      headers.push(request.headers);
      for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
        const service = attributesOf(resource.attributes)['service.name'] ?? '';
        for (const span of scopeSpans[0].spans) {
          spans.push({ parentSpanId: null, ...span, service, attributes: attributesOf(span.attributes) });
        }
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    }),
  );
  return { endpoint: `http://127.0.0.1:${loopback.port}/v1/traces`, spans, headers, bodies, stop: loopback.down };
}
