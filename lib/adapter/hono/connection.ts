import type { Context } from 'hono';
import type { Connection } from '../library/received.ts';
import { isLoopbackPeer } from '../loopback-peer.ts';

/** The part of Node's message that `@hono/node-server` puts into `c.env.incoming`. */
interface Incoming {
  readonly url?: string;
  readonly socket?: { readonly remoteAddress?: string; readonly encrypted?: boolean };
}

/** What the runtime below Hono tells of a request's connection. On Workers, `request.cf` tells it instead. */
export function connectionOf(c: Context): Connection {
  const { incoming } = (c.env ?? {}) as { readonly incoming?: Incoming };
  const execution = executionOf(c);
  const waits = execution && { waitUntil: (promise: Promise<unknown>) => execution.waitUntil(promise) };
  if (!incoming?.socket) return { ...waits };
  const { remoteAddress, encrypted } = incoming.socket;
  return {
    ...waits,
    ...(incoming.url?.startsWith('/') ? { target: incoming.url } : {}),
    peerAddress: remoteAddress ?? null,
    secure: encrypted ? true : isLoopbackPeer(remoteAddress) ? null : false,
  };
}

/** Hono throws where a runtime has no execution context. */
function executionOf(c: Context): { waitUntil(promise: Promise<unknown>): void } | null {
  try {
    return c.executionCtx;
  } catch {
    return null;
  }
}
