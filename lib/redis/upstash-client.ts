import type { Redis, Requester } from '@upstash/redis';
import type { RedisClient } from './client.ts';
import type { RedisExchange } from './exchange.ts';
import { failureOfReply, RedisFailure } from './failure.ts';

/** Loaded with the first command: to read and to run the library costs a cold start more than all else here. */
let library: typeof import('./upstash-library.ts') | null = null;

/**
 * Redis behind Upstash's REST API, by Upstash's own client on a transport of ours. The library writes the commands; retries,
 * telemetry, pipelines across requests and commands in the texts of errors belong to its own transport, which is not used.
 * Replies are handed on as Redis gave them: a text that looks like JSON stays a text.
 */
export function createUpstashClient(exchange: RedisExchange): RedisClient {
  // The library takes no signal for a single command. It calls the transport before the command's method returns, so the
  // signal that was set last is the one of this command.
  let next: { readonly signal: AbortSignal; readonly repeatable: boolean } | null = null;
  const requester: Requester = {
    request: async ({ body }) => {
      const { signal, repeatable } = next ?? { signal: AbortSignal.abort(), repeatable: false };
      next = null;
      return { result: await roundTrip(() => exchange(JSON.stringify(body), signal, repeatable)) } as never;
    },
  };
  let redis: Redis | null = null;
  const client = async (): Promise<Redis> => {
    library ??= await import('./upstash-library.ts');
    redis ??= plain(library.Redis, requester);
    return redis;
  };
  const send = <T>(sending: NonNullable<typeof next>, command: (redis: Redis) => Promise<T>): Promise<T> => {
    const sendBy = (by: Redis): Promise<T> => {
      next = sending;
      return command(by);
    };
    return redis === null ? client().then(sendBy) : sendBy(redis);
  };

  return {
    evalsha: (sha1, keys, args, signal, repeatable = false) =>
      send({ signal, repeatable }, (by) => by.evalsha(sha1, keys as string[], args as unknown[])),
    eval: (text, keys, args, signal, repeatable = false) =>
      send({ signal, repeatable }, (by) => by.eval(text, keys as string[], args as unknown[])),
    command: (parts, signal, repeatable = false) =>
      send({ signal, repeatable }, (by) => by.exec(parts as [command: string, ...args: (string | number | boolean)[]])),
  };
}

/** The client without its own reading of replies, which takes `"123"` for a number and a record for an object. */
function plain(Base: typeof Redis, requester: Requester): Redis {
  class PlainRedis extends Base {
    constructor() {
      super(requester);
      this.opts = { automaticDeserialization: false };
    }
  }
  return new PlainRedis();
}

async function roundTrip(exchange: () => ReturnType<RedisExchange>): Promise<unknown> {
  let answer: Awaited<ReturnType<RedisExchange>>;
  try {
    answer = await exchange();
  } catch (error) {
    throw error instanceof RedisFailure ? error : new RedisFailure('unreachable');
  }
  return resultOf(answer);
}

/** The result of an answer. Throws a RedisFailure for an error reply, and for what is no reply of Redis at all. */
function resultOf({ status, text }: { readonly status: number; readonly text: string }): unknown {
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    throw failureOfStatus(status);
  }
  const { result, error } = typeof reply === 'object' && reply !== null ? (reply as Record<string, unknown>) : {};
  if (typeof error === 'string') {
    const failure = failureOfReply(error);
    throw failure.kind === 'malformed' && status !== 200 && status !== 400 ? failureOfStatus(status) : failure;
  }
  if (status !== 200) throw failureOfStatus(status);
  if (result === undefined) throw new RedisFailure('malformed');
  return result;
}

function failureOfStatus(status: number): RedisFailure {
  if (status === 401) return new RedisFailure('token_refused');
  if (status === 403) return new RedisFailure('no_permission');
  if (status === 429) return new RedisFailure('quota_exceeded');
  return new RedisFailure(status === 200 ? 'malformed' : 'http_status');
}
