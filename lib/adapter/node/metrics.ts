import { createServer, type Server } from 'node:http';
import { EXPOSITION_CONTENT_TYPE } from '../../observe/metrics.ts';
import { METRICS_PATH } from '../../request/endpoints/table.ts';

/** The metrics page on a port of its own: asks for no credentials, so whoever reaches the port may read it. */
export function createMetricsServer(page: () => Promise<string>): Server {
  return createServer((incoming, outgoing) => {
    incoming.resume();
    const readable = incoming.method === 'GET' || incoming.method === 'HEAD';
    if (incoming.url !== METRICS_PATH || !readable) {
      outgoing.writeHead(incoming.url === METRICS_PATH ? 405 : 404, { 'cache-control': 'no-store' }).end();
      return;
    }
    page().then(
      (text) =>
        outgoing.writeHead(200, { 'content-type': EXPOSITION_CONTENT_TYPE, 'cache-control': 'no-store' }).end(text),
      () => outgoing.writeHead(503, { 'cache-control': 'no-store' }).end(),
    );
  });
}
