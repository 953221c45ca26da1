import { createServer, type Socket } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { tcpClient } from '../support/redis-tcp.ts';

let server: LoopbackServer | null = null;
let outside: unknown[] = [];
const thrown = (error: unknown) => void outside.push(error);
afterEach(async () => {
  process.removeListener('uncaughtException', thrown);
  process.removeListener('unhandledRejection', thrown);
  await server?.down();
  server = null;
});

/** A server that answers each command by `answer`, with the connections that it had. */
async function startServer(answer: (head: string, socket: Socket) => string) {
  outside = [];
  process.on('uncaughtException', thrown);
  process.on('unhandledRejection', thrown);
  const sockets: Socket[] = [];
  server = await listenOnLoopback(
    createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (chunk) => socket.write(answer(chunk.toString('latin1'), socket)));
    }),
  );
  const at = { host: '127.0.0.1', port: server.port };
  const ask = (client: ReturnType<typeof tcpClient>, name = 'PING') =>
    client.command([name], AbortSignal.timeout(2_000), true).catch((error: Error) => error.message);
  return { at, sockets, ask };
}

const INFO = '$0\r\n\r\n';
const isInfo = (head: string) => /info\r\n$/i.test(head);

test.each([
  ['a null', '$-1\r\n'],
  ['a string', '+OK\r\n'],
  ['the beginning of a reply', '$'],
  ['a push of RESP3', '>1\r\n_\r\n'],
  ['a subscription', '>3\r\n+subscribe\r\n+a\r\n:1\r\n'],
])('%s that nobody asked for ends its connection, and no later command gets it', async (_what, unasked) => {
  const { at, sockets, ask } = await startServer((head) => (isInfo(head) ? INFO : '+PONG\r\n'));
  const client = tcpClient(at.port);
  expect(await ask(client)).toBe('PONG');
  sockets[0]?.write(unasked);
  await expect.poll(() => sockets[0]?.destroyed, { timeout: 2_000 }).toBe(true);
  expect(await ask(client)).toBe('PONG');
  expect(sockets).toHaveLength(2);
  expect(outside).toEqual([]);
});

test('an array of two thousand million elements is refused before a byte of it is kept', async () => {
  let isHonest = false;
  const { at, sockets, ask } = await startServer((head) => {
    if (isInfo(head)) return INFO;
    return isHonest ? '+PONG\r\n' : '*2000000000\r\n:1\r\n';
  });
  const client = tcpClient(at.port);
  expect(await ask(client)).toBe('unreachable');
  isHonest = true;
  expect(await ask(client)).toBe('PONG');
  expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(1);
});

test('a connection that takes too long to be made, byte after byte, is given up and made again', async () => {
  const port = (await startServer(() => '')).at.port;
  const client = tcpClient(port, { url: new URL(`rediss://127.0.0.1:${port}`) }, { times: { connectMs: 300 } });
  const ends: number[] = [];
  const startedMs = performance.now();
  const asked = client.command(['PING'], AbortSignal.timeout(1_500)).catch((error: Error) => error.message);
  await server?.down();
  const dripping = createServer((socket) => {
    // A record of a handshake that is large and never whole.
    socket.write(Buffer.from([0x16, 3, 3, 0x3f, 0xff, 2]));
    const timer = setInterval(() => socket.write('\0'), 50);
    socket.on('error', () => {});
    socket.once('close', () => {
      clearInterval(timer);
      ends.push(performance.now() - startedMs);
    });
  });
  server = await listenOnLoopback(dripping, port);
  expect(['unreachable', 'deadline']).toContain(await asked);
  await expect.poll(() => ends.length, { timeout: 3_000 }).toBeGreaterThan(1);
});

test.each([
  ['a table of slots that is none', '*1\r\n$-1\r\n', '+PONG\r\n'],
  ['a redirect without a place', null, '-ASK 1\r\n'],
  ['a redirect to a place that is no address', null, '-MOVED 1 x\r\n'],
  ['a redirect to a place that the configuration does not name', null, '-ASK 1 127.0.0.1:1\r\n'],
])('a cluster that answers %s is a stated failure, and the next honest answer counts', async (_what, table, reply) => {
  let isHonest = false;
  const { at, ask } = await startServer((head) => {
    const honest = `*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:${at.port}\r\n`;
    if (/slots\r\n$/i.test(head)) return isHonest ? honest : (table ?? honest);
    if (isInfo(head)) return INFO;
    return isHonest ? '+PONG\r\n' : reply;
  });
  const client = tcpClient(at.port, { cluster: true }, { times: { pauseMs: 50 } });
  if (table === null || (await ask(client)) !== 'PONG')
    expect(['unreachable', 'deadline']).toContain(await ask(client));
  isHonest = true;
  await expect.poll(() => ask(client), { timeout: 5_000 }).toBe('PONG');
  await pass(50);
  expect(outside).toEqual([]);
});
