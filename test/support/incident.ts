import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { composeArchive } from '../../functions/archive/compose.ts';
import { compose } from '../../functions/compose.ts';
import { createUlids } from '../../functions/ids.ts';
import { createS3Client, createS3Store } from '../../lib/audit/s3.ts';
import type { ObjectStore } from '../../lib/audit/store.ts';
import { loadConfig } from '../../lib/config/load.ts';
import type { DoorEnv, StartedDoor } from './door.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { startNodeDoor } from './node-door.ts';
import { type CephPrograms, type Radosgw, startRadosgw } from './radosgw.ts';
import { type RedisParts, redisProgram, startRedis } from './redis.ts';
import { type OperatorShell, operatorShell } from './runbook.ts';
import { startUpstream, type Upstream } from './upstream.ts';

export const BUCKET = 'records';

/** A whole deployment for a drill: everything that an incident may touch, and the operator's shell. */
export interface Deployment {
  readonly issuer: Issuer;
  readonly upstream: Upstream;
  readonly redis: RedisParts;
  readonly ceph: Radosgw;
  readonly s3: S3Client;
  /** The locked bucket that the archive writes to. */
  readonly store: ObjectStore;
  readonly folder: string;
  readonly shell: OperatorShell;
  /** Starts the one door with what is common and this; the one before is stopped. */
  openDoor(env: DoorEnv): Promise<StartedDoor>;
  /** What an operator of that door has in the environment. */
  operatorEnv(): Readonly<Record<string, string>>;
  /** Sets a variable of the operator and of the archive. */
  set(name: string, value: string): void;
  /** Puts a mounted file in place at once; gives its path. */
  mount(name: string, text: string): Promise<string>;
  /** Archives what is in the outbox now, as the schedule does once it is due; not what comes meanwhile. */
  archive(): Promise<void>;
  /** Writes down every record line of every door so far; gives the path. */
  writeLines(): Promise<string>;
  stop(): Promise<void>;
}

/** The archive waits for a batch to grow old; a drill does not. */
const later = () => Date.now() + 600_000;

export async function startDeployment(programs: CephPrograms, signingKey: string): Promise<Deployment> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-drill-'));
  const [issuer, upstream, redis, ceph, shell] = await Promise.all([
    startIssuer(),
    startUpstream(),
    startRedis(await redisProgram()),
    startRadosgw(programs),
    operatorShell(folder),
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
    Date.now,
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
  let door: StartedDoor | null = null;
  let doorEnv: Record<string, string> = common;
  const lines: string[] = [];
  const closeDoor = async () => {
    await door?.stop();
    lines.push(...(door?.lines ?? []));
    door = null;
  };

  return {
    issuer,
    upstream,
    redis,
    ceph,
    s3,
    store,
    folder,
    shell,
    async openDoor(env) {
      await closeDoor();
      const token = 'TGEFD_REDIS_TOKEN_FILE' in env ? {} : { TGEFD_REDIS_TOKEN: redis.token };
      doorEnv = { ...common, ...token, ...env };
      door = await startNodeDoor(doorEnv);
      return door;
    },
    operatorEnv: () => ({ ...doorEnv, ...archiveEnv }),
    set(name, value) {
      archiveEnv[name] = value;
    },
    async mount(name, text) {
      const path = join(folder, name);
      await writeFile(`${path}.next`, text, { mode: 0o600 });
      await rename(`${path}.next`, path);
      return path;
    },
    async archive() {
      const env = { ...common, TGEFD_AUTH_MODE: 'none', ...archiveEnv, TGEFD_REDIS_TOKEN: redis.token };
      const place = { platform: 'lambda', role: 'archive', upstreamBinding: false, bucketBinding: false } as const;
      const loaded = loadConfig(env, place);
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
      const runtime = {
        clock: later,
        newId: createUlids(later),
        log: () => undefined,
        fetch: (input: string, init?: RequestInit) => fetch(input, init),
        random: () => 0.5,
        sleep: async () => undefined,
        sharePromises: true,
        sharedKeySet: null,
        upstream: null,
        auditLine: null,
        spill: null,
        redisExchange: null,
      };
      const { outbox } = compose(loaded.config, runtime);
      if (outbox === null) throw new Error('no outbox');
      const run = await composeArchive(loaded.config, {
        ...runtime,
        outbox,
        store,
        copies: null,
        runMs: 0,
      })?.run();
      if (run?.outcome !== 'drained' && run?.outcome !== 'behind') throw new Error(`the archive is ${run?.outcome}`);
    },
    async writeLines() {
      const path = join(folder, 'lines');
      await writeFile(path, [...lines, ...(door?.lines ?? [])].join('\n'));
      return path;
    },
    async stop() {
      await closeDoor();
      await Promise.all([issuer.stop(), upstream.stop(), redis.stop(), ceph.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
