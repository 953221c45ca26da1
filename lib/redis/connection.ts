import type { Clock, Log } from '../decision/ports.ts';
import { createCircuitBreaker } from './circuit-breaker.ts';
import type { RedisClient } from './client.ts';
import { RedisFailure, type RedisFailureKind } from './failure.ts';
import { type RedisKeys, redisKeys } from './keys.ts';
import type { Script } from './scripts.ts';

export type RedisReply<T = unknown> =
  | { readonly answered: true; readonly value: T }
  | { readonly answered: false; readonly retryAfterSeconds: number };

export interface RedisConnection {
  /** Runs a script, once more where that is harmless and its connection broke. Never throws: whatever went wrong, within the deadline the answer is there. */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    repeatable?: boolean,
  ): Promise<RedisReply>;
  /** Does some work with the client under the same deadline and breaker, as one trip. Never throws. */
  trip<T>(work: (client: RedisClient, signal: AbortSignal) => Promise<T>): Promise<RedisReply<T>>;
  /** Names of the keys that scripts are given. */
  readonly keys: RedisKeys;
  /** Whether trips are not even tried at present. */
  isOpen(): boolean;
  /** How many trips failed since this was last asked, by cause; those that were not tried are none. */
  takeFailures(): ReadonlyMap<RedisFailureKind, number>;
  /** Counts the failure of a trip that was made apart from these. */
  countFailure(why: RedisFailureKind): void;
}

/** A spell of failures is over when none has come for this long. */
const SPELL_ENDS_AFTER_MS = 10_000;

/**
 * The one way to Redis for decisions: one hard deadline for all that one trip does (a script that the server has lost is
 * sent again within it), nothing else is ever repeated here, a circuit breaker, and one line in the log for each spell of
 * failures. Keeps no promise between calls.
 */
export function createRedisConnection(
  settings: { readonly timeoutMs: number; readonly cluster?: boolean },
  parts: {
    readonly client: RedisClient;
    /** Monotonic: the breaker and the log measure durations only. */
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Log;
  },
): RedisConnection {
  const { timeoutMs } = settings;
  const { client, clock } = parts;
  const breaker = createCircuitBreaker(
    { failures: 3, pauseMs: 1_000, maximumPauseMs: 10_000, probeMs: timeoutMs },
    parts.random,
  );
  const spells = createSpells(parts.log);
  let failures = new Map<RedisFailureKind, number>();
  const countFailure = (why: RedisFailureKind) => void failures.set(why, (failures.get(why) ?? 0) + 1);

  const trip: RedisConnection['trip'] = async (work) => {
    const waitMs = breaker.waitMs(clock());
    if (waitMs > 0) return { answered: false, retryAfterSeconds: Math.ceil(waitMs / 1000) };
    try {
      const value = await withinDeadline(timeoutMs, client, (deadline) => work(client, deadline));
      breaker.succeeded();
      spells.succeeded(clock());
      return { answered: true, value };
    } catch (error) {
      const nowMs = clock();
      breaker.failed(nowMs);
      const why = error instanceof RedisFailure ? error.kind : 'unreachable';
      countFailure(why);
      spells.failed(nowMs, why);
      return { answered: false, retryAfterSeconds: 1 };
    }
  };

  return {
    trip,
    run: (script, keys, args, repeatable = false) =>
      trip((by, deadline) => evaluate(by, script, keys, args, deadline, repeatable)),
    keys: redisKeys(settings.cluster ?? false),
    isOpen: breaker.isOpen,
    countFailure,
    takeFailures() {
      const taken = failures;
      failures = new Map();
      return taken;
    },
  };
}

async function evaluate(
  client: RedisClient,
  { text, sha1 }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
  deadline: AbortSignal,
  repeatable: boolean,
): Promise<unknown> {
  try {
    return await client.evalsha(sha1, keys, args, deadline, repeatable);
  } catch (error) {
    if (!(error instanceof RedisFailure) || error.kind !== 'script_unknown' || deadline.aborted) throw error;
    return client.eval(text, keys, args, deadline, repeatable);
  }
}

/** Settles when the work does, or rejects at the deadline whether or not the work heeds the signal. */
function withinDeadline<T>(
  timeoutMs: number,
  client: RedisClient,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      reject(new RedisFailure(client.isUnreachable?.() ? 'unreachable' : 'deadline'));
      controller.abort();
    }, timeoutMs);
    work(controller.signal).then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** One line when failures begin, one when they have been over for a while; none in between, however many requests. */
function createSpells(log: Log) {
  let spell: { readonly sinceMs: number; lastMs: number } | null = null;
  return {
    failed(nowMs: number, why: RedisFailureKind) {
      if (spell === null) log('error', 'redis_unavailable', { why });
      spell = { sinceMs: spell?.sinceMs ?? nowMs, lastMs: nowMs };
    },
    succeeded(nowMs: number) {
      if (spell === null || nowMs - spell.lastMs < SPELL_ENDS_AFTER_MS) return;
      log('info', 'redis_recovered', { failed_for_ms: spell.lastMs - spell.sinceMs });
      spell = null;
    },
  };
}
