import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Composed } from '../../compose/authorizer.ts';
import type { RequestContext } from '../../decision/ports.ts';
import type { createApp } from '../../http/app.ts';
import type { NodePlatform } from '../../platform/node/platform.ts';
import { createConnectionDrain } from './drain.ts';
import type { NodeBindings, NodeServerParts } from './server.ts';
import { createNodeServer } from './server.ts';

/** What a Node process hands to the console that it serves. */
export interface NodeConsoleHost {
  readonly platform: NodePlatform;
  readonly context: RequestContext;
  readonly stopping: AbortSignal;
  composed(): Composed | null;
}

/** Makes the pages of operators; loaded only where a port is given for them. */
export type OpenConsole = (
  host: NodeConsoleHost,
) => Promise<{ fetch: ReturnType<typeof createApp<NodeBindings>>['fetch'] }>;

/** The server of the console: a port of its own, with the limits of the gateway's. */
export interface NodeConsole {
  readonly server: Server | HttpsServer;
  /** Ends its streams and takes no further request; resolves when the last has ended. */
  stop(): Promise<void>;
}

/** Makes the console's server, which does not listen yet. */
export async function openNodeConsole(
  open: OpenConsole,
  host: Omit<NodeConsoleHost, 'stopping'>,
  composed: Composed,
  parts: NodeServerParts,
): Promise<NodeConsole> {
  const stopping = new AbortController();
  const app = await open({ ...host, stopping: stopping.signal });
  const server = createNodeServer(app, () => false, host.platform.serverTls(composed.config), parts);
  const drain = createConnectionDrain(server);
  return {
    server,
    stop() {
      stopping.abort();
      return drain();
    },
  };
}
