import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import type { createApp } from '../app.ts';
import { createTlsServer, type ServerTls, type TlsParts } from './tls.ts';

/** Bindings that the Node listener gives the app with each request. */
export interface NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

const rawTargets = new WeakMap<IncomingMessage, string>();

/** Request target as it stood on the request line. */
export const rawTargetOf = (incoming: IncomingMessage): string => rawTargets.get(incoming) ?? '';

const maximumHeaderBytes = 32 * 1024;

/**
 * The HTTP server of the Node door, with TLS of its own where files are given (`createTlsServer`). The app gets every
 * request with its raw target, so an odd target or Host is the decision's to refuse, not a URL parser's; `check` comes
 * before it and takes the requests that it can answer by itself.
 */
export const createNodeServer = (
  app: { fetch: ReturnType<typeof createApp<NodeBindings>>['fetch'] },
  check: (incoming: IncomingMessage, outgoing: ServerResponse, target: string) => boolean,
  tls: ServerTls | null,
  parts: TlsParts,
): Server | HttpsServer => {
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
  return tls ? createTlsServer(serve, limits, tls, parts) : createHttpServer(limits, serve);
};
