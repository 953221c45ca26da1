import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, freePort, startChild } from './child.ts';
import { ensurePackage, type Program, pathOf } from './debian.ts';
import { acceptsConnections } from './listening.ts';

interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A real S3 endpoint: Ceph's radosgw over one monitor and one object store daemon in memory. */
export interface Radosgw {
  readonly endpoint: string;
  /** Of a user who owns what it makes and may set up roles and their issuers. */
  readonly credentials: S3Credentials;
  /** Gives the user another access key, besides those that it has. */
  addKey(credentials: S3Credentials): Promise<void>;
  /** Ends an access key, as `aws iam delete-access-key` does. */
  endKey(accessKeyId: string): Promise<void>;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const PACKAGES = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common', 'ceph-base'];
const MEMORY_BYTES = 512 * 1024 * 1024;
const COMMAND_TIMEOUT_MS = 30_000;

const binaries = {
  mon: 'ceph-mon',
  osd: 'ceph-osd',
  rgw: 'radosgw',
  ceph: 'ceph',
  monmap: 'monmaptool',
  admin: 'radosgw-admin',
} as const;
export type CephPrograms = Readonly<Record<keyof typeof binaries, Program>>;

/** The Ceph programs of the machine, installed where they can be (160 MB). */
export async function cephPrograms(): Promise<CephPrograms> {
  const find = (name: keyof typeof binaries) => ensurePackage(binaries[name], PACKAGES);
  return {
    mon: await find('mon'),
    osd: await find('osd'),
    rgw: await find('rgw'),
    ceph: await find('ceph'),
    monmap: await find('monmap'),
    admin: await find('admin'),
  };
}

/**
 * Starts a cluster of one on free loopback ports, everything in a folder of its own that goes with it. With `tokenService` it
 * takes the credentials of its own STS too, and then calls every wrong key `AccessDenied`.
 */
export async function startRadosgw(
  programs: CephPrograms,
  { tokenService = false }: { readonly tokenService?: boolean } = {},
): Promise<Radosgw> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-ceph-'));
  const [monPort, port] = [await freePort(), await freePort()];
  const fsid = randomUUID();
  const conf = join(folder, 'ceph.conf');
  const services = tokenService ? tokenServiceConfiguration(fsid) : '';
  await writeFile(conf, configuration(folder, fsid, monPort, port) + services);
  await Promise.all(['mon', 'osd'].map((name) => mkdir(join(folder, name))));
  const call = async (program: Program, ...args: string[]) =>
    run(pathOf(program), ['--conf', conf, ...args], { timeout: COMMAND_TIMEOUT_MS, env: process.env });
  const daemons: Child[] = [];
  const start = async (program: Program, args: readonly string[], ready: () => boolean | Promise<boolean>) => {
    daemons.push(
      await startChild({
        command: pathOf(program),
        args: ['--conf', conf, ...args, '-f'],
        env: { TMPDIR: folder },
        ready,
        readyTimeoutMs: 90_000,
      }),
    );
  };
  const stop = async () => {
    for (const daemon of daemons.reverse()) await daemon.kill();
    await rm(folder, { recursive: true, force: true });
  };
  const credentials = { accessKeyId: 'LOOPBACKACCESSKEY', secretAccessKey: 'loopback-secret-access-key' };

  try {
    const monmap = join(folder, 'monmap');
    await run(pathOf(programs.monmap), [
      '--create',
      '--fsid',
      fsid,
      '--addv',
      'a',
      `[v2:127.0.0.1:${monPort}]`,
      monmap,
    ]);
    await call(programs.mon, '--mkfs', '-i', 'a', '--monmap', monmap);
    await start(programs.mon, ['-i', 'a'], () => acceptsConnections(monPort));
    const osd = randomUUID();
    await call(programs.ceph, 'osd', 'new', osd);
    await call(programs.osd, '-i', '0', '--mkfs', '--osd-uuid', osd);
    await call(programs.ceph, 'osd', 'crush', 'add', 'osd.0', '1.0', 'root=default', 'host=localhost');
    await start(programs.osd, ['-i', '0'], async () =>
      (await call(programs.ceph, 'osd', 'stat')).stdout.includes('1 up'),
    );
    await start(programs.rgw, ['-n', 'client.rgw'], () => acceptsConnections(port));
    const keys = ['--access-key', credentials.accessKeyId, '--secret-key', credentials.secretAccessKey];
    const caps = ['--caps', 'roles=*;oidc-provider=*'];
    await call(programs.admin, 'user', 'create', '--uid', 'test', '--display-name', 'test', ...keys, ...caps);
  } catch (error) {
    await stop();
    throw error;
  }
  const ofUser = ['--uid', 'test', '--key-type', 's3'];
  return {
    endpoint: `http://127.0.0.1:${port}`,
    credentials,
    async addKey({ accessKeyId, secretAccessKey }) {
      const keys = ['--access-key', accessKeyId, '--secret-key', secretAccessKey];
      await call(programs.admin, 'key', 'create', ...ofUser, ...keys);
    },
    async endKey(accessKeyId) {
      await call(programs.admin, 'key', 'rm', ...ofUser, '--access-key', accessKeyId);
    },
    stop,
  };
}

/** No authentication inside the cluster, everything once, nothing on disk but the monitor's map, and no hook that waits for
 * a host's name. radosgw would insist on encrypting what it says to the monitor, which nobody does without authentication. */
function configuration(folder: string, fsid: string, monPort: number, port: number): string {
  return `[global]
fsid = ${fsid}
mon_initial_members = a
mon_host = [v2:127.0.0.1:${monPort}/0]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
ms_bind_ipv6 = false
osd_objectstore = memstore
memstore_device_bytes = ${MEMORY_BYTES}
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
osd_class_update_on_start = false
osd_crush_update_on_start = false
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_data_avail_crit = 1
mon_data = ${folder}/mon
osd_data = ${folder}/osd
run_dir = ${folder}
log_file = ${folder}/$name.log
admin_socket = ${folder}/$name.$pid.asok
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:${port}
rgw_data = ${folder}
`;
}

/** It cannot be told of a test's own authority, and so has to believe whoever answers for an issuer. */
function tokenServiceConfiguration(fsid: string): string {
  return `rgw_s3_auth_use_sts = true
rgw_sts_key = ${fsid.slice(0, 16)}
rgw_verify_ssl = false
`;
}
