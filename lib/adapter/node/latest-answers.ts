import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const latestAnswers = new WeakMap<Duplex, ServerResponse>();

/** The answer to the latest request of a connection of `createNodeServer`, if one came. */
export function latestAnswerOn(socket: Duplex): ServerResponse | undefined {
  return latestAnswers.get(socket);
}

/** Remembers an answer that has just been made as the latest of its connection. */
export function rememberAnswer({ socket }: IncomingMessage, outgoing: ServerResponse): void {
  latestAnswers.set(socket, outgoing);
}
