import {
  type Appended,
  type ArchiveLock,
  type Entry,
  entryBytes,
  type Outbox,
  type Source,
  storedAtMs,
  type Tail,
} from './outbox.ts';

/** The part of `@upstash/redis`'s `Requester` that streams need; its `HttpClient` is one. May reject on an error answer. */
export interface RedisRequester {
  request(request: {
    readonly body: readonly (string | number)[];
    readonly signal?: AbortSignal;
    /** Whether the same command may arrive twice. */
    readonly repeatable?: boolean;
    /** Whether somebody waits who should hear soon that the server cannot be reached. */
    readonly isWatched?: boolean;
  }): Promise<{
    readonly result?: unknown;
    readonly error?: string;
  }>;
}

export interface RedisOutboxSettings {
  /** Name of the stream; the archive's lease stands beside it under `<stream>:lease`. */
  readonly stream: string;
  /** Entries the stream may hold before an append answers `full`. It is never trimmed. */
  readonly maximumEntries: number;
  /** Hard deadline of one append, kept even where the requester does not mind its signal. */
  readonly timeoutMs: number;
  /** Send appends that arrive during another's trip together in the next one. Not on Workers, where a promise belongs to
   * its request. */
  readonly shareTrips: boolean;
  /** Name of this process, unlike any other. With it and shared trips an append that arrives twice is stored once. */
  readonly writer?: string;
}

/** Appends all or nothing, and tells how many entries the stream then holds. A trip that its writer has made before is
 * answered and not appended: its connection may have broken after Redis had stored it. */
const APPEND = `local held = redis.call('XLEN', KEYS[1])
local trip = tonumber(ARGV[2])
if KEYS[2] and tonumber(redis.call('GET', KEYS[2]) or 0) >= trip then return {1, held} end
if held + #ARGV - 2 > tonumber(ARGV[1]) then return {0, held} end
for i = 3, #ARGV do redis.call('XADD', KEYS[1], '*', 'r', ARGV[i]) end
if KEYS[2] then redis.call('SET', KEYS[2], ARGV[2], 'EX', 60) end
return {1, held + #ARGV - 2}`;
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;
/** Records of one shared trip: a bound on the request's size and on the time Redis spends in one script. */
const SHARED_MAXIMUM = 256;
const READ_PAGE = 1000;
const REMOVE_PAGE = 1000;

/**
 * The outbox as a Redis Stream over the Upstash REST API. One append is one HTTP request and one command; the bound is
 * checked in the same step, so two writers cannot pass it together. An append that timed out may have been stored all the
 * same: the archive finds the twin by its decision id. Only the append of a named writer may be sent twice.
 */
export function createRedisOutbox(
  settings: RedisOutboxSettings,
  requester: RedisRequester,
): Outbox & Source & ArchiveLock & Tail {
  const { stream, maximumEntries, timeoutMs } = settings;
  const writer = settings.shareTrips && settings.writer ? [`${stream}:writer:${settings.writer}`] : [];
  let trips = 0;
  const send = async (request: Parameters<RedisRequester['request']>[0]) => {
    const answer = await requester.request(request);
    if (answer.error !== undefined) throw new Error('Redis refused a command');
    return answer.result;
  };
  const command: Command = (body, signal, repeatable = true) => send({ body, repeatable, ...(signal && { signal }) });
  const appendAll = async (records: readonly string[]): Promise<Appended> => {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const body = ['EVAL', APPEND, 1 + writer.length, stream, ...writer, maximumEntries, ++trips, ...records];
      return appended(await Promise.race([command(body, signal, writer.length > 0), aborted(signal)]));
    } catch {
      return { outcome: 'unavailable' };
    }
  };
  return {
    append: settings.shareTrips ? shareTrips(appendAll) : (record) => appendAll([record]),
    ...sourceOf(stream, command),
    ...lockOf(`${stream}:lease`, command),
    ...tailOf(stream, (body) => send({ body, repeatable: true, isWatched: true })),
  };
}

/** Sends one command. Rejects on an error answer. */
type Command = (body: readonly (string | number)[], signal?: AbortSignal, repeatable?: boolean) => Promise<unknown>;

