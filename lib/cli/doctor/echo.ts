import { createServer, type Server } from 'node:http';
import type { Echo } from './client.ts';

/** A service that answers with what it got: stands in for the protected one while its ingress is examined. */
export function createEchoServer(): Server {
  return createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    let bodyBytes = 0;
    request.on('data', (chunk: Buffer) => {
      bodyBytes += chunk.length;
    });
    request.once('end', () => {
      const { rawHeaders } = request;
      const fields = rawHeaders.flatMap((name, at) =>
        at % 2 === 0 ? [[name, (rawHeaders[at + 1] ?? '').slice(0, 500)] as const] : [],
      );
      const echo: Echo = { echo: 1, method: request.method ?? '', target: request.url ?? '', fields, bodyBytes };
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(echo));
    });
  });
}
