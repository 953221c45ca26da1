import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../functions/cli.ts';
import { rotatedSecrets } from '../../lib/cli/secrets/rotations.ts';
import { freePort } from './child.ts';
import type { Program } from './debian.ts';
import type { DoorEnv, StartedDoor } from './door.ts';
import { type Load, startLoad } from './load.ts';
import { startNodeDoor } from './node-door.ts';
import { type RedisParts, startRedis } from './redis.ts';
import type { Upstream } from './upstream.ts';

export function pause(milliseconds: number) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A door whose secret is a pair of mounted files of its own, as that of one pod. */
export interface RotatedDoor extends StartedDoor {
  /** Puts a value into `X`, into `X_PREVIOUS`, or into both, each at once, and waits until the door says that it has read it. */
  put(values: { readonly current?: string; readonly previous?: string }): Promise<void>;
  /** The door's environment with the values of the files as they are now: what an operator's commands are given. */
  env(): Promise<DoorEnv>;
  readonly metricsUrl: string;
}

export interface CommandAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A place for the rotation of one secret: doors, commands, and a load that goes on meanwhile. */
export interface Stage {
  readonly variable: string;
  readonly folder: string;
  readonly redis: RedisParts;
  readonly upstream: Upstream;
  readonly load: Load;
  /** Starts a door whose secret is `value` in a file, with an empty file for the previous one. */
  openDoor(value: string, env: DoorEnv): Promise<RotatedDoor>;
  /** Runs `tgefd-authorizer` with an environment. */
  operator(args: readonly string[], env?: DoorEnv): Promise<CommandAnswer>;
  /** The next value, as `rotate` makes it. */
  nextValue(...args: string[]): Promise<string>;
  /** `rotate SECRET --check`, for a second. */
  check(...doors: readonly RotatedDoor[]): Promise<CommandAnswer>;
  /** Called at the end, last first. */
  atEnd(action: () => Promise<unknown>): void;
}

/** Sets a stage for the rotation of a secret, lets it be played there, and clears it away. */
export async function onStage(
  secret: string,
  parts: { readonly redis: Program; readonly upstream: Upstream },
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  const variable = rotatedSecrets[secret]?.variable;
  if (variable === undefined) throw new Error(`no secret ${secret}`);
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-rotation-'));
  const ends: (() => Promise<unknown>)[] = [];
  const redis = await startRedis(parts.redis);
  const load = startLoad();
  const operator = async (args: readonly string[], env: DoorEnv = {}) => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await main(args, { env, out: (line) => void out.push(line), err: (line) => void err.push(line) });
    return { code, out: out.join('\n'), err: err.join('\n') };
  };
  let doors = 0;
  try {
    await play({
      variable,
      folder,
      load,
      redis,
      upstream: parts.upstream,
      operator,
      openDoor: async (value, env) => {
        const door = await openDoor({
          variable,
          path: join(folder, `door-${doors++}`),
          value,
          env,
          redis,
          upstream: parts.upstream,
        });
        ends.push(() => door.stop());
        return door;
      },
      async nextValue(...args) {
        const path = join(folder, 'next');
        const { code, err } = await operator(['rotate', secret, '--out', path, ...args]);
        if (code !== 0) throw new Error(err);
        const value = await readFile(path, 'utf8');
        await rm(path);
        return value;
      },
      check: (...asked) =>
        operator([
          'rotate',
          secret,
          '--check',
          '--for',
          '1',
          ...asked.flatMap((door) => ['--metrics', door.metricsUrl]),
        ]),
      atEnd: (action) => void ends.push(action),
    });
  } finally {
    await load.end();
    for (const end of ends.reverse()) await end();
    await Promise.all([redis.stop(), rm(folder, { recursive: true, force: true })]);
  }
}

async function openDoor(given: {
  readonly variable: string;
  readonly path: string;
  readonly value: string;
  readonly env: DoorEnv;
  readonly redis: RedisParts;
  readonly upstream: Upstream;
}): Promise<RotatedDoor> {
  const { variable, path, redis, upstream } = given;
  const files = { current: path, previous: `${path}-previous` };
  const write = async (file: string, text: string) => {
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  await Promise.all([write(files.current, given.value), write(files.previous, '')]);
  const metricsPort = await freePort();
  const common = {
    TGEFD_ENV: 'development',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_REDIS_URL: redis.url,
    TGEFD_REDIS_TIMEOUT_MS: '2000',
    TGEFD_REVOCATION_MAX_DELAY_SEC: '1',
    TGEFD_AUDIT_MODE: 'strict',
    TGEFD_AUDIT_LOG: 'false',
    TGEFD_METRICS_ENABLED: 'true',
    TGEFD_METRICS_PORT: String(metricsPort),
    ...(variable === 'TGEFD_REDIS_TOKEN' ? {} : { TGEFD_REDIS_TOKEN: redis.token }),
    ...(variable === 'TGEFD_AUDIT_PSEUDONYM_KEY'
      ? {}
      : { TGEFD_AUDIT_PSEUDONYM_KEY: 'the pseudonym key of the rotations' }),
    ...given.env,
  };
  const door = await startNodeDoor({
    ...common,
    [`${variable}_FILE`]: files.current,
    [`${variable}_PREVIOUS_FILE`]: files.previous,
  });
  const renewals = () => door.lines.filter((line) => line.includes('"event":"secrets_renewed"')).length;
  return {
    ...door,
    metricsUrl: `http://127.0.0.1:${metricsPort}/_authorizer/metrics`,
    async put({ current, previous }) {
      const [before, sinceMs] = [renewals(), Date.now()];
      // The previous value first: the order that every rotation is told.
      if (previous !== undefined) await write(files.previous, previous);
      if (current !== undefined) await write(files.current, current);
      while (renewals() === before) {
        if (Date.now() - sinceMs > 10_000) throw new Error(`not read within 10 s:\n${door.lines.slice(-5).join('\n')}`);
        await pause(20);
      }
    },
    async env() {
      const [current, previous] = await Promise.all([
        readFile(files.current, 'utf8'),
        readFile(files.previous, 'utf8'),
      ]);
      return { ...common, [variable]: current, ...(previous === '' ? {} : { [`${variable}_PREVIOUS`]: previous }) };
    },
  };
}
