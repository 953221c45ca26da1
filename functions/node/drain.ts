import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';

const LOOK_MS = 50;

/**
 * Stops taking connections and resolves when the last one has ended. A kept-alive connection is ended with its next answer
 * (`Connection: close`), or as soon as it rests: under load it would otherwise go on for ever.
 */
export const drainServer = (server: Server | HttpsServer): Promise<void> =>
  new Promise((resolve) => {
    server.prependListener('request', (_incoming, outgoing) => {
      outgoing.shouldKeepAlive = false;
    });
    const looking = setInterval(() => server.closeIdleConnections(), LOOK_MS);
    server.close(() => {
      clearInterval(looking);
      resolve();
    });
    server.closeIdleConnections();
  });
