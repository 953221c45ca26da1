import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

function pathOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}

/**
 * Gives what resets a connection of `server` that is made from now on. A connection that is only closed stays with the kernel,
 * megabytes of the answer included, for as long as a caller who reads nothing confirms that it is there.
 */
export function rememberConnections(server: HttpServer | HttpsServer): (socket: Socket) => void {
  if (!(server instanceof TlsServer)) return (socket) => void socket.resetAndDestroy();
  // Node cannot reset a connection by its TLS side.
  const plain = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const path = pathOf(socket);
    plain.set(path, socket);
    socket.once('close', () => plain.delete(path));
  });
  return (socket) => {
    const below = plain.get(pathOf(socket));
    if (below === undefined) socket.destroy();
    else below.resetAndDestroy();
  };
}
