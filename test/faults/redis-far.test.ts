import { createServer } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createNodeEgress } from '../../lib/platform/node/egress.ts';
import { createNodeRedisExchange } from '../../lib/platform/node/redis.ts';
import { type Authority, opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';

const openssl = await opensslProgram();
/** One way: a handshake and one question take three round trips. */
const DISTANCE_MS = 40;
const DEADLINE_MS = 150;

describeWith([openssl], 'a REST face of Redis that is 80 ms away, over TLS', () => {
  let authority: Authority;
  let server: LoopbackServer;
  let road: LoopbackServer;
  const seen = { connections: 0, bodies: [] as string[], bytesPass: true };
  beforeAll(async () => {
    authority = await startAuthority(openssl);
    const { pem, keyPem } = await authority.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost'],
      usage: 'serverAuth',
    });
    server = await listenOnLoopback(
      createServer({ key: keyPem, cert: pem }, (request, response) => {
        let body = '';
        request.on('data', (piece) => {
          body += piece;
        });
        request.once('end', () => {
          seen.bodies.push(body);
          response.end('{"result":"OK"}');
        });
      }),
    );
    road = await listenOnLoopback(
      createTcpServer((near) => {
        seen.connections += 1;
        const far = connect(server.port, '127.0.0.1');
        for (const [one, other] of [
          [near, far],
          [far, near],
        ] as const) {
          one.setNoDelay(true);
          one.on('error', () => {});
          one.on('data', (piece) =>
            setTimeout(() => seen.bytesPass && !other.destroyed && other.write(piece), DISTANCE_MS),
          );
          one.once('close', () => other.destroy());
        }
      }),
    );
  });
  afterAll(() => Promise.all([authority?.stop(), server?.down(), road?.down()]));
  beforeEach(() => Object.assign(seen, { connections: 0, bodies: [], bytesPass: true }));

  function exchangeOf() {
    const url = new URL(`https://localhost:${road.port}`);
    const target = {
      host: url.host,
      name: 'localhost',
      port: road.port,
      variable: 'X',
      addresses: 'loopback',
    } as const;
    const egress = createNodeEgress([target], () => {}, {
      identify: (agent) => Object.assign(agent, { options: { ...agent.options, ca: authority.pem } }),
    });
    const exchange = createNodeRedisExchange(url, egress, () => {})('token');
    return (name: string) => exchange(`["GET","${name}"]`, AbortSignal.timeout(DEADLINE_MS), true);
  }

  test('the trip that is given up leaves its connection, which serves the next', async () => {
    const ask = exchangeOf();
    const startedMs = performance.now();
    await expect(ask('first')).rejects.toThrow();
    expect(performance.now() - startedMs).toBeLessThan(DEADLINE_MS + 100);
    await pass(150);
    expect(await ask('second')).toEqual({ status: 200, text: '{"result":"OK"}' });
    expect(seen.connections).toBe(1);
    expect(seen.bodies.at(-1)).toBe('["GET","second"]');
  });

  test('one after the other within the first second: the third has its answer', async () => {
    const ask = exchangeOf();
    const outcomes: string[] = [];
    for (let i = 0; i < 3; i++)
      outcomes.push(
        await ask(`${i}`).then(
          () => 'answered',
          () => 'given up',
        ),
      );
    expect(outcomes.at(-1)).toBe('answered');
    expect(seen.connections).toBeLessThanOrEqual(2);
  });

  test('a connection that never comes to be is ended, and its failure reaches who waits', async () => {
    const ask = exchangeOf();
    seen.bytesPass = false;
    await expect(ask('lost')).rejects.toThrow();
    await road.down();
    await expect(ask('down')).rejects.toThrow();
    await road.up();
    seen.bytesPass = true;
    await expect(ask('later')).rejects.toThrow();
    await pass(150);
    expect((await ask('last')).status).toBe(200);
  });
});
