import type { RatelimitConfig } from '@upstash/ratelimit';
import type { Clock } from '../decision/ports.ts';
import type { RedisClient } from './client.ts';
import type { RedisConnection } from './connection.ts';
import { RedisFailure } from './failure.ts';

/** Counts failed authentications of an address for all isolates. */
export interface FailureCounter {
  /**
   * Adds failures of an address, which is named by a pseudonym, and tells how many more it may have. Never throws; null where
   * the store does not answer.
   */
  add(address: string, failures: number): Promise<Remaining | null>;
}

export interface Remaining {
  readonly failures: number;
  /** In how many milliseconds the present window of the count ends. */
  readonly resetsInMs: number;
}

/** Loaded with the first report. */
let library: typeof import('./ratelimit-library.ts') | null = null;

/**
 * The budget of failed authentications of all isolates, by the sliding window of @upstash/ratelimit. The library's time-out,
 * which lets requests pass, its cache without a bound, its analytics and its telemetry are off; deadline and circuit breaker
 * are those of the connection.
 */
export function createFailureCounter(
  perMinute: number,
  { connection, clock }: { readonly connection: RedisConnection; readonly clock: Clock },
): FailureCounter {
  return {
    async add(address, failures) {
      library ??= await import('./ratelimit-library.ts');
      const { Ratelimit } = library;
      const limiter = Ratelimit.slidingWindow(perMinute, '60 s');
      const reply = await connection.trip(async (client, signal) => {
        const ratelimit = new Ratelimit({
          redis: boundTo(client, signal),
          limiter,
          prefix: connection.keys.failures,
          timeout: 0,
          ephemeralCache: false,
          analytics: false,
          enableTelemetry: false,
        });
        return ratelimit.limit(address, { rate: failures });
      });
      if (!reply.answered) return null;
      const { success, remaining, reset } = reply.value;
      return { failures: success ? remaining : 0, resetsInMs: Math.max(0, reset - clock()) };
    },
  };
}

type LibraryRedis = RatelimitConfig['redis'];

/** The commands that the library sends, within one trip. */
function boundTo(client: RedisClient, signal: AbortSignal): LibraryRedis {
  const none = () => Promise.reject(new RedisFailure('malformed'));
  const commands = {
    evalsha: (sha1: string, keys: string[], args: (string | number)[]) => client.evalsha(sha1, keys, args, signal),
    eval: (text: string, keys: string[], args: (string | number)[]) => client.eval(text, keys, args, signal),
    get: none,
    set: none,
  };
  return commands as unknown as LibraryRedis;
}
