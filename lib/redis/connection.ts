import type { Clock, Fetch, Log } from '../decision/ports.ts';
import { createCircuitBreaker } from './circuit-breaker.ts';
import type { Script } from './scripts.ts';

/**
 * One HTTP exchange with the REST face of Redis: posts a command as JSON, gives status and body. Rejects when no answer
 * came. Should stop when the signal says so; nobody waits for it if it does not.
 */
export type RedisExchange = (
  body: string,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly text: string }>;

/** Longest answer that is read; a snapshot of the revocations is the longest that we ask for. */
const maximumAnswerBytes = 16 * 1024 * 1024;

/**
 * The exchange over `fetch`, for Workers and Lambda; rejects an answer past 16 MiB. Over Node's own `fetch` it costs ten
 * times a kept-alive socket.
 */
export function fetchExchange(settings: { readonly url: string; readonly token: string }, fetch: Fetch): RedisExchange {
  const headers = { authorization: `Bearer ${settings.token}`, 'content-type': 'application/json' };
  return async (body, signal) => {
    const response = await fetch(settings.url, { method: 'POST', headers, body, signal });
    return { status: response.status, text: await boundedText(response) };
  };
}

/** The text at once where framing holds the answer to a length that it declared, else counted as it comes. */
async function boundedText(response: Response): Promise<string> {
  const { body, headers } = response;
  const declared = headers.get('content-length');
  if (
    body === null ||
    (declared !== null && !headers.has('content-encoding') && Number(declared) <= maximumAnswerBytes)
  )
    return response.text();
  const utf8 = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + utf8.decode();
    bytes += value.byteLength;
    if (bytes > maximumAnswerBytes) {
      await reader.cancel();
      throw new Error('answer too large');
    }
    text += utf8.decode(value, { stream: true });
  }
}

export type RedisReply =
  | { readonly answered: true; readonly value: unknown }
  | { readonly answered: false; readonly retryAfterSeconds: number };

export interface RedisConnection {
  /** Runs a script. Never throws: whatever went wrong, within the deadline the answer is there. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<RedisReply>;
  /** Whether trips are not even tried at present. */
  isOpen(): boolean;
}

/** What went wrong, as the log may know it: never the text of an error, which holds the whole command. */
type Failure = 'deadline' | 'unreachable' | 'http_status' | 'malformed' | 'refused';

class RedisFailure extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure);
    this.failure = failure;
  }
}

/** A spell of failures is over when none has come for this long. */
const SPELL_ENDS_AFTER_MS = 10_000;

/**
 * Redis behind its REST face: one hard deadline for all that one `run` does (a script that the server has lost is sent again
 * within it), nothing else is ever repeated, a circuit breaker, and one line in the log for each spell of failures. Keeps
 * no promise between calls.
 *
 * Speaks Upstash's REST protocol itself, a POST of one JSON array. @upstash/redis would write the same array, for a third of
 * the Worker's whole size (18 of 60 KiB gzip) and with retries, telemetry, pipelines across requests and commands in error
 * texts to be switched off; @upstash/ratelimit takes one identifier and gives one verdict, where ours are a revocation and
 * several budgets, all or none, and lets requests pass when it has waited long enough. A contract test holds what is
 * written here to what their client reads.
 */
export function createRedisConnection(
  settings: { readonly timeoutMs: number },
  parts: {
    readonly exchange: RedisExchange;
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Log;
  },
): RedisConnection {
  const { timeoutMs } = settings;
  const breaker = createCircuitBreaker(
    { failures: 3, pauseMs: 1_000, maximumPauseMs: 10_000, probeMs: timeoutMs },
    parts.random,
  );
  const spells = createSpells(parts.log);

  const call = async (command: readonly (string | number)[], deadline: AbortSignal) =>
    parseReply(await parts.exchange(JSON.stringify(command), deadline));

  const evaluate = async (
    { text, sha1 }: Script,
    operands: readonly (string | number)[],
    deadline: AbortSignal,
  ): Promise<unknown> => {
    let reply = await call(['EVALSHA', sha1, ...operands], deadline);
    if (reply.error?.startsWith('NOSCRIPT') && !deadline.aborted) {
      reply = await call(['EVAL', text, ...operands], deadline);
    }
    if (reply.error !== undefined) throw new RedisFailure('refused');
    return reply.result;
  };

  return {
    async run(script, keys, args) {
      const waitMs = breaker.waitMs(parts.clock());
      if (waitMs > 0) return { answered: false, retryAfterSeconds: Math.ceil(waitMs / 1000) };
      try {
        const operands = [keys.length, ...keys, ...args];
        const value = await withinDeadline(timeoutMs, (deadline) => evaluate(script, operands, deadline));
        breaker.succeeded();
        spells.succeeded(parts.clock());
        return { answered: true, value };
      } catch (error) {
        const nowMs = parts.clock();
        breaker.failed(nowMs);
        spells.failed(nowMs, error instanceof RedisFailure ? error.failure : 'unreachable');
        return { answered: false, retryAfterSeconds: 1 };
      }
    },
    isOpen: breaker.isOpen,
  };
}

/** Settles when the work does, or rejects at the deadline whether or not the work heeds the signal. */
function withinDeadline<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      reject(new RedisFailure('deadline'));
      controller.abort();
    }, timeoutMs);
    work(controller.signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

interface Reply {
  readonly result?: unknown;
  readonly error?: string;
}

/** Throws a RedisFailure for what is no answer of Redis at all; an error answer is an answer. */
function parseReply({ status, text }: { readonly status: number; readonly text: string }): Reply {
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch {
    throw new RedisFailure(status === 200 ? 'malformed' : 'http_status');
  }
  const { result, error } = typeof reply === 'object' && reply !== null ? (reply as Record<string, unknown>) : {};
  if (typeof error === 'string') return { error };
  if (status !== 200) throw new RedisFailure('http_status');
  if (result === undefined) throw new RedisFailure('malformed');
  return { result };
}

/** One line when failures begin, one when they have been over for a while; none in between, however many requests. */
function createSpells(log: Log) {
  let spell: { readonly sinceMs: number; lastMs: number } | null = null;
  return {
    failed(nowMs: number, why: Failure) {
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
