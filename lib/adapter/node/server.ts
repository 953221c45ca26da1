import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import type { createApp } from '../../http/app.ts';
import type { ServerTls } from '../../platform/node/tls/server-tls.ts';
import { denialAnswer } from '../../respond/denial.ts';
import { createTlsServer, type TlsParts } from './tls.ts';

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

const latestAnswers = new WeakMap<Duplex, ServerResponse>();

/** The answer to the latest request of a connection of `createNodeServer`, if one came. */
export function latestAnswerOn(socket: Duplex): ServerResponse | undefined {
  return latestAnswers.get(socket);
}

const maximumHeaderBytes = 32 * 1024;

/** How long a client may take to end a connection that was ended here. */
const LINGER_MS = 1_000;

/**
 * What is no HTTP request, or holds more fields than are looked at, is told as any other bad request and its connection
 * ended; there is nothing to decide about. Silence where an answer has begun, since a second one in it would be taken for its
 * body, and where no request was read at all: a failed handshake of TLS comes here too.
 */
function refuseUnreadable(newId: () => string) {
  return (error: Error, socket: Duplex) => {
    const { code = '' } = error as { code?: string };
    const timedOut = code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const unreadable = timedOut || code.startsWith('HPE_');
    const latest = latestAnswerOn(socket);
    const answering = latest?.headersSent === true && !latest.writableFinished;
    if (!unreadable || !socket.writable || answering) {
      socket.destroy(error);
      return;
    }
    const told = { requestId: newId(), authMethod: 'none' } as const;
    const { headers, body } = denialAnswer({ reason: 'host_invalid' }, told);
    const content = timedOut ? '' : (body ?? '');
    const fields = timedOut ? [] : headers.map(([name, value]) => `${name}: ${value}`);
    const status = timedOut ? '408 Request Timeout' : '400 Bad Request';
    const lines = [
      `HTTP/1.1 ${status}`,
      ...fields,
      `content-length: ${content.length}`,
      'connection: close',
      '',
      content,
    ];
    socket.end(lines.join('\r\n'));
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
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
  parts: TlsParts & { newId(): string },
): Server | HttpsServer {
  const listen = getRequestListener((request, env) => app.fetch(request, env as NodeBindings), {
    overrideGlobalObjects: false,
  });

  const serve = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const target = incoming.url ?? '';
    if (check(incoming, outgoing, target)) return;
    rawTargets.set(incoming, target);
    // The adapter would make a URL of these and refuse some by itself; the decision reads the raw ones.
    incoming.url = '/';
    incoming.headers.host = 'localhost';
    void listen(incoming, outgoing);
  };

  const limits = { maxHeaderSize: maximumHeaderBytes, requireHostHeader: false, keepAliveTimeout: 65_000 };
  const server = tls ? createTlsServer(serve, limits, tls, parts) : createHttpServer(limits, serve);
  server.prependListener('request', ({ socket }: IncomingMessage, outgoing: ServerResponse) => {
    latestAnswers.set(socket, outgoing);
  });
  return server.on('clientError', refuseUnreadable(parts.newId));
}
