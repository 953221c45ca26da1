import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { listenOnLoopback } from '../loopback-server.ts';

/** How long a printed link may wait for its one use. */
const LINK_MS = 10 * 60_000;

/** A link that signs in to the console, once. */
export interface SignInLink {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves a link that leads its first visitor to the console with a token made in that moment, in the fragment, which no
 * server and no log sees. Whoever comes later, or after ten minutes, gets nothing: what stands in a terminal opens no door.
 */
export async function startSignInLink(
  consoleUrl: string,
  mint: () => Promise<string>,
  port = 0,
  now: () => number = Date.now,
): Promise<SignInLink> {
  const path = `/${randomBytes(16).toString('base64url')}`;
  const endsAtMs = now() + LINK_MS;
  let isUsed = false;
  const server = createServer(async (request, response) => {
    response.setHeader('cache-control', 'no-store');
    response.setHeader('referrer-policy', 'no-referrer');
    if (request.url !== path || request.method !== 'GET') return response.writeHead(404).end();
    if (isUsed || now() >= endsAtMs) {
      response.setHeader('content-type', 'text/plain; charset=utf-8');
      return response.writeHead(410).end(`This link is used up. Sign in at ${consoleUrl} with a token.\n`);
    }
    isUsed = true;
    const token = await mint().catch(() => null);
    if (token === null) return response.writeHead(503).end();
    return response.writeHead(303, { location: `${consoleUrl}/sign-in#token=${encodeURIComponent(token)}` }).end();
  });
  const { port: taken, down } = await listenOnLoopback(server, port);
  return { url: `http://127.0.0.1:${taken}${path}`, stop: down };
}
