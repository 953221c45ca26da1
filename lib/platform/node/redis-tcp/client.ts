import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Secret } from '../../../config/variable.ts';
import type { CredentialUsed } from '../../../decision/principal.ts';
import type { RedisClient } from '../../../redis/client.ts';
import { failureOfReply, RedisFailure } from '../../../redis/failure.ts';
import type { NodeEgress } from '../egress.ts';
import { type ConnectionParts, type ConnectionTimes, openConnection, type Topology } from './connections.ts';
import type { Library } from './connector.ts';
import { createSocketKeeper } from './socket-keeper.ts';

type Connection = Redis | Cluster;
type Slot = 'current' | 'previous';

/** Of the scripts that @upstash/ratelimit brings: a flag that only Upstash's own Redis knows. */
const UPSTASH_FLAG = /^#!lua flags=allow-key-locking[^\n]*/;

/**
 * Redis or Valkey over TCP, by ioredis, which is loaded with the first command. A command waits for a connection that is being
 * made, and is sent once more where its connection broke and `repeatable` says that this does no harm; or where a replica
 * refused it, which did nothing. While a password is rotated, the one that is refused is followed by the other.
 */
export function createTcpClient(
  topology: Topology,
  username: string | null,
  secret: () => Secret<string> | null,
  parts: {
    readonly egress: NodeEgress;
    readonly used: CredentialUsed;
    readonly times?: Partial<ConnectionTimes>;
  },
): RedisClient {
  const sockets = createSocketKeeper();
  const { egress, times } = parts;
  const connections = createConnections(topology, username, secret, { egress, opened: sockets.opened, times });
  let library: Promise<Library> | null = null;

  const send: Send = async (signal, repeatable, command) => {
    library ??= import('ioredis');
    const loaded = await library;
    for (let attempt = 1; ; attempt++) {
      const connection = connections.by(loaded);
      let sent = false;
      try {
        await untilReady(connection, signal, connections.isUnreachable);
        sent = true;
        const value = await command(connection);
        if (secret() !== null) parts.used('redis_token', connections.preferred());
        return value;
      } catch (error) {
        const failure = failureOf(error);
        const mayRepeat =
          failure.kind === 'read_only' || (failure.kind === 'unreachable' && (repeatable || !sent) && !signal.aborted);
        const hasChanged = failure.kind === 'token_refused' && connections.preferOther();
        if (attempt === 2 || signal.aborted || !(mayRepeat || hasChanged)) throw failure;
      }
    }
  };
  const digests = new Map<string, string>();
  return {
    isUnreachable: connections.isUnreachable,
    close: connections.close,
    evalsha: (sha1, keys, args, signal, repeatable = false) =>
      sockets.whileHeld(
        send(signal, repeatable, (connection) =>
          connection.evalsha(digests.get(sha1) ?? sha1, keys.length, ...keys, ...args),
        ),
      ),
    eval: (text, keys, args, signal, repeatable = false) => {
      const stock = text.replace(UPSTASH_FLAG, '');
      if (stock !== text) digests.set(sha1Of(text), sha1Of(stock));
      return sockets.whileHeld(
        send(signal, repeatable, (connection) => connection.eval(stock, keys.length, ...keys, ...args)),
      );
    },
    command: ([name = '', ...args], signal, repeatable = false) =>
      untilAborted(
        sockets.whileHeld(send(signal, repeatable, (connection) => connection.call(String(name), ...args))),
        signal,
        connections.isUnreachable,
      ),
  };
}

type Send = (
  signal: AbortSignal,
  repeatable: boolean,
  command: (connection: Connection) => Promise<unknown>,
) => Promise<unknown>;

/** The one connection that is open, by the password that was last taken. */
function createConnections(
  topology: Topology,
  username: string | null,
  secret: () => Secret<string> | null,
  parts: ConnectionParts,
) {
  let preferred: Slot = 'current';
  let open: { readonly of: Secret<string> | null; readonly slot: Slot; readonly connection: Connection } | null = null;
  let unreachable = false;
  return {
    preferred: (): Slot => preferred,
    isUnreachable: () => unreachable,
    close() {
      open?.connection.disconnect();
      open = null;
    },
    /** Prefers the other password from now on; false where there is none. */
    preferOther(): boolean {
      if (secret()?.previous == null) return false;
      preferred = preferred === 'current' ? 'previous' : 'current';
      return true;
    },
    by(library: Library): Connection {
      const of = secret();
      if (open !== null && open.of === of && open.slot === preferred) return open.connection;
      if (open !== null && open.of !== of) preferred = 'current';
      if (open !== null) retire(open.connection);
      const password = (preferred === 'previous' ? of?.previous : of?.current) ?? null;
      const connection = openConnection(library, topology, { username, password }, parts);
      open = { of, slot: preferred, connection };
      unreachable = false;
      connection.on('ready', () => {
        unreachable = false;
      });
      connection.on('error', (error: unknown) => {
        unreachable = failureOf(error).kind === 'unreachable';
      });
      connection.setMaxListeners(0); // Each command that waits for the connection listens for a time.
      return connection;
    },
  };
}

/** Settles when the connection can take commands; rejects at the signal, and where the server refuses who we are. */
function untilReady(
  connection: Connection,
  signal: AbortSignal,
  isUnreachable: () => boolean,
): Promise<void> | undefined {
  if (isReady(connection)) return undefined;
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => {
      connection.off('ready', ready);
      connection.off('error', failed);
      connection.off('end', ended);
      signal.removeEventListener('abort', aborted);
      outcome();
    };
    const ready = () => settle(resolve);
    const ended = () => settle(() => reject(new RedisFailure('unreachable')));
    const aborted = () => settle(() => reject(new RedisFailure(isUnreachable() ? 'unreachable' : 'deadline')));
    const failed = (error: unknown) => {
      const failure = failureOf(error);
      if (failure.kind === 'token_refused' || failure.kind === 'no_permission') settle(() => reject(failure));
    };
    connection.on('ready', ready);
    connection.on('error', failed);
    connection.on('end', ended);
    signal.addEventListener('abort', aborted);
    if (connection.status === 'wait' || connection.status === 'end') connection.connect().catch(failed);
    if (signal.aborted) aborted();
  });
}

/** A connection that is being given up, as after READONLY, is ready by its word until it has closed. */
function isReady(connection: Connection): boolean {
  return connection.status === 'ready' && (!('stream' in connection) || connection.stream?.writable === true);
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal, isUnreachable: () => boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(new RedisFailure(isUnreachable() ? 'unreachable' : 'deadline'));
    signal.addEventListener('abort', aborted);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
    if (signal.aborted) aborted();
  });
}

/** What an error of the library means; its text holds the command and goes nowhere. */
function failureOf(error: unknown): RedisFailure {
  if (error instanceof RedisFailure) return error;
  return error instanceof Error && error.name === 'ReplyError'
    ? failureOfReply(error.message)
    : new RedisFailure('unreachable');
}

/** Lets commands that are under way come to their end. */
function retire(connection: Connection): void {
  setTimeout(() => connection.disconnect(), RETIRE_MS).unref();
}
const RETIRE_MS = 5_000;

function sha1Of(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
