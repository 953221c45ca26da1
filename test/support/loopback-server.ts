import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';

/** A listener on 127.0.0.1 that can be taken down (connections refused, open ones cut) and put back on the same port. */
export interface LoopbackServer {
  readonly port: number;
  down(): Promise<void>;
  up(): Promise<void>;
}

/** Listens with `server` on a free port of 127.0.0.1, or on `port`. Throws where that port is taken. */
export async function listenOnLoopback(server: Server | NetServer, port = 0): Promise<LoopbackServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listen = async (onPort: number) => {
    server.listen(onPort, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return address.port;
  };
  const taken = await listen(port);
  return {
    port: taken,
    async down() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async up() {
      if (!server.listening) await listen(taken);
    },
  };
}