/** What the archive takes entries from. */
function sourceOf(stream: string, command: Command): Source {
  return {
    async read(storedBeforeMs, maximumBytes) {
      const taken: Entry[] = [];
      let bytes = 0;
      for (let start = '-'; ; start = `(${taken.at(-1)?.id}`) {
        const page = entriesOf(await command(['XRANGE', stream, start, storedBeforeMs, 'COUNT', READ_PAGE]));
        for (const entry of page) {
          bytes += entryBytes(entry);
          if (taken.length > 0 && bytes > maximumBytes) return taken;
          taken.push(entry);
        }
        if (page.length < READ_PAGE) return taken;
      }
    },

    async backlog() {
      const entries = Number(await command(['XLEN', stream]));
      const [oldest] = entriesOf(await command(['XRANGE', stream, '-', '+', 'COUNT', 1]));
      return { entries, oldestMs: oldest === undefined ? null : storedAtMs(oldest.id) };
    },

    async now() {
      const told = await command(['TIME']);
      const [seconds, microseconds] = Array.isArray(told) ? told.map(Number) : [];
      const nowMs = Math.floor(Number(seconds) * 1000 + Number(microseconds) / 1000);
      if (!Number.isSafeInteger(nowMs)) throw new Error('Redis told no time');
      return nowMs;
    },

    async remove(ids) {
      for (let start = 0; start < ids.length; start += REMOVE_PAGE) {
        await command(['XDEL', stream, ...ids.slice(start, start + REMOVE_PAGE)]);
      }
    },
  };
}

/** Keeps two archives from the same work. */
function lockOf(lease: string, command: Command): ArchiveLock {
  return {
    async acquire(holder, forMs) {
      if ((await command(['SET', lease, holder, 'NX', 'PX', forMs])) === 'OK') return true;
      if ((await command(['GET', lease])) !== holder) return false;
      return (await command(['PEXPIRE', lease, forMs])) === 1;
    },

    async release(holder) {
      await command(['EVAL', RELEASE, 1, lease, holder]);
    },
  };
}

/** What `audit tail` follows. */
function tailOf(stream: string, command: Command): Tail {
  return {
    async follow(afterId, limit) {
      if (afterId === null) {
        const [newest] = entriesOf(await command(['XREVRANGE', stream, '+', '-', 'COUNT', 1]));
        return { entries: [], lastId: newest?.id ?? '0-0' };
      }
      const entries = entriesOf(await command(['XRANGE', stream, `(${afterId}`, '+', 'COUNT', limit]));
      return { entries, lastId: entries.at(-1)?.id ?? afterId };
    },
  };
}

/** One trip at a time: what arrives meanwhile goes together in the next, or fails with it when a trip failed. */
function shareTrips(appendAll: (records: readonly string[]) => Promise<Appended>): Outbox['append'] {
  const waiting: { readonly record: string; readonly resolve: (answer: Appended) => void }[] = [];
  let travelling = false;

  const travel = async () => {
    travelling = true;
    while (waiting.length > 0) {
      const passengers = waiting.splice(0, SHARED_MAXIMUM);
      const answer = await appendAll(passengers.map(({ record }) => record));
      const told = answer.outcome === 'unavailable' ? [...passengers, ...waiting.splice(0)] : passengers;
      for (const { resolve } of told) resolve(answer);
    }
    travelling = false;
  };

  return (record) =>
    new Promise((resolve) => {
      waiting.push({ record, resolve });
      if (!travelling) void travel();
    });
}

function appended(result: unknown): Appended {
  if (!Array.isArray(result)) return { outcome: 'unavailable' };
  const [stored, depth] = result.map(Number);
  if (depth === undefined || Number.isNaN(depth)) return { outcome: 'unavailable' };
  return { outcome: stored === 1 ? 'stored' : 'full', depth };
}

/** Parses an XRANGE answer; an entry of another shape than ours counts as an empty record, which the archive tells of. */
function entriesOf(result: unknown): Entry[] {
  if (!Array.isArray(result)) throw new Error('Redis answered something else than entries');
  return result.map((entry: unknown) => {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string')
      throw new Error('Redis answered something else than entries');
    const fields: unknown = entry[1];
    const isOurs = Array.isArray(fields) && fields.length === 2 && fields[0] === 'r' && typeof fields[1] === 'string';
    return { id: entry[0], record: isOurs ? String(fields[1]) : '' };
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('timeout')), { once: true });
  });
}
