import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../../decision/ports.ts';
import type { ClientCertificate } from '../../decision/principal.ts';
import type { Hop } from '../../decision/request.ts';
import type { ServerTls } from '../../platform/node/tls/server-tls.ts';
import { watchTlsFiles } from '../../platform/node/tls/tls-files.ts';

export interface TlsParts {
  readonly log: Log;
  readCertificate(der: Uint8Array): Promise<ClientCertificate | null>;
}

type Client = Pick<Hop, 'certificate' | 'certificateRefusal'>;

const noClient: Client = { certificate: null };
const clients = new WeakMap<object, Client>();

/** What the TLS of a request's connection says of its client: a verified certificate, why one does not count, or none. */
export function clientOf(incoming: IncomingMessage): Client {
  return clients.get(incoming.socket) ?? noClient;
}

const handshakeMs = 10_000;

/**
 * An HTTPS server (TLS 1.2 at least) that asks for client certificates and verifies them against the given authorities and
 * revocation lists; with a list, every authority needs a current one, or nobody of its gets in. When the files change, the
 * new ones count from the next request on: idle connections are closed, busy ones after their answer, a request that comes
 * on one even so is cut off, and no session from before is resumed. Files that cannot be used change nothing, and are said
 * once.
 */
export function createTlsServer(
  serve: (incoming: IncomingMessage, outgoing: ServerResponse) => unknown,
  options: ServerOptions,
  { files, first }: ServerTls,
  { log, readCertificate }: TlsParts,
): Server {
  let generation = 0;
  const generations = new WeakMap<object, number>();
  const busy = new Set<ServerResponse>();
  const server = createServer(
    {
      ...options,
      ...first.options,
      handshakeTimeout: handshakeMs,
      requestCert: files.authorities !== null,
      rejectUnauthorized: false,
    },
    async (incoming, outgoing) => {
      const socket = incoming.socket as TLSSocket;
      if (generations.get(socket) !== generation) return socket.destroy();
      busy.add(outgoing);
      outgoing.once('close', () => busy.delete(outgoing));
      if (files.authorities && !clients.has(socket)) clients.set(socket, await clientOn(socket, readCertificate));
      return serve(incoming, outgoing);
    },
  );

  server.on('secureConnection', (socket) => generations.set(socket, generation));

  const retireConnections = () => {
    generation += 1;
    server.closeIdleConnections();
    for (const outgoing of busy) {
      const { socket } = outgoing;
      outgoing.shouldKeepAlive = false;
      outgoing.once('close', () => socket?.destroySoon());
    }
  };

  const unwatch = watchTlsFiles(files, log, 'tls_reload_failed', ({ options: next }) => {
    server.setSecureContext(next);
    retireConnections();
    // A handshake that began before ends by the old files: whoever drew one out gains no more than this.
    setTimeout(retireConnections, handshakeMs).unref();
    log('info', 'tls_reloaded');
  });
  server.once('close', unwatch);
  return server;
}

async function clientOn(socket: TLSSocket, readCertificate: TlsParts['readCertificate']): Promise<Client> {
  const presented = socket.getPeerX509Certificate();
  if (!presented) return noClient;
  if (!socket.authorized)
    return {
      certificate: null,
      certificateRefusal: { reason: hasExpired(socket) ? 'certificate_expired' : 'certificate_unverified' },
    };
  const certificate = await readCertificate(presented.raw);
  return certificate ? { certificate } : { certificate, certificateRefusal: { reason: 'certificate_malformed' } };
}

function hasExpired(socket: TLSSocket): boolean {
  return String(socket.authorizationError) === 'CERT_HAS_EXPIRED';
}
