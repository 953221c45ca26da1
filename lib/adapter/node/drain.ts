import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { latestAnswerOn } from './latest-answers.ts';
import { isTunnel } from './upgrade.ts';

const LOOK_MS = 50;
/** A connection that has said nothing for so long after the signal is not about to. */
const SILENT_MS = 1_000;

/**
 * Remembers the connections of `server`, one of `createNodeServer`, from now on. What it gives stops taking new ones and
 * resolves when the last has ended. A kept-alive connection is ended with its next answer, which says so (`Connection: close`, RFC 9112
 * §9.6), also where its request came before the signal, or as soon as it rests: under load it would otherwise go on for ever. One on
 * which nothing ever came (opened ahead, or held by a health check) counts as busy to Node and is cut after a second.
 * A WebSocket is cut with them: its client connects again elsewhere. Does not bound how long a request may take that has begun.
 */
export function createConnectionDrain(server: Server | HttpsServer): () => Promise<void> {
  const connections = new Set<Socket>();
  // Over TLS there are two for each: what was read of a raw one is the handshake, of the other what was said.
  for (const event of ['connection', 'secureConnection'])
    server.on(event, (socket: Socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    });
  let draining = false;
  server.prependListener('request', (_incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (draining) outgoing.shouldKeepAlive = false;
  });

  return () =>
    new Promise((resolve) => {
      draining = true;
      for (const socket of connections) {
        const outgoing = latestAnswerOn(socket);
        if (outgoing) outgoing.shouldKeepAlive = false;
      }
      const looking = setInterval(() => server.closeIdleConnections(), LOOK_MS);
      const cutting = setTimeout(() => {
        for (const socket of connections) if (socket.bytesRead === 0 || isTunnel(socket)) socket.destroy();
      }, SILENT_MS);
      server.close(() => {
        clearInterval(looking);
        clearTimeout(cutting);
        resolve();
      });
      server.closeIdleConnections();
    });
}
