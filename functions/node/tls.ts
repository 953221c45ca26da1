import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificate, Hop, Log } from '../../lib/decision.ts';

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string | null;
  readonly clientCrl: string | null;
}

export interface TlsParts {
  readonly log: Log;
  readCertificate(der: Uint8Array): Promise<ClientCertificate | null>;
}

type Client = Pick<Hop, 'certificate' | 'certificateRefusal'>;

const noClient: Client = { certificate: null };
const clients = new WeakMap<object, Client>();

/** What the TLS of a request's connection says of its client: a verified certificate, why one does not count, or none. */
export const clientOf = (incoming: IncomingMessage): Client => clients.get(incoming.socket) ?? noClient;

const lookMs = 1_000;
const handshakeMs = 10_000;
/** Certificate and key are replaced one after the other: both must be there before they are read again. */
const settleMs = 250;

/**
 * An HTTPS server (TLS 1.2 at least) that asks for client certificates and verifies them against the given authorities and
 * revocation lists; with a list, every authority needs a current one, or nobody of its gets in. Files are looked at by
 * path, so that the replaced symbolic links of a mounted secret are followed. When they change, the new ones count from
 * the next request on: idle connections are closed, busy ones after their answer, a request that comes on one even so is
 * cut off, and no session from before is resumed.
 * Files that cannot be used change nothing. Throws when the first ones cannot be.
 */
export const createTlsServer = (
  serve: (incoming: IncomingMessage, outgoing: ServerResponse) => unknown,
  options: ServerOptions,
  files: TlsFiles,
  { log, readCertificate }: TlsParts,
): Server => {
  const readClient = async (socket: TLSSocket): Promise<Client> => {
    const presented = socket.getPeerX509Certificate();
    if (!presented) return noClient;
    if (!socket.authorized)
      return {
        certificate: null,
        certificateRefusal: { reason: hasExpired(socket) ? 'certificate_expired' : 'certificate_unverified' },
      };
    const certificate = await readCertificate(presented.raw);
    return certificate ? { certificate } : { certificate, certificateRefusal: { reason: 'certificate_malformed' } };
  };

  let generation = 0;
  const generations = new WeakMap<object, number>();
  const busy = new Set<ServerResponse>();
  const server = createServer(
    {
      ...options,
      ...readFiles(files),
      handshakeTimeout: handshakeMs,
      requestCert: files.clientCa !== null,
      rejectUnauthorized: false,
    },
    async (incoming, outgoing) => {
      const socket = incoming.socket as TLSSocket;
      if (generations.get(socket) !== generation) return socket.destroy();
      busy.add(outgoing);
      outgoing.once('close', () => busy.delete(outgoing));
      if (files.clientCa && !clients.has(socket)) clients.set(socket, await readClient(socket));
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

  const reload = () => {
    try {
      server.setSecureContext(readFiles(files));
    } catch (error) {
      log('error', 'tls_reload_failed', { error: (error as { code?: string }).code ?? 'unusable' });
      return;
    }
    retireConnections();
    // A handshake that began before ends by the old files: whoever drew one out gains no more than this.
    setTimeout(retireConnections, handshakeMs).unref();
    log('info', 'tls_reloaded');
  };

  let settling: NodeJS.Timeout | undefined;
  const changed = () => {
    clearTimeout(settling);
    settling = setTimeout(reload, settleMs).unref();
  };
  const paths = Object.values(files).filter((path) => path !== null);
  for (const path of paths) watchFile(path, { interval: lookMs, persistent: false }, changed);
  server.once('close', () => {
    clearTimeout(settling);
    for (const path of paths) unwatchFile(path, changed);
  });
  return server;
};

const hasExpired = (socket: TLSSocket): boolean => String(socket.authorizationError) === 'CERT_HAS_EXPIRED';

const readFiles = ({ certificate, key, clientCa, clientCrl }: TlsFiles) => ({
  cert: readFileSync(certificate),
  key: readFileSync(key),
  ...(clientCa ? { ca: readFileSync(clientCa) } : {}),
  ...(clientCrl ? { crl: revocationLists(readFileSync(clientCrl, 'latin1')) } : {}),
  minVersion: 'TLSv1.2' as const,
});

/** Node reads only the first list of a text, and takes no list at all for leave to check nothing. */
const revocationLists = (pem: string): string[] => {
  const lists = pem.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g);
  if (!lists) throw Object.assign(new Error('no revocation list in the file'), { code: 'no_revocation_list' });
  return lists;
};
