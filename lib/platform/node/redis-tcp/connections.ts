import type { Duplex } from 'node:stream';
import type { Cluster, Redis } from 'ioredis';
import type { NodeEgress } from '../egress.ts';
import { connectorOf, createOpener, type Library, type Place } from './connector.ts';
import { createSentinelLookup } from './sentinel.ts';

/** Where Redis is, and how its parts stand together. */
export interface Topology {
  /** `rediss:` or `redis:`. */
  readonly url: URL;
  /** Further nodes: seeds of a cluster, or data nodes that a Sentinel may name. */
  readonly nodes: readonly Place[];
  readonly cluster: boolean;
  readonly sentinel: { readonly name: string; readonly places: readonly Place[] } | null;
}

export interface Credentials {
  readonly username: string | null;
  readonly password: string | null;
}

/** Times of a connection, in the order in which they matter. */
export interface ConnectionTimes {
  readonly connectMs: number;
  /** What is waited for data while commands are under way, before a connection counts as dead. */
  readonly silenceMs: number;
  /** From the first byte of a reply to its last, while bytes keep coming. */
  readonly replyMs: number;
  /** The longest pause before a connection is made again. */
  readonly pauseMs: number;
}

const TIMES: ConnectionTimes = { connectMs: 5_000, silenceMs: 2_000, replyMs: 2_000, pauseMs: 2_000 };
const FIRST_PAUSE_MS = 50;

type Locate = (options: Partial<Place>) => Promise<Place>;

/** Options of every connection. Nothing is sent twice by the library, and nothing waits in it. */
const OPTIONS = {
  lazyConnect: true,
  protocol: 2 as const,
  disableClientInfo: true,
  // The stream counts the time that TLS takes too.
  connectTimeout: 0,
  noDelay: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  // A command whose connection broke fails at once.
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
};

export interface ConnectionParts {
  readonly egress: NodeEgress;
  readonly opened: (socket: Duplex) => void;
  /** Other times than usual. */
  readonly times?: Partial<ConnectionTimes> | undefined;
}

/**
 * Opens Redis over TCP: one server, the primary that Sentinels name, or a cluster. Nothing is sent twice by the library, and
 * nothing waits in it: the client in front decides both. A server that became a replica is left.
 */
export function openConnection(
  library: Library,
  topology: Topology,
  credentials: Credentials,
  parts: ConnectionParts,
): Redis | Cluster {
  const { url, nodes, cluster, sentinel } = topology;
  const secure = url.protocol === 'rediss:';
  const { connectMs, silenceMs, replyMs, pauseMs } = { ...TIMES, ...parts.times };
  const open = createOpener(parts.egress, { secure, cluster, connectMs, replyMs }, parts.opened);
  const pause = (times: number) => Math.min(pauseMs, FIRST_PAUSE_MS * 2 ** Math.min(times - 1, 10));
  const own: Place = { host: url.hostname, port: Number(url.port || DEFAULT_PORT) };
  const common = (locate: Locate, primaryOnly: boolean) => ({
    Connector: connectorOf(library, open, locate, primaryOnly),
    ...(secure ? { tls: {} } : {}),
    ...OPTIONS,
    socketTimeout: silenceMs,
    retryStrategy: pause,
  });
  const login = {
    ...(credentials.username === null ? {} : { username: credentials.username }),
    ...(credentials.password === null ? {} : { password: credentials.password }),
  };
  const asGiven: Locate = async (options) => ({
    host: options.host ?? own.host,
    port: options.port ?? own.port,
  });

  if (cluster) {
    const connection = new library.Cluster([own, ...nodes], {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: pause,
      slotsRefreshTimeout: silenceMs,
      // Names are looked up where the connection is made, so that their addresses are judged.
      dnsLookup: (address, callback) => callback(null, address),
      redisOptions: { ...common(asGiven, false), ...login },
    });
    return connection.on('+node', handleAsking);
  }
  const database = Number(url.pathname.slice(1) || 0);
  if (sentinel === null) return new library.Redis({ ...common(asGiven, false), ...own, ...login, db: database });

  const lookUp = createSentinelLookup(
    sentinel.places,
    sentinel.name,
    (place) =>
      new library.Redis({
        ...common(asGiven, false),
        ...place,
        retryStrategy: null,
        enableReadyCheck: false,
        enableOfflineQueue: true,
      }),
  );
  return new library.Redis({ ...common(lookUp, true), ...login, db: database });
}

/** The library sends ASKING and leaves its promise alone: a node that cannot be reached would end the process. */
function handleAsking(node: Redis): void {
  const asking = node.asking.bind(node);
  node.asking = () => {
    const asked = asking();
    asked.catch(() => {});
    return asked;
  };
}

export const DEFAULT_PORT = 6379;
