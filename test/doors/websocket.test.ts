import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const IDLE_SECONDS = 0.5;

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream?.stop());

/** Node's client takes fields of the handshake, which the types of the web do not know. */
const Client = WebSocket as unknown as new (
  url: string,
  options: { protocols?: string[]; headers: Record<string, string> },
) => WebSocket;

interface Closed {
  readonly code: number;
  readonly reason: string;
}

describe.each([
  ['Node', startNodeDoor],
  ['workerd', startWorkerDoor],
] as const)('a WebSocket through %s', (runtime, start) => {
  let door: StartedDoor;
  beforeAll(async () => {
    door = await start({
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'api_key',
      TGEFD_API_KEY: 'tests:a-key-of-the-tests',
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_ENDPOINTS: JSON.stringify([{ method: 'GET', path: '/websocket', scope: null, budget: 'none' }]),
      TGEFD_IDLE_TIMEOUT_SEC: `${IDLE_SECONDS}`,
      TGEFD_UPSTREAM_TIMEOUT_SEC: '1',
      TGEFD_MAX_CONCURRENT_REQUESTS: '2',
      TGEFD_AUDIT_LOG: 'false',
    });
  });
  afterAll(() => door?.stop());

  async function open(protocols: string[] = []) {
    const headers = { 'x-api-key': 'a-key-of-the-tests' };
    const socket = new Client(`ws://127.0.0.1:${door.port}/websocket`, { protocols, headers });
    socket.binaryType = 'arraybuffer';
    const closed = new Promise<Closed>((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
    });
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error('no WebSocket')), { once: true });
    });
    const ask = (message: string | Uint8Array<ArrayBuffer>) =>
      new Promise<string | ArrayBuffer>((resolve) => {
        socket.addEventListener('message', ({ data }) => resolve(data), { once: true });
        socket.send(message);
      });
    return { socket, closed, ask };
  }

  test('has the subprotocol that the service took', async () => {
    const { socket, closed } = await open(['chat.v2', 'chat.v1']);
    expect(socket.protocol).toBe('chat.v2');
    socket.close();
    await closed;
  });

  test.each([0, 125, 126, 65_535, 65_536, 900_000])('carries a message of %i bytes both ways', async (bytes) => {
    const { socket, closed, ask } = await open();
    const message = new Uint8Array(bytes).map((_, at) => at % 251);
    const echoed = new Uint8Array((await ask(message)) as ArrayBuffer);
    expect(Buffer.compare(echoed, message)).toBe(0);
    socket.close();
    await closed;
  });

  test('hands on the close of the caller, code and reason', async () => {
    const { socket, closed } = await open();
    socket.close(4001, 'of the caller');
    expect(await closed).toEqual({ code: 4001, reason: 'of the caller' });
  });

  test('hands on the close of the service, code and reason', async () => {
    const { socket, closed } = await open();
    socket.send('close 4003');
    expect(await closed).toEqual({ code: 4003, reason: 'of the service' });
  });

  test('ends where the service is cut off, and the next one works', async () => {
    const { socket, closed } = await open();
    socket.send('cut');
    expect((await closed).code).toBe(1006);
    const next = await open();
    expect(await next.ask('still there')).toBe('still there');
    next.socket.close();
    await next.closed;
  });

  test('may be silent for longer than the idle time and the timeout of the upstream', async () => {
    const { socket, closed, ask } = await open();
    await pass(IDLE_SECONDS * 1000 + 1_500);
    expect(await ask('still there')).toBe('still there');
    socket.close();
    await closed;
  });

  if (runtime === 'Node') {
    test('is a request under way for as long as it is open', async () => {
      const open2 = await Promise.all([open(), open()]);
      await expect(open()).rejects.toThrow('no WebSocket');
      for (const { socket, closed } of open2) {
        socket.close();
        await closed;
      }
      await expect.poll(() => open().then(({ socket }) => socket.close(), String)).toBeUndefined();
    });
  } else {
    test('is a request under way until it has begun, since nobody tells workerd of its end', async () => {
      const opened = await Promise.all([open(), open()]);
      opened.push(await open());
      for (const { socket, closed } of opened) {
        socket.close();
        await closed;
      }
    });
  }
});
