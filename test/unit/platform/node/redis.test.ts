import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createNodeEgress } from '../../../../lib/platform/node/egress.ts';
import { createNodeRedisExchange } from '../../../../lib/platform/node/redis.ts';
import { takeRequest } from '../../../support/fuzzing-peer.ts';
import { type LoopbackServer, listenOnLoopback } from '../../../support/loopback-server.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"result":"OK"}';

let server: LoopbackServer;
let open: Set<Socket>;
let made: number;
let bodies: string[];
/** How long the first answer on a connection takes, as a handshake would. */
let firstMs = 0;
let onRequest: (socket: Socket, body: string, before: number) => void;

beforeEach(async () => {
  [open, made, bodies, firstMs] = [new Set(), 0, [], 0];
  onRequest = (socket, _body, before) => void setTimeout(() => socket.write(OK), before === 0 ? firstMs : 0);
  const listener: Server = createServer((socket) => {
    made++;
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    let [pending, before] = ['', 0];
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      for (let taken = takeRequest(pending); taken !== null; taken = takeRequest(pending)) {
        pending = pending.slice(taken.bytes);
        bodies.push(taken.body);
        onRequest(socket, taken.body, before++);
      }
    });
  });
  server = await listenOnLoopback(listener);
});
afterEach(() => server.down());

function exchangeOf() {
  const url = new URL(`http://127.0.0.1:${server.port}`);
  const target = {
    host: url.host,
    name: '127.0.0.1',
    port: server.port,
    variable: 'X',
    addresses: 'loopback',
  } as const;
  const exchange = createNodeRedisExchange(
    url,
    createNodeEgress([target], () => {}),
    () => {},
  )('token');
  return (body: string, signal: AbortSignal, repeatable = false) => exchange(body, signal, repeatable);
}

const within = (ms: number) => AbortSignal.timeout(ms);

test('a repeatable trip on a connection that was reset while it rested is sent once more', async () => {
  const exchange = exchangeOf();
  await exchange('["GET","a"]', within(1000));
  onRequest = (socket, _body, before) => {
    if (before > 0 && made === 1) socket.resetAndDestroy();
    else socket.write(OK);
  };
  expect((await exchange('["GET","b"]', within(1000), true)).status).toBe(200);
  expect(bodies.filter((body) => body === '["GET","b"]')).toHaveLength(2);
});

test('a trip that must not be repeated is not sent again', async () => {
  const exchange = exchangeOf();
  await exchange('["GET","a"]', within(1000));
  onRequest = (socket) => void socket.resetAndDestroy();
  await expect(exchange('["INCR","b"]', within(1000))).rejects.toThrow();
  expect(bodies.filter((body) => body === '["INCR","b"]')).toHaveLength(1);
});

test('a Redis that is down fails at once, not at the deadline', async () => {
  const exchange = exchangeOf();
  await server.down();
  const startedMs = performance.now();
  await expect(exchange('["GET","a"]', within(5_000))).rejects.toThrow();
  expect(performance.now() - startedMs).toBeLessThan(2_000);
});
