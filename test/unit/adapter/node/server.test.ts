import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { createConnectionDrain } from '../../../../lib/adapter/node/drain.ts';
import { createNodeServer } from '../../../../lib/adapter/node/server.ts';
import { createUnreadable } from '../../../../lib/adapter/node/unreadable/unreadable.ts';
import type { ServerTls } from '../../../../lib/platform/node/tls/server-tls.ts';
import { readTlsFiles } from '../../../../lib/platform/node/tls/tls-files.ts';
import { opensslProgram, startAuthority } from '../../../support/certificates.ts';
import { describeWith } from '../../../support/describe-with.ts';

const openssl = await opensslProgram();
const sockets: Socket[] = [];
let server: Server;

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
});

async function listen(tls: ServerTls | null) {
  const unreadable = createUnreadable({ log: () => {}, newId: () => 'd-1', stopwatch: () => performance.now() });
  const parts = {
    log: () => {},
    unreadable,
    answerUnreadable: () => null,
    idleTimeoutMs: 60_000,
    readCertificate: async () => null,
  };
  server = createNodeServer({ fetch: () => new Response('in') }, () => false, tls, parts);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}

/** A client that says this, and never ends its own side. */
function say(bytes: string | Uint8Array) {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  sockets.push(socket);
  socket.on('error', () => {}).resume();
  socket.write(bytes);
}

function shakeHands() {
  const { port } = server.address() as AddressInfo;
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  sockets.push(socket);
  return socket.on('error', () => {});
}

function connections() {
  return new Promise<number>((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

test('a connection that was refused ends, also where the client does not end it', async () => {
  await listen(null);
  say('frobnicate\r\n\r\n');
  say(`GET / HTTP/1.1\r\nA: ${'a'.repeat(40_000)}`);
  await expect.poll(connections).toBe(2);
  await expect.poll(connections, { timeout: 5_000 }).toBe(0);
});

describeWith([openssl], 'over TLS', () => {
  let tls: ServerTls;
  beforeAll(async () => {
    const authority = await startAuthority(openssl);
    const folder = await mkdtemp(join(tmpdir(), 'tgefd-server-'));
    const issued = await authority.issue({ subject: '/CN=localhost', usage: 'serverAuth' });
    const file = async (variable: string, pem: string) => {
      const path = join(folder, variable);
      await writeFile(path, pem);
      return { variable, path };
    };
    const [certificate, key] = [await file('CERT', issued.pem), await file('KEY', issued.keyPem)];
    const files = { certificate, key, authorities: null, revocationLists: null };
    const first = readTlsFiles(files);
    await Promise.all([authority.stop(), rm(folder, { recursive: true })]);
    if (!first.ok) throw new Error(first.problem.found);
    tls = { files, first };
  }, 60_000);

  test('who does not end a handshake is cut off after ten seconds', async () => {
    await listen(tls);
    say('');
    say(new Uint8Array([22, 3, 1, 0, 200, 1]));
    await expect.poll(connections).toBe(2);
    await expect.poll(connections, { interval: 500, timeout: 15_000 }).toBe(0);
  }, 30_000);

  test('a drain cuts off who has said nothing, before the handshake or after it, and answers who has asked', async () => {
    await listen(tls);
    const drain = createConnectionDrain(server);
    say('');
    const [silent, asking] = [shakeHands(), shakeHands()];
    let text = '';
    asking.on('data', (bytes) => {
      text += bytes;
    });
    await Promise.all([once(silent, 'secureConnect'), once(asking, 'secureConnect')]);
    asking.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(server, 'request');
    const drained = drain();
    await Promise.all([once(silent, 'close'), once(asking, 'close'), drained]);
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\nconnection: close\r\n[\s\S]*in/i);
  });
});
