import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AbstractConnector } from 'ioredis';
import type { NodeEgress } from '../egress.ts';
import { RedisStream, type StreamRules } from './redis-stream.ts';

/** What of ioredis is used. */
export type Library = Pick<typeof import('ioredis'), 'Redis' | 'Cluster' | 'AbstractConnector'>;

/** Where a connection goes. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Opens a connection to a place that the configuration names; rejects for any other. */
export type OpenSocket = (place: Place) => Promise<Duplex>;

/** Opens sockets by the agents of this process, so that egress, addresses, client certificates and private CAs hold. */
export function createOpener(egress: NodeEgress, rules: StreamRules, opened: (socket: Duplex) => void): OpenSocket {
  const agent = egress.agents()[rules.secure ? 'https' : 'http'];
  return ({ host, port }) =>
    new Promise((resolve, reject) => {
      const bare = host.replace(/^\[|\]$/g, '');
      const { options: kept } = agent as unknown as { readonly options: object };
      const options = { ...kept, host: bare, port, servername: isIP(bare) === 0 ? bare : '' };
      const socket = agent.createConnection(options, (error) => {
        if (error) reject(error);
      });
      if (!socket) return;
      opened(socket);
      resolve(new RedisStream(socket, rules));
    });
}

/**
 * A connector for ioredis that finds its place and opens it by `open`. With `primaryOnly`, a server that says it is a
 * replica is left at once, and looked for again.
 */
export function connectorOf(
  { AbstractConnector }: Library,
  open: OpenSocket,
  locate: (options: Partial<Place>) => Promise<Place>,
  primaryOnly: boolean,
): new (
  options: unknown,
) => AbstractConnector {
  return class GuardedConnector extends AbstractConnector {
    readonly #options: Partial<Place>;

    constructor(options: unknown) {
      super(0);
      this.#options = options as Partial<Place>;
    }

    override check(info: { readonly role?: string } | null): boolean {
      return !primaryOnly || info?.role === undefined || info.role === 'master';
    }

    /** Closes at once: the other side may never end the connection that was given up. */
    override disconnect(): void {
      this.connecting = false;
      this.stream?.destroy();
    }

    override async connect(): Promise<never> {
      this.connecting = true;
      const stream = await open(await locate(this.#options));
      if (!this.connecting) {
        stream.destroy();
        throw new Error('the connection was closed while it was made');
      }
      stream.once('error', (error: Error) => {
        this.firstError = error;
      });
      this.stream = stream as AbstractConnector['stream'] & Duplex;
      return stream as never;
    }
  };
}
