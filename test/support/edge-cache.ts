import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from './loopback-server.ts';

export interface EdgeCache {
  readonly port: number;
  /** Lookups that found something and that did not, and writes. */
  readonly counts: { hits: number; misses: number; puts: number };
  /** Keys held, and what lies under them; a test may put something else there. */
  readonly entries: Map<string, StoredAnswer>;
  stop(): Promise<void>;
}

/** An answer as `cache.put` wrote it: an HTTP message, head and body. */
export interface StoredAnswer {
  readonly message: string;
  readonly expiresAtMs: number;
}

/**
 * Starts what stands behind `caches.default` of one data centre: shared by every Worker door that is given its port.
 * Honours `max-age`; knows neither `Vary` nor validators nor bodies other than text.
 */
export async function startEdgeCache(): Promise<EdgeCache> {
  const entries = new Map<string, StoredAnswer>();
  const counts = { hits: 0, misses: 0, puts: 0 };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const key = `${request.headers['cf-cache-namespace'] ?? ''} ${request.headers.host}${request.url}`;
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const message = Buffer.concat(chunks).toString('utf8');
      const maxAgeSeconds = Number(/^cache-control:.*max-age=(\d+)/im.exec(message)?.[1] ?? 0);
      entries.set(key, { message, expiresAtMs: Date.now() + maxAgeSeconds * 1000 });
      counts.puts += 1;
      response.writeHead(204).end();
    } else if (request.method === 'PURGE') {
      response.writeHead(entries.delete(key) ? 200 : 404).end();
    } else {
      const entry = entries.get(key);
      const hit = entry !== undefined && entry.expiresAtMs > Date.now();
      counts[hit ? 'hits' : 'misses'] += 1;
      if (hit) replay(entry.message, response);
      else response.writeHead(504, { 'cf-cache-status': 'MISS' }).end();
    }
  };
  const loopback = await listenOnLoopback(
    createServer((request, response) => {
      answer(request, response).catch(() => response.destroy());
    }),
  );
  return { port: loopback.port, counts, entries, stop: loopback.down };
}

function replay(message: string, response: ServerResponse): void {
  const head = message.indexOf('\r\n\r\n');
  const [, ...lines] = message.slice(0, head).split('\r\n');
  const fields = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    return /^(transfer-encoding|content-length|connection)$/i.test(name) ? [] : [name, line.slice(colon + 1).trim()];
  });
  const status = Number(message.split(' ', 2)[1]);
  response.writeHead(status, [...fields, 'cf-cache-status', 'HIT']).end(dechunk(message.slice(head + 4), lines));
}

function dechunk(body: string, lines: readonly string[]): string {
  if (!lines.some((line) => /^transfer-encoding: *chunked/i.test(line))) return body;
  let rest = Buffer.from(body);
  const parts: Buffer[] = [];
  for (;;) {
    const end = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.subarray(0, Math.max(end, 0)).toString(), 16);
    if (!(size > 0)) return Buffer.concat(parts).toString();
    parts.push(rest.subarray(end + 2, end + 2 + size));
    rest = rest.subarray(end + 2 + size + 2);
  }
}
