import {
  type Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { AnswerRefused, isBodiless, refusalOf } from './answer.ts';
import type { MaybeGivenUp } from './kept-connections.ts';

/** Agents of one place: `kept` keeps connections alive, `fresh` makes a new one for each request. */
export interface ExchangeAgents {
  readonly kept: Agent;
  readonly fresh: Agent;
}

export interface ExchangeRequest {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders | readonly string[];
  readonly agents: ExchangeAgents;
  readonly signal: AbortSignal | null;
  /** Whether the same bytes can be sent once more on a new connection. */
  readonly repeatable: boolean;
  /** How long the answer to a request that was sent and given up is still waited for, so that its connection stays; 0: it ends. */
  readonly lingerMs?: number;
  /** The other side may answer 101 and take the connection over. */
  readonly upgrade: boolean;
  /** Writes the body and ends the request. */
  send(outgoing: ClientRequest): void;
  /** Called once, when nothing of the request or its answer is under way any more. */
  ended?(): void;
}

export interface Exchanged {
  readonly incoming: IncomingMessage;
  /** The connection after a 101 that was asked for, with the bytes that came behind it. */
  readonly taken: { readonly socket: Duplex; readonly head: Buffer } | null;
}

/** A kept connection that the other side had closed before a byte of the answer came. */
class ConnectionStale extends Error {
  readonly code = 'connection_reset';
}

/**
 * Sends one request over Node's own client. Settles exactly once, whatever the other side sends: an answer, an upgrade, an
 * error, a close, or the abort of the signal. An answer that HTTP does not allow rejects with `AnswerRefused`. Where
 * `repeatable`, a request on a kept connection that was closed before a byte came back is sent once more on a new one.
 */
export async function exchange(request: ExchangeRequest): Promise<Exchanged> {
  try {
    const first = await attempt(request, request.agents.kept).catch((error: unknown) => {
      if (!(error instanceof ConnectionStale && request.repeatable && request.signal?.aborted !== true)) throw error;
      return attempt(request, request.agents.fresh);
    });
    whenOver(first, () => request.ended?.());
    return first;
  } catch (error) {
    request.ended?.();
    throw error;
  }
}

function whenOver({ incoming, taken }: Exchanged, then: () => void): void {
  if (taken === null && incoming.destroyed) then();
  else (taken?.socket ?? incoming).once('close', then);
}

function attempt(request: ExchangeRequest, agent: Agent): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const { secure, host, port, method, path, signal } = request;
    const headers = request.headers as OutgoingHttpHeaders;
    let isOver = false;
    let answer: IncomingMessage | null = null;
    const isWanted = () => !isOver;
    const options: RequestOptions & MaybeGivenUp = { host, port, method, path, headers, agent, isWanted };
    const outgoing = (secure ? httpsRequest : httpRequest)(options);
    const received = watchForBytes(outgoing);
    const fail = (error: Error) => {
      isOver = true;
      outgoing.destroy(error);
      // Some services send a body where there is none.
      if (answer?.complete && isBodiless(method, answer.statusCode ?? 0))
        return resolve({ incoming: answer, taken: null });
      const stale = outgoing.reusedSocket && isReset(error) && !received();
      reject(stale ? new ConnectionStale(error.message) : error);
    };
    const abort = () => {
      const error = new Error('aborted');
      const isSent = outgoing.socket !== null && outgoing.writableFinished && answer === null;
      if (!isSent || !request.lingerMs) return fail(error);
      reject(error);
      isOver = true;
      linger(outgoing, request.lingerMs);
    };
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    outgoing.once('response', (incoming) => {
      answer = incoming;
      const refusal = refusalOf(incoming);
      if (refusal === null && isOver) return void incoming.on('error', ignored).resume();
      // The rest of a packet is parsed first: what breaks there is no answer.
      if (refusal === null) return process.nextTick(resolve, { incoming, taken: null });
      incoming.on('error', ignored);
      fail(refusal);
    });
    outgoing.once('upgrade', (incoming, socket, head) => {
      socket.on('error', ignored);
      if (request.upgrade) return resolve({ incoming, taken: { socket, head } });
      socket.destroy();
      fail(new AnswerRefused('upgrade'));
    });
    // Stays for as long as the request: an error after the answer has begun must find a listener too.
    outgoing.on('error', fail);
    outgoing.once('close', () => {
      signal?.removeEventListener('abort', abort);
      fail(new AnswerRefused('none'));
    });
    request.send(outgoing);
  });
}

/** Ends a request that nobody waits for any more, unless its answer comes to an end before. */
function linger(outgoing: ClientRequest, milliseconds: number): void {
  const timer = setTimeout(() => outgoing.destroy(), milliseconds);
  timer.unref();
  outgoing.once('close', () => clearTimeout(timer));
}

function isReset(error: Error): boolean {
  const { code } = error as { code?: string };
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** Tells whether anything came back on a kept connection; looked at only there, since nothing else is sent again. */
function watchForBytes(outgoing: ClientRequest): () => boolean {
  let received = false;
  outgoing.once('socket', (socket) => {
    if (!outgoing.reusedSocket) return;
    const note = () => {
      received = true;
    };
    socket.once('data', note);
    outgoing.once('close', () => socket.removeListener('data', note));
  });
  return () => received;
}

function ignored(): void {}
