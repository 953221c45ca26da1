import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { documentedProxies, startGatewayNginx } from '../support/documented-proxies.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { nginxProgram } from '../support/proxy.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';

const [redisServer, nginx, proxies] = await Promise.all([redisProgram(), nginxProgram(), documentedProxies()]);
const WORKERS = 24;

/** Who stands between the caller and the door, and what a caller is told there once the door is gone. */
const fronts = {
  nobody: { start: async () => null, gone: null },
  'the documented nginx, the gateway behind it': {
    start: (door: number) => startGatewayNginx(nginx, door),
    gone: 502,
  },
  'the documented nginx, which asks': {
    start: async (door: number, service: number) =>
      (await proxies.find((proxy) => proxy.door === 'nginx')?.start(door, service)) ?? null,
    gone: 503,
  },
} as const;

type Outcome = 'whole' | 'cut' | 'refused' | number;

/*
 * SIGTERM under load: whatever was begun is answered whole, every decision's record is in the outbox, and the process ends by
 * itself. A request that comes too late is refused before anything happens, so that a balancer may send it elsewhere.
 */
describeWith([redisServer, nginx], 'SIGTERM under load', () => {
  let redis: RedisParts;
  let service: LoopbackServer;
  const begun = new Set<string>();

  beforeAll(async () => {
    redis = await startRedis(redisServer);
    // Takes 50 to 300 ms for half an answer once it has the whole request, and as long for the rest.
    service = await listenOnLoopback(
      createServer((incoming, response) => {
        const name = incoming.url?.split('/').at(-1) ?? '';
        begun.add(name);
        const pauseMs = 50 + (Number(name.replace(/\D/g, '')) % 26) * 10;
        incoming.resume().once('end', async () => {
          await pause(pauseMs);
          response.writeHead(200, { 'content-type': 'text/plain' }).write(`${name} `);
          await pause(pauseMs);
          response.end('whole');
        });
      }),
    );
  });
  afterAll(() => Promise.all([service?.down(), redis?.stop()]));

  const startDoor = async (more: Readonly<Record<string, string>>) => {
    await redis.client.del('tgefd:v1:audit');
    begun.clear();
    return startNodeDoor({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'none',
      TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
      TGEFD_UPSTREAM_URL: `http://127.0.0.1:${service.port}`,
      TGEFD_FORWARD_AUTH: 'nginx',
      TGEFD_REDIS_URL: redis.url,
      TGEFD_REDIS_TOKEN: redis.token,
      TGEFD_REDIS_TIMEOUT_MS: '5000',
      TGEFD_AUDIT_LOG: 'false',
      ...more,
    });
  };

  /** One request on a kept-alive connection; how it went. */
  const ask = (port: number, agent: Agent, name: string) =>
    new Promise<Outcome>((resolve) => {
      let answered = false;
      const outgoing = request({ host: '127.0.0.1', port, agent, path: `/v1/jobs/${name}` }, async (response) => {
        answered = true;
        let body = '';
        try {
          for await (const chunk of response) body += chunk;
        } catch {
          return resolve('cut');
        }
        if (response.statusCode !== 200) return resolve(response.statusCode ?? 0);
        resolve(body === `${name} whole` ? 'whole' : 'cut');
      });
      outgoing.on('error', () => resolve(answered ? 'cut' : 'refused'));
      outgoing.end();
    });

  const records = async () => {
    const entries = (await redis.client.xrange('tgefd:v1:audit', '-', '+')) as [string, string[]][];
    return entries.map(([, fields]) => fields.join(' ')).filter((text) => text.includes('"type":"audit"'));
  };

  test.each([
    ['nobody', 'strict'],
    ['nobody', 'relaxed'],
    ['the documented nginx, the gateway behind it', 'strict'],
    ['the documented nginx, the gateway behind it', 'relaxed'],
    ['the documented nginx, which asks', 'strict'],
    ['the documented nginx, which asks', 'relaxed'],
  ] as const)('behind %s, %s: every accepted request is answered, every record durable', async (front, mode) => {
    const door = await startDoor({ TGEFD_AUDIT_MODE: mode });
    const proxy = await fronts[front].start(door.port, service.port);
    const { gone } = fronts[front];
    // Records take their time, so that some are under way when the signal comes.
    await redis.setFault({ kind: 'delay', delayMs: 120 });
    const outcomes = new Map<string, Outcome>();
    let signalled = false;
    const worker = async (number: number) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let turn = 0; turn < 1000; turn++) {
        const name = `${mode}-${number}-${turn}`;
        const outcome = await ask(proxy?.port ?? door.port, agent, name);
        outcomes.set(name, outcome);
        if (outcome !== 'whole' && signalled) break;
      }
      agent.destroy();
    };
    const working = Promise.all(Array.from({ length: WORKERS }, (_, number) => worker(number)));
    await pause(1500);
    signalled = true;
    const signalledMs = performance.now();
    const stopped = door.stop();
    const how = await door.exited;
    const drainMs = performance.now() - signalledMs;
    await Promise.all([stopped, working]);
    await redis.setFault(null);
    await proxy?.stop();

    expect(how).toBe('exit code 0');
    expect(drainMs).toBeLessThan(4000);
    const of = (wanted: (outcome: Outcome) => boolean) =>
      [...outcomes].filter(([, outcome]) => wanted(outcome)).map(([name]) => name);
    const whole = of((outcome) => outcome === 'whole');
    expect(whole.length).toBeGreaterThan(WORKERS * 2);
    // Whatever reached the service was answered whole, so what was not can be sent again.
    expect([...begun].sort()).toEqual(whole.sort());
    // Besides there is one end of each worker: a connection refused, or what the proxy says of a door that is gone.
    expect(of((outcome) => outcome === (gone ?? 'refused'))).toHaveLength(WORKERS);
    expect(outcomes.size).toBe(whole.length + WORKERS);
    expect(await records()).toHaveLength(whole.length);
    expect(door.lines.some((line) => line.includes('"event":"stopped"'))).toBe(true);
  });

  test('a kept-alive connection that rests is let go, a request that is half sent is answered and recorded', async () => {
    const door = await startDoor({ TGEFD_AUDIT_MODE: 'strict' });
    const open = async (text: string) => {
      const socket = connect(door.port, '127.0.0.1');
      const seen: { readonly socket: Socket; text: string; readonly closed: Promise<unknown> } = {
        socket,
        text: '',
        closed: once(socket, 'close'),
      };
      socket.setEncoding('latin1').on('data', (chunk) => {
        seen.text += chunk;
      });
      await once(socket, 'connect');
      socket.write(text);
      return seen;
    };
    const resting = await open('GET /v1/jobs/1 HTTP/1.1\r\nHost: a\r\n\r\n');
    const silent = await open('');
    const half = await open('POST /v1/discover HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n{"');
    await expect.poll(() => resting.text, { timeout: 5000 }).toMatch(/whole\r\n0\r\n\r\n$/);
    await expect.poll(() => begun.has('discover'), { timeout: 5000 }).toBe(true);

    const stopped = door.stop();
    await Promise.all([resting.closed, silent.closed]);
    half.socket.write('}\n');
    await half.closed;
    expect(half.text).toMatch(
      /^HTTP\/1\.1 200 [\s\S]*\r\nconnection: close\r\n[\s\S]*discover [\s\S]*whole\r\n0\r\n\r\n$/i,
    );
    await stopped;
    expect(await door.exited).toBe('exit code 0');
    expect(await records()).toHaveLength(2);
  });
});
