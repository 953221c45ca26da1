import type { Duplex } from 'node:stream';

/** Keeps a process alive by its connections only while commands are under way. */
export function createSocketKeeper() {
  const sockets = new Set<Duplex & { ref?(): unknown; unref?(): unknown }>();
  let pending = 0;
  return {
    opened(socket: Duplex): void {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    },
    async whileHeld(work: Promise<unknown>): Promise<unknown> {
      pending += 1;
      if (pending === 1) for (const socket of sockets) socket.ref?.();
      try {
        return await work;
      } finally {
        pending -= 1;
        if (pending === 0) for (const socket of sockets) socket.unref?.();
      }
    },
  };
}
