import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { createS3Store } from '../../lib/storage/s3/s3.ts';
import { createS3Client } from '../../lib/storage/s3/s3-client.ts';
import type { ObjectStore } from '../../lib/storage/store.ts';
import { runArchive } from './archive-run.ts';
import type { DoorEnv, StartedDoor } from './door.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { startNodeDoor } from './node-door.ts';
import { type CephPrograms, type Radosgw, startRadosgw } from './radosgw.ts';
import { type RedisParts, redisProgram, startRedis } from './redis.ts';
import { type OperatorShell, operatorShell } from './runbook.ts';
import { startUpstream } from './upstream.ts';

export const BUCKET = 'records';

/** A whole deployment for a drill: everything that an incident may touch. */
export interface Deployment {
  readonly ceph: Radosgw;
  readonly s3: S3Client;
  /** The locked bucket that the archive writes to. */
  readonly store: ObjectStore;
  /** Sets a variable of the archive, and of whoever reads it. */
  set(name: string, value: string): void;
  /** A place for one incident, with a door, a folder and an operator of its own. */
  scene(): Promise<Scene>;
  stop(): Promise<void>;
}

export interface Scene {
  readonly issuer: Issuer;
  readonly redis: RedisParts;
  readonly folder: string;
  /** Runs commands with what the operator of this door has in the environment. */
  readonly shell: OperatorShell;
  /** Starts the door, with what is common and this. */
  openDoor(env: DoorEnv): Promise<StartedDoor>;
  /** Puts a mounted file in place at once; gives its path. */
  mount(name: string, text: string): Promise<string>;
  /** Archives what is in the outbox now, as the schedule does once it is due; not what comes meanwhile. */
  archive(): Promise<void>;
  /** Writes down every record line of the door so far; gives the path. */
  writeLines(): Promise<string>;
  /** Called at the end of the scene, before the door is closed. */
  atEnd(action: () => Promise<unknown>): void;
  close(): Promise<void>;
}

export async function startDeployment(programs: CephPrograms, signingKey: string): Promise<Deployment> {
  const [issuer, upstream, redis, ceph] = await Promise.all([
    startIssuer(),
    startUpstream(),
    startRedis(await redisProgram()),
    startRadosgw(programs),
  ]);
  const { endpoint, credentials } = ceph;
  const s3 = createS3Client({ endpoint, region: 'default', credentials, timeoutMs: 20_000 });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET, ObjectLockEnabledForBucket: true }));
  const store = createS3Store(
    s3,
    {
      bucket: BUCKET,
      conditionalWrites: false, // radosgw has not both.
      retention: { mode: 'COMPLIANCE', days: 1, isKept: (key) => !key.includes('/spill/') },
      encryption: null,
    },
    { clock: Date.now },
  );
  const archiveEnv: Record<string, string> = {
    TGEFD_AUDIT_BUCKET: BUCKET,
    TGEFD_AUDIT_S3_ENDPOINT: endpoint,
    TGEFD_AUDIT_S3_REGION: 'default',
    TGEFD_AUDIT_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    TGEFD_AUDIT_SIGNING_KEY: signingKey,
  };
  const common = {
    TGEFD_ENV: 'development',
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TIMEOUT_MS: '2000',
    TGEFD_REVOCATION_MAX_DELAY_SEC: '2',
    TGEFD_AUDIT_MODE: 'strict',
    TGEFD_AUDIT_LOG: 'true',
    TGEFD_AUDIT_PSEUDONYM_KEY: 'the pseudonym key of the incident drill',
  };
  const archiveOnce = async () => {
    const env = { ...common, TGEFD_AUTH_MODE: 'none', ...archiveEnv, TGEFD_REDIS_TOKEN: redis.token };
    const outcome = await runArchive(env, store);
    if (outcome !== 'drained' && outcome !== 'behind') throw new Error(`the archive is ${outcome}`);
  };
  let archived: Promise<void> = Promise.resolve();

  return {
    ceph,
    s3,
    store,
    set(name, value) {
      archiveEnv[name] = value;
    },
    async scene() {
      const folder = await mkdtemp(join(tmpdir(), 'tgefd-drill-'));
      const shell = await operatorShell(folder);
      const ends: (() => Promise<unknown>)[] = [];
      let door: StartedDoor | null = null;
      let doorEnv: Record<string, string> = common;
      return {
        issuer,
        redis,
        folder,
        shell: (commands, variables) => shell(commands, { ...doorEnv, ...archiveEnv, ...variables }),
        async openDoor(env) {
          const token = 'TGEFD_REDIS_TOKEN_FILE' in env ? {} : { TGEFD_REDIS_TOKEN: redis.token };
          doorEnv = { ...common, ...token, ...env };
          door = await startNodeDoor(doorEnv);
          return door;
        },
        async mount(name, text) {
          const path = join(folder, name);
          await writeFile(`${path}.next`, text, { mode: 0o600 });
          await rename(`${path}.next`, path);
          return path;
        },
        // One at a time: they share a lease.
        archive: () => (archived = archived.catch(() => undefined).then(archiveOnce)),
        async writeLines() {
          const path = join(folder, 'lines');
          await writeFile(path, (door?.lines ?? []).join('\n'));
          return path;
        },
        atEnd: (action) => void ends.push(action),
        async close() {
          for (const end of ends.reverse()) await end();
          await door?.stop();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
    async stop() {
      await Promise.all([issuer.stop(), upstream.stop(), redis.stop(), ceph.stop()]);
    },
  };
}
