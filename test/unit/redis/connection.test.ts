import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Log } from '../../../lib/decision/ports.ts';
import { createRedisConnection } from '../../../lib/redis/connection.ts';
import { fetchExchange, type RedisExchange } from '../../../lib/redis/exchange.ts';
import { createUpstashClient } from '../../../lib/redis/upstash-client.ts';

const script = { text: 'return 1', sha1: 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db' };
const secret = 'pseudonym-of-somebody';

beforeEach(async () => {
  await import('@upstash/redis');
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

function connect(exchange: RedisExchange) {
  const lines: [string, string, unknown][] = [];
  const log: Log = (level, event, facts) => lines.push([level, event, facts]);
  const connection = createRedisConnection(
    { timeoutMs: 100 },
    { client: createUpstashClient(exchange), clock: () => Date.now(), random: () => 1, log },
  );
  const run = () => connection.run(script, ['key', secret], ['a', 1]);
  return { connection, lines, run };
}

function json(status: number, body: unknown) {
  return { status, text: JSON.stringify(body) };
}

describe('a trip', () => {
  test('is one exchange with the digest of the script', async () => {
    const bodies: string[] = [];
    const { run } = connect(async (body) => {
      bodies.push(body);
      return json(200, { result: [1, 2] });
    });
    expect(await run()).toEqual({ answered: true, value: [1, 2] });
    expect(bodies.map((body) => JSON.parse(body))).toEqual([['evalsha', script.sha1, 2, 'key', secret, 'a', 1]]);
  });

  test('sends a script that the server has lost once more, and only then', async () => {
    const sent: string[] = [];
    const { run } = connect(async (body) => {
      const [command] = JSON.parse(body);
      sent.push(command);
      return command === 'evalsha' ? json(400, { error: 'NOSCRIPT No matching script.' }) : json(200, { result: 1 });
    });
    expect(await run()).toEqual({ answered: true, value: 1 });
    expect(sent).toEqual(['evalsha', 'eval']);
  });

  test('is never repeated for any other error', async () => {
    let exchanges = 0;
    const { run } = connect(async () => {
      exchanges += 1;
      throw new Error('connection refused');
    });
    await run();
    expect(exchanges).toBe(1);
  });
});

describe('the deadline', () => {
  test('ends a trip whose exchange heeds the signal', async () => {
    const { run } = connect(
      (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const reply = run();
    await vi.advanceTimersByTimeAsync(100);
    expect(await reply).toEqual({ answered: false, retryAfterSeconds: 1 });
  });

  test('ends a trip whose exchange does not', async () => {
    const { run } = connect(() => new Promise(() => {}));
    const reply = run();
    await vi.advanceTimersByTimeAsync(100);
    expect(await reply).toEqual({ answered: false, retryAfterSeconds: 1 });
  });

  test('is one for both exchanges when the script has to be sent', async () => {
    const { run } = connect(
      (body) =>
        new Promise((resolve) =>
          setTimeout(
            () => resolve(body.startsWith('["evalsha"') ? json(400, { error: 'NOSCRIPT' }) : json(200, { result: 1 })),
            60,
          ),
        ),
    );
    const reply = run();
    await vi.advanceTimersByTimeAsync(100);
    expect(await reply).toMatchObject({ answered: false });
  });

  test('aborts the exchange of its own trip and of no other', async () => {
    const signals: AbortSignal[] = [];
    const { run } = connect((_, signal) => {
      signals.push(signal);
      return signals.length === 2 ? new Promise(() => {}) : Promise.resolve(json(200, { result: 1 }));
    });
    await run();
    const [hung, quick] = [run(), run()];
    expect(await quick).toMatchObject({ answered: true });
    await vi.advanceTimersByTimeAsync(100);
    await hung;
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true, false]);
  });

  test('leaves no timer behind', async () => {
    const { run } = connect(async () => json(200, { result: 1 }));
    await run();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test.each<[string, () => ReturnType<RedisExchange>, string]>([
  ['a refused connection', () => Promise.reject(new Error(`connect ECONNREFUSED ${secret}`)), 'unreachable'],
  [
    'an exchange that throws at once',
    () => {
      throw new Error(secret);
    },
    'unreachable',
  ],
  ['an error page', async () => ({ status: 502, text: `<html>${secret}</html>` }), 'http_status'],
  ['an error status in JSON without an error', async () => json(500, {}), 'http_status'],
  [
    'an error of Redis that no command of ours earns',
    async () => json(400, { error: `WRONGTYPE ${secret}` }),
    'malformed',
  ],
  ['an error of Redis with status 200', async () => json(200, { error: `OOM ${secret}` }), 'out_of_memory'],
  ['a refused token', async () => json(401, { error: `WRONGPASS ${secret}` }), 'token_refused'],
  ['a status 401 without a word', async () => ({ status: 401, text: '' }), 'token_refused'],
  ['a token that may not run scripts', async () => json(400, { error: `NOPERM ${secret}` }), 'no_permission'],
  [
    'a used-up daily quota',
    async () => json(400, { error: 'ERR max daily request limit exceeded.' }),
    'quota_exceeded',
  ],
  ['a replica', async () => json(400, { error: 'READONLY You can not write.' }), 'read_only'],
  ['a server that is loading', async () => json(400, { error: 'LOADING Redis is loading.' }), 'unreachable'],
  ['half an answer', async () => ({ status: 200, text: '{"result":[0,17' }), 'malformed'],
  ['an answer without a result', async () => json(200, {}), 'malformed'],
  ['null', async () => json(200, null), 'malformed'],
])('%s is an outage, told without a word of the command', async (_, exchange, why) => {
  const { run, lines } = connect(exchange);
  expect(await run()).toEqual({ answered: false, retryAfterSeconds: 1 });
  expect(lines).toEqual([['error', 'redis_unavailable', { why }]]);
});

describe('a spell of failures', () => {
  test('costs the deadline a few times, then nothing, and one line in the log', async () => {
    let exchanges = 0;
    const { run, lines, connection } = connect(() => {
      exchanges += 1;
      return new Promise(() => {});
    });
    for (let i = 0; i < 3; i++) {
      const reply = run();
      await vi.advanceTimersByTimeAsync(100);
      await reply;
    }
    expect(connection.isOpen()).toBe(true);
    for (let i = 0; i < 100; i++) expect(await run()).toEqual({ answered: false, retryAfterSeconds: 1 });
    expect(exchanges).toBe(3);
    expect(lines).toHaveLength(1);
  });

  test('is over when none has come for a while, and tells that once', async () => {
    let down = true;
    const { run, lines } = connect(async () => (down ? json(500, {}) : json(200, { result: 1 })));
    for (let i = 0; i < 10; i++) {
      down = i % 2 === 0;
      await run();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    down = false;
    await vi.advanceTimersByTimeAsync(10_000);
    for (let i = 0; i < 3; i++) await run();
    expect(lines.map(([, event]) => event)).toEqual(['redis_unavailable', 'redis_recovered']);
  });
});

test('the exchange over fetch posts the command with the token', async () => {
  const calls: [string, RequestInit | undefined][] = [];
  const exchange = fetchExchange({ url: 'https://redis.example/', token: 't' }, async (input, init) => {
    calls.push([input, init]);
    return new Response('{"result":1}');
  });
  const { signal } = new AbortController();
  expect(await exchange('["PING"]', signal, false)).toEqual({ status: 200, text: '{"result":1}' });
  expect(calls).toEqual([
    [
      'https://redis.example/',
      {
        method: 'POST',
        headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
        body: '["PING"]',
        signal,
      },
    ],
  ]);
});

test('the exchange over fetch gives an endless answer up', async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
    cancel: () => {
      cancelled = true;
    },
  });
  const exchange = fetchExchange({ url: 'https://redis.example/', token: 't' }, async () => new Response(endless));
  await expect(exchange('["PING"]', new AbortController().signal, false)).rejects.toThrow('too large');
  expect(cancelled).toBe(true);
});

test('failed trips are counted by their cause, each once', async () => {
  const replies = ['WRONGPASS no', 'READONLY no', 'READONLY no', 'OOM no'];
  const { connection, run } = connect(async () => json(400, { error: replies.shift() ?? 'LOADING' }));
  for (let turn = 0; turn < 2; turn++) await run();
  expect([...connection.takeFailures()]).toEqual([
    ['token_refused', 1],
    ['read_only', 1],
  ]);
  expect(connection.takeFailures().size).toBe(0);
  await run();
  expect([...connection.takeFailures()]).toEqual([['read_only', 1]]);
  await run(); // The breaker is open: nothing is tried.
  expect(connection.takeFailures().size).toBe(0);
});
