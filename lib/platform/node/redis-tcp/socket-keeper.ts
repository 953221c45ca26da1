import type { Duplex } from 'node:stream';
import { RedisFailure } from '../../../redis/failure.ts';

/** More than any reply that is asked for: the largest is a batch of records. */
const LONGEST_REPLY_BYTES = 64 * 1024 * 1024;
/** From its first byte to its last, while bytes keep coming. */
const LONGEST_REPLY_MS = 2_000;
/** Bytes after such a silence begin another reply. */
const PAUSE_MS = 1_000;

/**
 * Keeps a process alive by its connections only while commands are under way. Leaves a connection whose reply has no end:
 * the library notices silence only, and keeps what comes in memory.
 */
export function createSocketKeeper() {
  const sockets = new Set<Duplex & { ref?(): unknown; unref?(): unknown }>();
  let pending = 0;
  let replies = 0;

  const watch = (socket: Duplex): void => {
    let [after, bytes, sinceMs, lastMs] = [-1, 0, 0, 0];
    socket.on('data', (piece: Uint8Array) => {
      const nowMs = performance.now();
      if (after !== replies || nowMs - lastMs > PAUSE_MS) [after, bytes, sinceMs] = [replies, 0, nowMs];
      lastMs = nowMs;
      bytes += piece.length;
      if (bytes > LONGEST_REPLY_BYTES || nowMs - sinceMs > LONGEST_REPLY_MS)
        socket.destroy(new Error('a reply without end'));
    });
  };
  return {
    opened(socket: Duplex): void {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      watch(socket);
    },
    async whileHeld(work: Promise<unknown>): Promise<unknown> {
      pending += 1;
      if (pending === 1) for (const socket of sockets) socket.ref?.();
      try {
        const reply = await work;
        replies += 1;
        return reply;
      } catch (error) {
        const isReply = error instanceof RedisFailure && error.kind !== 'deadline' && error.kind !== 'unreachable';
        if (isReply) replies += 1;
        throw error;
      } finally {
        pending -= 1;
        if (pending === 0) for (const socket of sockets) socket.unref?.();
      }
    },
  };
}
