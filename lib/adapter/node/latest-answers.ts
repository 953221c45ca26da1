import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const latestAnswers = new WeakMap<Duplex, ServerResponse>();

/** The answer to the latest request of a connection of `createNodeServer`, if one came. */
export function latestAnswerOn(socket: Duplex): ServerResponse | undefined {
  return latestAnswers.get(socket);
}

/** Remembers the latest answer of each connection, ahead of every other listener. */
export function rememberAnswers(server: Server): void {
  server.prependListener('request', ({ socket }: IncomingMessage, outgoing: ServerResponse) => {
    latestAnswers.set(socket, outgoing);
  });
}
