import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { RedisStream } from '../../../../../lib/platform/node/redis-tcp/redis-stream.ts';

/** A socket that keeps what each write brings. */
function socketOf(writes: string[]) {
  const socket = new Duplex({
    decodeStrings: false,
    read() {},
    write(chunk, _encoding, done) {
      writes.push(String(chunk));
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  const stream = new RedisStream(socket, { secure: false, cluster: false, connectMs: 1_000, replyMs: 1_000 });
  socket.emit('connect');
  return { socket, stream };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('commands of one turn of the event loop go out in one write', async () => {
  const writes: string[] = [];
  const { socket, stream } = socketOf(writes);
  stream.write('one ');
  await Promise.resolve();
  stream.write('two ');
  expect(writes).toEqual([]);
  await turn();
  expect(writes).toEqual(['one two ']);
  stream.write('three');
  await turn();
  expect(writes).toEqual(['one two ', 'three']);
  socket.push('+OK\r\n+OK\r\n+OK\r\n');
  expect(String((await once(stream, 'data'))[0])).toBe('+OK\r\n+OK\r\n+OK\r\n');
  stream.destroy();
});

test('a connection that ends sends what waits before', async () => {
  const writes: string[] = [];
  const { stream } = socketOf(writes);
  stream.write('one');
  stream.end();
  await turn();
  expect(writes).toEqual(['one']);
  stream.destroy();
});
