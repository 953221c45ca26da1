import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { ByteServerResponse } from '../../../lib/adapter/node/server-response.ts';

test('a body that breaks before its header section left is answered by what stands in its place', async () => {
  const server = createServer({ ServerResponse: ByteServerResponse }, (_, outgoing) => {
    const headers = [['cache-control', 'no-store']] as const;
    outgoing.forwarded = { hasType: true, instead: () => ({ status: 502, headers, body: '{}' }) };
    outgoing.writeHead(500, { 'Content-Type': 'text/plain' });
    outgoing.end('Error: inner text');
    outgoing.destroy(new Error('inner text'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([502, 'no-store', '{}']);
  server.close();
});

test('a body that breaks before its header section left breaks the connection off, and tells nothing of the error', async () => {
  const server = createServer({ ServerResponse: ByteServerResponse }, (_, outgoing) => {
    // What the listener does with such a body.
    if (!outgoing.headersSent) outgoing.writeHead(500, { 'Content-Type': 'text/plain' });
    outgoing.end('Error: inner text');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  server.close();
});
