import type { Agent } from 'node:http';
import type { Socket } from 'node:net';

/** Longest that a connection may take to be made. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Connections being made at once at most. */
const MAXIMUM_CONNECTING = 64;

/** A member of the options of a request: whether anybody still waits for it. */
export interface MaybeGivenUp {
  readonly isWanted?: () => boolean;
}

interface Waiting {
  readonly isWanted: () => boolean;
  readonly take: (error: Error | null, socket: Socket) => void;
}

/**
 * Makes the connections of an agent to one place apart from the requests that asked for them. A request that is given up
 * leaves the connection alone that is being made: the request that has waited longest gets it, or the next one finds it ready.
 */
export function keepConnecting<A extends Agent>(agent: A, secure: boolean): A {
  const connect = agent.createConnection.bind(agent);
  const waiting: Waiting[] = [];
  const ready = new Set<Socket>();
  let connecting = 0;

  const stillWaiting = (): Waiting | undefined => {
    for (let first = waiting.shift(); first !== undefined; first = waiting.shift()) {
      if (first.isWanted()) return first;
      first.take(new Error('given up'), undefined as never);
    }
    return undefined;
  };
  const made = (error: Error | null, socket: Socket): void => {
    connecting -= 1;
    if (error !== null) {
      socket.destroy();
      stillWaiting()?.take(error, undefined as never);
      return;
    }
    const next = stillWaiting();
    if (next !== undefined) {
      next.take(null, socket.ref() as Socket);
      return;
    }
    ready.add(socket);
    socket.once('close', () => ready.delete(socket));
  };

  agent.createConnection = (options, callback) => {
    if (callback === undefined) return connect(options);
    const { isWanted = () => true } = options as MaybeGivenUp;
    for (const socket of ready) {
      ready.delete(socket);
      if (socket.destroyed) continue;
      callback(null, socket.ref() as Socket);
      return undefined;
    }
    const take = callback as Waiting['take'];
    const alive = waiting.filter((one) => one.isWanted()).length;
    waiting.push({ isWanted, take });
    if (connecting > alive || connecting >= MAXIMUM_CONNECTING) return undefined;
    let refusal: Error | null = null;
    const socket = connect(options, (error) => {
      refusal = error;
    }) as Socket | undefined;
    if (socket == null) {
      waiting.pop();
      take(refusal ?? new Error('no connection'), undefined as never);
      return undefined;
    }
    connecting += 1;
    whenMade(socket.unref(), secure, (error) => made(error, socket));
    return undefined;
  };
  return agent;
}

/** Calls back once: null when the connection is made, TLS included, else why it was not. */
function whenMade(socket: Socket, secure: boolean, then: (error: Error | null) => void): void {
  const event = secure ? 'secureConnect' : 'connect';
  let ended = false;
  const end = (error: Error | null) => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    then(error);
  };
  const timer = setTimeout(() => end(new Error('the connection took too long')), CONNECT_TIMEOUT_MS);
  timer.unref();
  socket.once(event, () => end(null));
  // Stays: while a connection rests, nobody else listens.
  socket.on('error', (error) => end(error));
  socket.once('close', () => end(new Error('closed before the connection was made')));
}
