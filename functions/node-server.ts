import { readFileSync, watch } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { ClientCertificate, Log } from '../lib/decision.ts';
import type { createApp } from './app.ts';

/** Bindings that the Node listener gives the app with each request. */
export interface NodeBindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

const rawTargets = new WeakMap<IncomingMessage, string>();
const certificates = new WeakMap<object, ClientCertificate | null>();

/** Request target as it stood on the request line. */
export const rawTargetOf = (incoming: IncomingMessage): string => rawTargets.get(incoming) ?? '';

/** The verified client certificate of a request's connection, or null. */
export const certificateOf = (incoming: IncomingMessage): ClientCertificate | null =>
  certificates.get(incoming.socket) ?? null;

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string | null;
  readonly clientCrl: string | null;
}

const maximumHeaderBytes = 32 * 1024;

/**
 * The HTTP server of the Node door, with TLS of its own where files are given (1.2 at least; client certificates asked for
 * and verified against the given authorities and revocation lists; all files read again when they change). The app gets
 * every request with its raw target, so an odd target or Host is the decision's to refuse, not a URL parser's.
 */
export const createNodeServer = (
  app: { fetch: ReturnType<typeof createApp<NodeBindings>>['fetch'] },
  tls: TlsFiles | null,
  parts: { readonly log: Log; readCertificate(der: Uint8Array): Promise<ClientCertificate | null> },
): Server | HttpsServer => {
  const listen = getRequestListener((request, env) => app.fetch(request, env as NodeBindings), {
    overrideGlobalObjects: false,
  });

  const serve = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    rawTargets.set(incoming, incoming.url ?? '');
    // The adapter would make a URL of these and refuse some by itself; the decision reads the raw ones.
    incoming.url = '/';
    incoming.headers.host = 'localhost';
    return listen(incoming, outgoing);
  };

  const limits = { maxHeaderSize: maximumHeaderBytes, requireHostHeader: false, keepAliveTimeout: 65_000 };
  if (!tls) return createHttpServer(limits, serve);

  const context = () => ({
    cert: readFileSync(tls.certificate),
    key: readFileSync(tls.key),
    ...(tls.clientCa ? { ca: readFileSync(tls.clientCa) } : {}),
    ...(tls.clientCrl ? { crl: readFileSync(tls.clientCrl) } : {}),
    minVersion: 'TLSv1.2' as const,
  });
  const server = createHttpsServer(
    { ...limits, ...context(), requestCert: tls.clientCa !== null, rejectUnauthorized: false },
    async (incoming, outgoing) => {
      const socket = incoming.socket as TLSSocket;
      if (tls.clientCa && !certificates.has(socket)) {
        const peer = socket.authorized ? socket.getPeerX509Certificate() : undefined;
        certificates.set(socket, peer ? await parts.readCertificate(peer.raw) : null);
      }
      return serve(incoming, outgoing);
    },
  );
  const reload = () => {
    try {
      server.setSecureContext(context());
      parts.log('info', 'tls_reloaded');
    } catch (error) {
      parts.log('error', 'tls_reload_failed', { error: (error as { code?: string }).code ?? 'unreadable' });
    }
  };
  const watchers = [tls.certificate, tls.key, tls.clientCa, tls.clientCrl]
    .filter((path) => path !== null)
    .map((path) => {
      let timer: NodeJS.Timeout | undefined;
      return watch(path, { persistent: false }, () => {
        clearTimeout(timer);
        timer = setTimeout(reload, 250);
      });
    });
  server.once('close', () => {
    for (const watcher of watchers) watcher.close();
  });
  return server;
};
