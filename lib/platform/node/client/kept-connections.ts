import type { Agent } from 'node:http';
import type { Socket } from 'node:net';

/** Longest that a connection may take to be made. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that has taken longer is still waited for, but the next request begins another beside it. */
const SLOW_MS = 1_000;
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
  const connecting = createConnecting();

  const stillWaiting = (): Waiting | undefined => {
    for (let first = waiting.shift(); first !== undefined; first = waiting.shift()) {
      if (first.isWanted()) return first;
      first.take(new Error('given up'), undefined as never);
    }
    return undefined;
  };
  const made = (error: Error | null, socket: Socket): void => {
    connecting.ended(socket);
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
    if (connecting.quick() > alive || !connecting.hasRoom()) return undefined;
    let refusal: Error | null = null;
    const socket = connect(options, (error) => {
      refusal = error;
    }) as Socket | undefined;
    if (socket == null) {
      waiting.pop();
      take(refusal ?? new Error('no connection'), undefined as never);
      return undefined;
    }
    connecting.began(socket);
    whenMade(socket.unref(), secure, (error) => made(error, socket));
    return undefined;
  };
  return agent;
}

/** Connections that are being made. */
function createConnecting() {
  /** The oldest first, and since when. */
  const sinceMs = new Map<Socket, number>();
  const isSlow = (since: number) => performance.now() - since > SLOW_MS;
  return {
    began: (socket: Socket) => void sinceMs.set(socket, performance.now()),
    ended: (socket: Socket) => void sinceMs.delete(socket),
    /** How many are not slow. */
    quick: () => [...sinceMs.values()].filter((since) => !isSlow(since)).length,
    /** Whether one more can be made. Gives up the oldest for it, if that one is slow. */
    hasRoom(): boolean {
      if (sinceMs.size < MAXIMUM_CONNECTING) return true;
      const [oldest] = sinceMs;
      if (oldest === undefined || !isSlow(oldest[1])) return false;
      oldest[0].destroy(new Error('the connection took too long'));
      return true;
    },
  };
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
