import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { Authority, IssuedCertificate } from './certificates.ts';
import { type Dialect, type FuzzingPeer, type Honest, laterOn, takeRequests } from './fuzzing-peer.ts';
import { listenOnLoopback } from './loopback-server.ts';
import { choose, seededRandom } from './random.ts';
import { AFTER, type Connection, MISLEADING, RAW, TAMPERED, type Wire } from './tls-nonsense.ts';

/** Certificates by which a peer is not who it says, and the one by which it is. */
export interface PeerCertificates {
  readonly good: SecureContext;
  /** The same, with TLS 1.2 at most, which knows renegotiation. */
  readonly old: SecureContext;
  readonly bad: Readonly<Record<string, SecureContext>>;
  /** What a caller believes. */
  readonly believed: SecureContext;
}

/** Makes the certificates: `authority` is the one that callers believe. */
export async function issuePeerCertificates(authority: Authority, stranger: Authority): Promise<PeerCertificates> {
  const subject = '/CN=127.0.0.1';
  const ours = { subject, subjectAltNames: ['IP:127.0.0.1'], usage: 'serverAuth' } as const;
  const day = 86_400_000;
  const at = (days: number) => new Date(Date.now() + days * day);
  // One after the other: an authority writes its index.
  const good = await authority.issue(ours);
  const other = await authority.issue({ ...ours, subjectAltNames: ['DNS:other.example', 'IP:127.0.0.2'] });
  const expired = await authority.issue({ ...ours, notBefore: at(-2), notAfter: at(-1) });
  const early = await authority.issue({ ...ours, notBefore: at(1), notAfter: at(2) });
  const client = await authority.issue({ ...ours, usage: 'clientAuth' });
  const foreign = await stranger.issue(ours);
  const contextOf = ({ pem, keyPem }: IssuedCertificate, more = '') =>
    createSecureContext({ key: keyPem, cert: `${pem}${more}` });
  return {
    good: contextOf(good),
    old: createSecureContext({ key: good.keyPem, cert: good.pem, maxVersion: 'TLSv1.2' }),
    believed: createSecureContext({ ca: authority.pem }),
    bad: {
      'a certificate of another name': contextOf(other),
      'a certificate that has ended': contextOf(expired),
      'a certificate that has not begun': contextOf(early),
      'a certificate for clients': contextOf(client),
      'a certificate of another authority': contextOf(foreign),
      'a certificate with its own authority': contextOf(foreign, stranger.pem),
      'a chain that is too large': contextOf(good, stranger.pem.repeat(400)),
    },
  };
}

/** Every kind of nonsense that this peer gives, those first that must never count as a success. */
export function tlsNonsenseKinds({ bad }: PeerCertificates) {
  const all = [...Object.keys(RAW), ...Object.keys(TAMPERED), ...Object.keys(bad), ...Object.keys(AFTER)];
  return { all, neverGood: all.filter((kind) => !MISLEADING.has(kind)) };
}

/** Carries bytes between a caller and a server of TLS, and gives what is between them. */
function carry(socket: Socket, port: number): Wire & { readonly inner: Socket } {
  const inner = connect(port, '127.0.0.1').setNoDelay(true);
  const wire = { inner, keepsOpen: false, pass: (chunk: Buffer, to: Socket): void => void to.write(chunk) };
  const end = () => {
    if (!wire.keepsOpen) socket.end();
  };
  inner.on('error', end).on('end', end);
  inner.on('data', (chunk) => {
    if (!socket.destroyed) wire.pass(chunk, socket);
  });
  socket.on('data', (chunk) => inner.write(chunk));
  socket.once('close', () => inner.destroy());
  return wire;
}

/** Where the servers of TLS are: connections of this process to itself. */
async function startInside() {
  const arrived = new Map<number, Socket>();
  const awaited = new Map<number, (socket: Socket) => void>();
  const loopback = await listenOnLoopback(
    createServer((socket) => {
      const port = socket.remotePort ?? 0;
      const take = awaited.get(port);
      if (take) take(socket);
      else arrived.set(port, socket);
      awaited.delete(port);
      socket.on('error', () => {});
    }),
  );
  return {
    port: loopback.port,
    async otherEndOf(inner: Socket): Promise<Socket> {
      await once(inner, 'connect');
      const port = inner.localPort ?? 0;
      const socket = arrived.get(port);
      arrived.delete(port);
      return socket ?? new Promise((resolve) => awaited.set(port, resolve));
    },
    stop: loopback.down,
  };
}

/** Like `startFuzzingPeer`, over TLS, with nonsense below it: instead of a handshake, within it and behind it. */
export async function startTlsFuzzingPeer(
  seed: number,
  honest: Honest,
  dialect: Dialect,
  certificates: PeerCertificates,
): Promise<FuzzingPeer> {
  const random = seededRandom(seed);
  const counts = new Map<string, number>();
  const kinds = tlsNonsenseKinds(certificates).all;
  const open = new Set<Socket>();
  let honestly = true;
  let chosen: string | null = null;
  /** What a connection was to get counts until the next change. */
  let changes = 0;
  const count = (kind: string) => counts.set(kind, (counts.get(kind) ?? 0) + 1);

  const answer = (connection: Connection, planned: string | null, request: { head: string; body: string }) => {
    const { port } = loopback;
    const truth = honest({ ...request, port, origin: `https://127.0.0.1:${port}` });
    if (connection.isSpoiled) return;
    if (honestly) return void connection.secured.write(dialect.write(truth));
    const kind = planned ?? chosen ?? choose(random, kinds);
    const act = AFTER[kind];
    // A connection of before, whose handshake was good: the next one gets what was chosen.
    if (act === undefined) return void connection.socket.destroy();
    count(kind);
    connection.isSpoiled = true;
    act({ ...connection, body: truth.body, whole: dialect.write(truth) });
  };

  const inside = await startInside();
  const secure = async (socket: Socket, kind: string | null) => {
    const sinceChange = changes;
    const wire = carry(socket, inside.port);
    const context = (kind === null ? null : certificates.bad[kind]) ?? certificates.good;
    if (kind !== null && TAMPERED[kind]) wire.pass = TAMPERED[kind](random);
    const secureContext = kind === 'a renegotiation' ? certificates.old : context;
    const secured = new TLSSocket(await inside.otherEndOf(wire.inner), { isServer: true, secureContext });
    secured.on('error', () => {}).setMaxListeners(0);
    const connection: Connection = { socket, wire, secured, random, later: laterOn(socket), isSpoiled: false };
    takeRequests(secured, dialect, (request) => answer(connection, sinceChange === changes ? kind : null, request));
  };

  const server = createServer((socket) => {
    open.add(socket);
    socket.setNoDelay(true).setMaxListeners(0);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    const kind = honestly ? null : (chosen ?? choose(random, kinds));
    const raw = kind === null ? undefined : RAW[kind];
    if (kind !== null && !AFTER[kind]) count(kind);
    if (raw === undefined) void secure(socket, kind);
    else socket.once('data', () => raw({ socket, random, later: laterOn(socket) })).resume();
  });
  const loopback = await listenOnLoopback(server);
  return {
    port: loopback.port,
    url: `https://127.0.0.1:${loopback.port}`,
    counts,
    behave(next) {
      honestly = next;
      changes++;
    },
    only(kind) {
      chosen = kind;
    },
    sockets: () => open.size,
    async stop() {
      await loopback.down();
      await inside.stop();
    },
  };
}
