import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { createApp } from '../../http/app.ts';
import type { ServerTls } from '../../platform/node/tls/server-tls.ts';
import { endIdleConnections, idleOptions } from './idle/idle.ts';
import { latestAnswerOn } from './latest-answers.ts';
import { LeanMessage } from './lean-message.ts';
import { ByteServerResponse } from './server-response.ts';
import { createTlsServer, type TlsParts } from './tls.ts';
import { framingFault } from './unreadable/framing-fault.ts';
import type { Unreadable } from './unreadable/unreadable.ts';
import type { AnswerUnreadable } from './unreadable/unreadable-check.ts';
import { answerUpgrade, isUpgrade, serveUpgrades, upgradeOptions } from './upgrade.ts';

/** Bindings that the Node listener gives the app with each request. */
export interface NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

const rawTargets = new WeakMap<IncomingMessage, string>();

/** Request target as it stood on the request line. */
export function rawTargetOf(incoming: IncomingMessage): string {
  return rawTargets.get(incoming) ?? '';
}

const maximumHeaderBytes = 32 * 1024;

/**
 * What is no HTTP request, or holds more fields than are looked at, is told as any other bad request and its connection
 * ended; there is nothing to decide about. Silence where an answer has begun, since a second one in it would be taken for its
 * body, and where no request was read at all: a failed handshake of TLS comes here too.
 */
function refuseUnreadable(unreadable: Unreadable, answerUnreadable: AnswerUnreadable) {
  return (error: Error, socket: Duplex) => {
    const { code = '' } = error as { code?: string };
    const timedOut = code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const latest = latestAnswerOn(socket);
    const answering = latest?.headersSent === true && !latest.writableFinished;
    if (!(timedOut || code.startsWith('HPE_')) || !socket.writable || answering) {
      socket.destroy(error);
      return;
    }
    const { rawPacket } = error as { rawPacket?: Buffer };
    const answer = timedOut || rawPacket === undefined ? null : answerUnreadable(socket, rawPacket);
    const refuse = () => unreadable.refuse(socket, timedOut ? 408 : 400, code);
    if (answer === null) refuse();
    else answer.then((told) => unreadable.answer(socket, told), refuse);
  };
}

export interface NodeServerParts extends TlsParts {
  readonly unreadable: Unreadable;
  readonly answerUnreadable: AnswerUnreadable;
  /** Longest time in which no byte of a request or an answer moves. */
  readonly idleTimeoutMs: number;
}

/**
 * The HTTP server of the Node door, with TLS of its own where files are given (`createTlsServer`). The app gets every
 * request with its raw target, so an odd target or Host is the decision's to refuse, not a URL parser's; `check` comes
 * before it and takes the requests that it can answer by itself.
 */
export function createNodeServer(
  app: { fetch: ReturnType<typeof createApp<NodeBindings>>['fetch'] },
  check: (incoming: IncomingMessage, outgoing: ServerResponse, target: string) => boolean,
  tls: ServerTls | null,
  parts: NodeServerParts,
): Server | HttpsServer {
  const listen = getRequestListener((request, env) => app.fetch(request, env as NodeBindings), {
    overrideGlobalObjects: false,
  });

  const serve = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const fault = framingFault(incoming);
    if (fault !== null) return parts.unreadable.refuseRead(outgoing, 400, fault);
    const target = incoming.url ?? '';
    if (check(incoming, outgoing, target)) return;
    if (incoming instanceof LeanMessage) incoming.readsFields = true;
    rawTargets.set(incoming, target);
    // The adapter would make a URL of these and refuse some by itself; the decision reads the raw ones.
    incoming.url = '/';
    incoming.headers.host = 'localhost';
    if (isUpgrade(incoming))
      void answerUpgrade(incoming, outgoing, async (request) => app.fetch(request, { incoming, outgoing }));
    else void listen(incoming, outgoing);
  };

  const limits = {
    maxHeaderSize: maximumHeaderBytes,
    requireHostHeader: false,
    keepAliveTimeout: 65_000,
    ...idleOptions(parts.idleTimeoutMs),
    ...upgradeOptions,
    IncomingMessage: LeanMessage,
    ServerResponse: ByteServerResponse,
  };
  const server = tls ? createTlsServer(serve, limits, tls, parts) : createHttpServer(limits, serve);
  serveUpgrades(server);
  endIdleConnections(server, parts.idleTimeoutMs, parts);
  server.on('checkExpectation', (_incoming, outgoing) => parts.unreadable.refuseRead(outgoing, 417, 'expectation'));
  return server.on('clientError', refuseUnreadable(parts.unreadable, parts.answerUnreadable));
}
