import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { EgressTarget } from '../../lib/config/egress.ts';
import { createNodeEgress } from '../../lib/platform/node/egress.ts';
import { createTcpClient } from '../../lib/platform/node/redis-tcp/client.ts';
import type { ConnectionTimes, Topology } from '../../lib/platform/node/redis-tcp/connections.ts';
import type { RedisClient } from '../../lib/redis/client.ts';
import { type Child, freePort, startChild } from './child.ts';
import { type Program, pathOf } from './debian.ts';

export interface RedisServer extends Child {
  readonly port: number;
}

/** Starts one redis-server without persistence on a free loopback port, or on the port that is given. */
export async function startRedisServer(
  program: Program,
  settings: Readonly<Record<string, string>> = {},
  port?: number,
): Promise<RedisServer> {
  const own = port ?? (await freePort());
  const all = {
    port: `${own}`,
    bind: '127.0.0.1',
    save: '',
    appendonly: 'no',
    daemonize: 'no',
    dir: '/tmp',
    ...settings,
  };
  const child = await startChild({
    command: pathOf(program),
    args: Object.entries(all).flatMap(([name, value]) => [`--${name}`, ...value.split(' ')]),
    ready: (lines) => lines.some((line) => line.includes('Ready to accept connections')),
  });
  return { ...child, port: own };
}

function targetOf(port: number): EgressTarget {
  return { host: `127.0.0.1:${port}`, name: '127.0.0.1', port, variable: 'TGEFD_REDIS_URL', addresses: 'as_written' };
}

/** A client as the product makes it; it may call these ports of this machine and no others. */
export function tcpClient(
  port: number,
  topology: Partial<Topology> = {},
  {
    ports = [],
    password = null,
    times = {},
  }: {
    readonly ports?: readonly number[];
    readonly password?: string | null;
    readonly times?: Partial<ConnectionTimes>;
  } = {},
): RedisClient {
  const refusals: unknown[] = [];
  const egress = createNodeEgress([port, ...ports].map(targetOf), (refusal) => refusals.push(refusal));
  const whole = { url: new URL(`redis://127.0.0.1:${port}`), nodes: [], cluster: false, sentinel: null, ...topology };
  const secret = password === null ? null : { current: password, previous: null };
  return createTcpClient(whole, null, () => secret, { egress, used: () => {}, times });
}

/** Starts a Sentinel that watches one primary on this machine, with the shortest times it takes. */
export async function startSentinel(program: Program, primaryPort: number): Promise<RedisServer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'sentinel-'));
  const file = join(folder, 'sentinel.conf');
  await writeFile(
    file,
    `port ${port}
bind 127.0.0.1
dir ${folder}
sentinel monitor mymaster 127.0.0.1 ${primaryPort} 1
sentinel down-after-milliseconds mymaster 1000
sentinel failover-timeout mymaster 5000
`,
  );
  const child = await startChild({
    command: pathOf(program),
    args: [file, '--sentinel'],
    ready: (lines) => lines.some((line) => line.includes('+monitor')),
  });
  return { ...child, port };
}

const SLOTS = 16_384;

/** Two servers that are one cluster; the first has every slot. */
export async function startCluster(program: Program) {
  const settings = { 'cluster-enabled': 'yes', 'cluster-allow-replica-migration': 'no' };
  const servers = await Promise.all(
    [0, 1].map(async (which) => {
      const dir = await mkdtemp(join(tmpdir(), `cluster-${which}-`));
      // The bus of a node listens at its port + 10,000.
      const port = 20_000 + Math.floor(Math.random() * 20_000);
      return startRedisServer(program, { ...settings, dir }, port);
    }),
  );
  const admins = servers.map(({ port }) => new Redis({ host: '127.0.0.1', port }));
  const ids = await Promise.all(admins.map(async (admin) => String(await admin.call('CLUSTER', 'MYID'))));
  const [first, second] = admins;
  if (!first || !second) throw new Error('two servers were started');
  await first.call('CLUSTER', 'ADDSLOTSRANGE', '0', `${SLOTS - 1}`);
  await first.call('CLUSTER', 'MEET', '127.0.0.1', `${servers[1]?.port}`);
  for (let tries = 0; tries < 100; tries++) {
    const states = await Promise.all(admins.map(async (admin) => String(await admin.call('CLUSTER', 'INFO'))));
    if (states.every((state) => state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:2'))) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  let owner = 0;
  return {
    ports: servers.map(({ port }) => port),
    /** Moves the slot of a key, with the keys in it, to the other server. */
    async moveSlotOf(key: string) {
      const slot = String(await first.call('CLUSTER', 'KEYSLOT', key));
      const [from, to] = owner === 0 ? [first, second] : [second, first];
      const [fromId = '', toId = ''] = owner === 0 ? ids : [...ids].reverse();
      await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
      await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
      const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, '100')) as string[];
      const port = `${servers[1 - owner]?.port}`;
      if (keys.length > 0) await from.call('MIGRATE', '127.0.0.1', port, '', '0', '5000', 'KEYS', ...keys);
      for (const admin of [to, from]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
      owner = 1 - owner;
    },
    async stop() {
      for (const admin of admins) admin.disconnect();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
