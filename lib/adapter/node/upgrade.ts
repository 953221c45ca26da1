import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Tunnel, tunnelOf } from '../../platform/node/client/tunnel.ts';
import { ByteServerResponse } from './server-response.ts';

const heads = new WeakMap<IncomingMessage, Buffer>();
const tunnels = new WeakSet<Duplex>();

/** How often a silent tunnel asks whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000;

/** Whether a connection carries WebSocket frames now, and no requests any more. */
export function isTunnel(socket: Duplex): boolean {
  return tunnels.has(socket);
}

/** Whether the caller asks for WebSocket (RFC 6455 §4.1). Every other upgrade is an ordinary request. */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

/** The option of Node's server that keeps its parser on every other request; Node before 24.9 does not know it. */
export const upgradeOptions = { shouldUpgradeCallback: asksForWebSocket };

/** Gives requests that Node has taken off its parser, upgrades and `CONNECT`, to the same listeners as all others. */
export function serveUpgrades(server: Server): void {
  const serve = (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const outgoing = new ByteServerResponse(incoming);
    outgoing.shouldKeepAlive = false;
    outgoing.assignSocket(socket);
    outgoing.once('finish', () => socket.end());
    heads.set(incoming, head);
    server.emit('request', incoming, outgoing);
  };
  server.on('upgrade', serve);
  server.on('connect', serve);
}

/** Whether this message came as an upgrade to WebSocket. */
export function isUpgrade(incoming: IncomingMessage): boolean {
  return heads.has(incoming) && asksForWebSocket(incoming);
}

/** Decides about an upgrade; joins both connections where the upstream has switched, else writes the answer. */
export async function answerUpgrade(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<void> {
  const { socket } = incoming;
  const gone = new AbortController();
  const leave = () => gone.abort();
  socket.once('close', leave);
  try {
    const response = await fetch(new Request('http://localhost/', { signal: gone.signal }));
    const tunnel = tunnelOf(response);
    if (tunnel === undefined) return await write(response, outgoing);
    join(socket, heads.get(incoming) ?? Buffer.alloc(0), tunnel);
  } catch {
    socket.destroy();
  } finally {
    socket.removeListener('close', leave);
  }
}

async function write(response: Response, outgoing: ServerResponse): Promise<void> {
  const fields = [...response.headers].flat();
  outgoing.writeHead(response.status, [...fields, 'connection', 'close']);
  for await (const chunk of response.body ?? []) if (!outgoing.write(chunk)) await drained(outgoing);
  outgoing.end();
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once('drain', resolve);
    outgoing.once('close', resolve);
  });
}

/** Copies bytes both ways until one side ends; then the other ends too. */
function join(caller: Socket, head: Buffer, { socket: upstream, head: first, fields }: Tunnel): void {
  tunnels.add(caller);
  if (caller.destroyed) return void upstream.destroy();
  caller.setTimeout(0);
  caller.setKeepAlive(true, KEEP_ALIVE_MS);
  caller.setNoDelay(true);
  const lines = ['HTTP/1.1 101 Switching Protocols'];
  for (let at = 0; at < fields.length; at += 2) lines.push(`${fields[at]}: ${fields[at + 1]}`);
  caller.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (first.length > 0) caller.write(first);
  if (head.length > 0) upstream.write(head);
  for (const [from, to] of [
    [caller, upstream],
    [upstream, caller],
  ] as const) {
    from.on('error', () => to.destroy());
    from.once('close', () => to.destroy());
    from.pipe(to);
  }
}
