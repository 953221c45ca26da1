import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNodeEgress } from '../../lib/platform/node/egress.ts';
import { createTcpClient } from '../../lib/platform/node/redis-tcp/client.ts';
import type { RedisClient } from '../../lib/redis/client.ts';
import { RedisFailure } from '../../lib/redis/failure.ts';
import { freePort } from '../support/child.ts';
import { describeWith } from '../support/describe-with.ts';
import { redisProgram } from '../support/redis.ts';
import { type RedisServer, startCluster, startRedisServer, startSentinel, tcpClient } from '../support/redis-tcp.ts';

const program = await redisProgram();

/** One command within some time. */
function ask(client: RedisClient, parts: readonly (string | number)[], { ms = 2_000, repeatable = true } = {}) {
  return client.command(parts, AbortSignal.timeout(ms), repeatable);
}

/** How a command fails. */
function failureOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'nothing',
    (error: unknown) => (error instanceof RedisFailure ? error.kind : `no failure of ours: ${error}`),
  );
}

/** Asks until it works. */
async function untilAnswered(asking: () => Promise<unknown>, withinMs: number): Promise<unknown> {
  const endMs = Date.now() + withinMs;
  for (;;) {
    try {
      return await asking();
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

describeWith([program], 'Redis over TCP that does not do what it should', () => {
  describe('one server', () => {
    let server: RedisServer;
    let admin: Redis;
    beforeAll(async () => {
      server = await startRedisServer(program);
      admin = new Redis({ host: '127.0.0.1', port: server.port });
    });
    afterAll(async () => {
      admin?.disconnect();
      await server?.stop();
    });

    test('a connection that broke while it rested costs nothing', async () => {
      const client = tcpClient(server.port);
      await ask(client, ['SET', 'k', 1]);
      for (let turn = 0; turn < 5; turn++) {
        await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        expect(await ask(client, ['INCR', 'k'])).toBe(turn + 2);
      }
    });

    test('a command whose connection breaks is sent once more if that is harmless, and else is not', async () => {
      const client = tcpClient(server.port);
      await ask(client, ['SET', 'waited', 0]);
      const blocked = (repeatable: boolean) => {
        const asked = ask(client, ['BLPOP', 'nothing', 0], { ms: 1_000, repeatable });
        setTimeout(() => void admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'), 100);
        return failureOf(asked);
      };
      expect(await blocked(false)).toBe('unreachable');
      expect(await blocked(true)).toBe('deadline');
    });

    test('a reply that does not come ends at the deadline, and the connection is given up and made again', async () => {
      const client = tcpClient(server.port);
      await ask(client, ['PING']);
      await admin.call('CLIENT', 'PAUSE', '2500', 'ALL').catch(() => {});
      const startedMs = performance.now();
      expect(await failureOf(ask(client, ['INCR', 'slow'], { ms: 150 }))).toBe('deadline');
      expect(performance.now() - startedMs).toBeLessThan(1_000);
      expect(await untilAnswered(() => ask(client, ['PING']), 8_000)).toBe('PONG');
    }, 20_000);

    test.each([
      ['READONLY', 'read_only'],
      ['OOM', 'out_of_memory'],
      ['NOPERM', 'no_permission'],
      ['LOADING', 'unreachable'],
      ['MOVED', 'unreachable'],
      ['WRONGTYPE', 'malformed'],
    ])('an error reply %s is the failure %s', async (word, kind) => {
      const client = tcpClient(server.port);
      const text = `return redis.error_reply('${word} some words with secrets')`;
      expect(await failureOf(client.eval(text, ['k'], [], AbortSignal.timeout(2_000)))).toBe(kind);
    });

    test('only places of the configuration are called', async () => {
      const noted: string[] = [];
      const egress = createNodeEgress([], ({ host }) => void noted.push(host));
      const topology = { url: new URL(`redis://127.0.0.1:${server.port}`), nodes: [], cluster: false, sentinel: null };
      const client = createTcpClient(topology, null, () => null, { egress, used: () => {} });
      expect(await failureOf(ask(client, ['PING'], { ms: 500 }))).toBe('unreachable');
      expect(noted).toContain(`127.0.0.1:${server.port}`);
    });

    test('a server that is not there fails within the deadline, and is found once it is', async () => {
      const port = await freePort();
      const client = tcpClient(port);
      expect(await failureOf(ask(client, ['PING'], { ms: 150 }))).toBe('unreachable');
      const late = await startRedisServer(program, {}, port);
      try {
        expect(await untilAnswered(() => ask(client, ['PING']), 5_000)).toBe('PONG');
      } finally {
        await late.stop();
      }
    });
  });

  describe('a password that is rotated', () => {
    let server: RedisServer;
    let admin: Redis;
    beforeAll(async () => {
      server = await startRedisServer(program, { requirepass: 'old-password' });
      admin = new Redis({ host: '127.0.0.1', port: server.port, password: 'old-password' });
    });
    afterAll(async () => {
      admin?.disconnect();
      await server?.stop();
    });
    const target = () => ({
      host: `127.0.0.1:${server.port}`,
      name: '127.0.0.1',
      port: server.port,
      variable: 'TGEFD_REDIS_URL',
      addresses: 'as_written' as const,
    });

    test('the one that is refused is followed by the other', async () => {
      const used: string[] = [];
      const egress = createNodeEgress([target()], () => {});
      const topology = { url: new URL(`redis://127.0.0.1:${server.port}`), nodes: [], cluster: false, sentinel: null };
      const secret = { current: 'new-password', previous: 'old-password' };
      const parts = { egress, used: (_: string, slot: string) => void used.push(slot) };
      const client = createTcpClient(topology, null, () => secret, parts);
      expect(await ask(client, ['PING'])).toBe('PONG');
      expect(used.at(-1)).toBe('previous');
      await admin.config('SET', 'requirepass', 'new-password');
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      expect(await untilAnswered(() => ask(client, ['PING']), 5_000)).toBe('PONG');
      expect(used.at(-1)).toBe('current');
    });

    test('a wrong one is told as such, at once', async () => {
      const client = tcpClient(server.port, {}, { password: 'wrong' });
      const startedMs = performance.now();
      expect(await failureOf(ask(client, ['PING'], { ms: 3_000 }))).toBe('token_refused');
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    });
  });

  test('Sentinel: after the primary was killed, commands reach the replica that was promoted', async () => {
    const primary = await startRedisServer(program);
    const replica = await startRedisServer(program, { replicaof: `127.0.0.1 ${primary.port}` });
    const sentinel = await startSentinel(program, primary.port);
    const at = (port: number) => ({ host: '127.0.0.1', port });
    const client = tcpClient(
      primary.port,
      { nodes: [at(replica.port)], sentinel: { name: 'mymaster', places: [at(await freePort()), at(sentinel.port)] } },
      { ports: [replica.port, sentinel.port] },
    );
    try {
      expect(await untilAnswered(() => ask(client, ['SET', 'k', 'v']), 5_000)).toBe('OK');
      const probe = new Redis({ host: '127.0.0.1', port: replica.port });
      await untilAnswered(async () => {
        if ((await probe.get('k')) !== 'v') throw new Error('not replicated yet');
      }, 10_000);
      // The Sentinel has to know the replica before it can promote it.
      const watcher = new Redis({ host: '127.0.0.1', port: sentinel.port });
      await untilAnswered(async () => {
        const replicas = (await watcher.call('SENTINEL', 'replicas', 'mymaster')) as unknown[];
        if (replicas.length === 0) throw new Error('no replica known yet');
      }, 15_000);
      watcher.disconnect();
      await primary.kill();
      expect(await untilAnswered(() => ask(client, ['SET', 'k', 'after'], { ms: 1_000 }), 25_000)).toBe('OK');
      expect(await probe.get('k')).toBe('after');
      probe.disconnect();
    } finally {
      await Promise.all([sentinel.stop(), replica.stop()]);
    }
  }, 60_000);

  test('a primary that became a replica is left after its first READONLY', async () => {
    const first = await startRedisServer(program);
    const second = await startRedisServer(program);
    const sentinel = await startSentinel(program, first.port);
    const at = (port: number) => ({ host: '127.0.0.1', port });
    const client = tcpClient(
      first.port,
      { nodes: [at(second.port)], sentinel: { name: 'mymaster', places: [at(sentinel.port)] } },
      { ports: [second.port, sentinel.port] },
    );
    const admin = new Redis({ host: '127.0.0.1', port: first.port });
    try {
      expect(await untilAnswered(() => ask(client, ['SET', 'k', 'v']), 5_000)).toBe('OK');
      await admin.call('REPLICAOF', '127.0.0.1', `${second.port}`);
      const sentinelAdmin = new Redis({ host: '127.0.0.1', port: sentinel.port });
      await sentinelAdmin.call('SENTINEL', 'REMOVE', 'mymaster');
      await sentinelAdmin.call('SENTINEL', 'MONITOR', 'mymaster', '127.0.0.1', `${second.port}`, '1');
      sentinelAdmin.disconnect();
      expect(await untilAnswered(() => ask(client, ['SET', 'moved', 'there']), 10_000)).toBe('OK');
      const probe = new Redis({ host: '127.0.0.1', port: second.port });
      expect(await probe.get('moved')).toBe('there');
      probe.disconnect();
    } finally {
      admin.disconnect();
      await Promise.all([sentinel.stop(), first.stop(), second.stop()]);
    }
  }, 60_000);

  test('a cluster: keys of one script are in one slot, and a slot that moves is followed', async () => {
    const { ports, moveSlotOf, stop } = await startCluster(program);
    const at = (port: number) => ({ host: '127.0.0.1', port });
    const [first = 0, ...others] = ports;
    const client = tcpClient(first, { cluster: true, nodes: others.map(at) }, { ports: others });
    const script = `redis.call('INCR', KEYS[1]) redis.call('INCR', KEYS[2]) return redis.call('GET', KEYS[1])`;
    const both = ['{tgefd}:v1:a', '{tgefd}:v1:b'];
    const run = () => client.eval(script, both, [], AbortSignal.timeout(2_000), true);
    try {
      expect(await untilAnswered(run, 10_000)).toBe('1');
      await moveSlotOf('{tgefd}');
      expect(await untilAnswered(run, 10_000)).toBe('2');
      await moveSlotOf('{tgefd}');
      expect(await run()).toBe('3');
    } finally {
      await stop();
    }
  }, 60_000);
});
