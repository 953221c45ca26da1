import { Agent, createServer, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';

const program = await redisProgram();
const WORKERS = 24;
const SECRET = 'a secret of the tests, of 32 bytes or more';

/*
 * SIGTERM under load: whatever was begun is answered whole, every decision's record is in the outbox, and the process ends by
 * itself. A request that comes too late is refused before anything happens, so that a balancer may send it elsewhere.
 */
describeWith([program], 'SIGTERM under load', () => {
  let redis: RedisParts;
  let service: LoopbackServer;
  const begun = new Set<string>();

  beforeAll(async () => {
    redis = await startRedis(program);
    // Takes 50 to 300 ms for half an answer, and as long for the rest.
    service = await listenOnLoopback(
      createServer((incoming, response) => {
        const name = incoming.url?.split('/').at(-1) ?? '';
        begun.add(name);
        const pauseMs = 50 + (Number(name.replace(/\D/g, '')) % 26) * 10;
        setTimeout(() => {
          response.writeHead(200, { 'content-type': 'text/plain' }).write(`${name} `);
          setTimeout(() => response.end('whole'), pauseMs);
        }, pauseMs);
      }),
    );
  });
  afterAll(() => Promise.all([service?.down(), redis?.stop()]));

  /** One request on a kept-alive connection; how it went. */
  const ask = (port: number, agent: Agent, name: string) =>
    new Promise<'whole' | 'cut' | 'refused' | number>((resolve) => {
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

  const records = async (prefix: string) => {
    const entries = (await redis.client.xrange('tgefd:v1:audit', '-', '+')) as [string, string[]][];
    return entries.map(([, fields]) => fields.join(' ')).filter((text) => text.includes(prefix));
  };

  test.each(['strict', 'relaxed'] as const)(
    '%s: every accepted request is answered, every record durable',
    async (mode) => {
      await redis.client.del('tgefd:v1:audit');
      const door = await startNodeDoor({
        TGEFD_ENV: 'development',
        TGEFD_AUTH_MODE: 'none',
        TGEFD_INGRESS_SECRET: SECRET,
        TGEFD_UPSTREAM_URL: `http://127.0.0.1:${service.port}`,
        TGEFD_REDIS_URL: redis.url,
        TGEFD_REDIS_TOKEN: redis.token,
        TGEFD_REDIS_TIMEOUT_MS: '5000',
        TGEFD_AUDIT_MODE: mode,
        TGEFD_AUDIT_LOG: 'false',
      });
      // Records take their time, so that some are under way when the signal comes.
      await redis.setFault({ kind: 'delay', delayMs: 120 });
      const outcomes = new Map<string, 'whole' | 'cut' | 'refused' | number>();
      let gone = false;
      let signalled = false;
      const worker = async (number: number) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        for (let turn = 0; !gone; turn++) {
          const name = `${mode}-${number}-${turn}`;
          const outcome = await ask(door.port, agent, name);
          outcomes.set(name, outcome);
          if (outcome === 'refused') {
            if (signalled) break;
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
        agent.destroy();
      };
      const working = Promise.all(Array.from({ length: WORKERS }, (_, number) => worker(number)));
      await new Promise((resolve) => setTimeout(resolve, 1500));
      signalled = true;
      const signalledMs = performance.now();
      const stopped = door.stop();
      const how = await door.exited;
      const drainMs = performance.now() - signalledMs;
      gone = true;
      await Promise.all([stopped, working]);
      await redis.setFault(null);

      expect(how).toBe('exit code 0');
      expect(drainMs).toBeLessThan(4000);
      const all = [...outcomes];
      const of = (wanted: string | number) => all.filter(([, outcome]) => outcome === wanted).map(([name]) => name);
      expect(of('whole').length).toBeGreaterThan(WORKERS * 2);
      expect(of('cut')).toEqual([]);
      // What was refused at the end never reached the service: it is safe to send again.
      for (const name of of('refused')) expect(begun.has(name), name).toBe(false);
      expect(all.filter(([, outcome]) => typeof outcome === 'number')).toEqual([]);
      const kept = await records('"action":"jobs"');
      expect(kept).toHaveLength(of('whole').length);
      expect(door.lines.some((line) => line.includes('"event":"stopped"'))).toBe(true);
    },
  );
});
