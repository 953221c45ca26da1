import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Log } from '../../../decision/ports.ts';
import { latestAnswerOn } from '../latest-answers.ts';
import type { Unreadable } from '../unreadable/unreadable.ts';
import { isTunnel } from '../upgrade.ts';
import { rememberConnections } from './reset.ts';

/** The gateway ends stalled uploads by itself, with an answer; it comes first. */
const GRACE_MS = 500;
const CHECK_MS = { least: 50, most: 15_000 } as const;

/** Options of Node's server: the header section must come in time, and how long a body takes is not limited. */
export function idleOptions(idleTimeoutMs: number) {
  const connectionsCheckingInterval = Math.min(CHECK_MS.most, Math.max(CHECK_MS.least, idleTimeoutMs / 4));
  return { headersTimeout: idleTimeoutMs, requestTimeout: 0, connectionsCheckingInterval };
}

/**
 * Ends connections on which no byte moved for the idle time: a stalled request with 408, a stalled answer by cutting it.
 * A request that waits for the upstream is left alone, since the upstream's own deadline ends it.
 */
export function endIdleConnections(
  server: Server | HttpsServer,
  idleTimeoutMs: number,
  { log, unreadable }: { readonly log: Log; readonly unreadable: Unreadable },
): void {
  server.timeout = idleTimeoutMs + GRACE_MS;
  const reset = rememberConnections(server);
  server.on('timeout', (socket: Socket) => {
    if (isTunnel(socket)) return;
    const latest = latestAnswerOn(socket);
    if (latest === undefined && socket.bytesRead > 0) return unreadable.refuse(socket, 408, 'stalled');
    if (latest === undefined || latest.writableFinished) return void socket.destroy();
    if (latest.headersSent) {
      log('warn', 'answer_stalled', { bytes_waiting: socket.writableLength });
      return reset(socket);
    }
    if (!latest.req.complete) unreadable.refuse(socket, 408, 'stalled');
  });
}
