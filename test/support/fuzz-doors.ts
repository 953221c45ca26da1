import { readdir } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import type { DoorEnv, StartedDoor } from './door.ts';
import { NEVER_GOOD } from './fuzz-run.ts';
import { type FuzzingPeer, HTTP, startFuzzingPeer } from './fuzzing-peer.ts';
import { listenOnLoopback } from './loopback-server.ts';

/** A peer of a whole process, and what its answers may lead to. */
export interface DoorScenario {
  readonly name: string;
  /** Where the honest peer listens; its answers are not of the fuzzing peer. */
  readonly honestPort: number;
  env(url: string): DoorEnv;
  /** The request that makes the process ask the peer, by its turn: fields behind `Host`. */
  fields(turn: number): readonly string[];
  /** Every status that may come of nonsense, and those that may come of an answer that never counts. */
  readonly stated: (status: number) => boolean;
  readonly failures: ReadonlySet<number>;
  /** The caller's answer comes within this. */
  readonly withinMs: number;
  /** How long good answers of before still count. */
  readonly rememberedMs?: number;
}

export interface DoorReport {
  readonly scenario: string;
  readonly answers: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
  /** File descriptors of the process before and after, null where they cannot be counted. */
  readonly descriptors: readonly [number | null, number | null];
}

/**
 * workerd reads informational answers as fast as they come and does nothing else meanwhile, timers included. On Cloudflare
 * another process stands between a Worker and what it calls.
 */
export const TOO_MUCH_FOR_WORKERD: ReadonlySet<string> = new Set(['informational answers without end']);

const WIDTH = 12;
const RECOVERY_MS = 15_000;
const SLACK_MS = 5_000;
/** Before what is left is counted. */
const REST_MS = 1_500;

/** Runs a real process against a peer that answers nonsense, with an honest answer after each round. */
export async function fuzzDoor(
  start: (env: DoorEnv) => Promise<StartedDoor>,
  scenario: DoorScenario,
  {
    seed,
    answers,
    without,
  }: { readonly seed: number; readonly answers: number; readonly without?: ReadonlySet<string> },
): Promise<DoorReport> {
  const peer = await startFuzzingPeer(seed, () => ({ body: '{"result":"OK"}' }), HTTP, without);
  const points = await startPoints(peer, scenario.honestPort);
  const door = await start(scenario.env(points.url));
  const statuses: Record<string, number> = {};
  const findings = new Set<string>();
  let turn = 0;
  const ask = async () => {
    const head = [
      'GET /v1/metrics HTTP/1.1',
      'Host: a.example',
      ...scenario.fields(turn++),
      'Connection: close',
      '',
      '',
    ];
    const startedMs = performance.now();
    const status = await statusOf(door.port, head.join('\r\n'), scenario.withinMs + SLACK_MS);
    if (performance.now() - startedMs > scenario.withinMs + SLACK_MS) findings.add('an answer did not come in time');
    return status;
  };
  const untilHonest = async (when: string) => {
    points.lead('honest');
    const startedMs = performance.now();
    while ((await ask()) !== 200) {
      if (performance.now() - startedMs > RECOVERY_MS) return void findings.add(`no honest answer ${when}`);
      await pass(50);
    }
  };

  await untilHonest('at the start');
  const before = await descriptorsOf(door.pid);
  const given = () => [...peer.counts.values()].reduce((sum, count) => sum + count, 0);
  const kinds = [...NEVER_GOOD];
  for (let round = 0; given() < answers; round++) {
    const kind = round % 2 === 0 ? null : (kinds[(round >> 1) % kinds.length] ?? null);
    peer.only(kind);
    points.lead('nonsense');
    await pass(scenario.rememberedMs ?? 0);
    for (const status of await Promise.all(Array.from({ length: WIDTH }, ask))) {
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (!scenario.stated(status)) findings.add(`${status} after ${kind ?? 'any kind'}`);
      if (kind !== null && !scenario.failures.has(status)) findings.add(`${status} after ${kind}, which never counts`);
    }
    await untilHonest(`after ${kind ?? 'any kind'}`);
    if (findings.size > 5) break;
  }
  await pass(REST_MS);
  const after = await descriptorsOf(door.pid);
  if (before !== null && after !== null && after > before + WIDTH * 3)
    findings.add(`${after - before} descriptors stayed`);
  const ended = await Promise.race([door.exited, pass(0, null)]);
  if (ended !== null) findings.add(`the process ended: ${ended}`);
  await door.stop();
  await Promise.all([points.stop(), peer.stop()]);
  const report = { scenario: scenario.name, answers: given(), statuses, findings: [...findings] };
  return { ...report, descriptors: [before, after] };
}

/** The status of the answer to these bytes; 0 where the connection ended without one. Reads no more than the beginning. */
function statusOf(port: number, bytes: string, withinMs: number): Promise<number> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    const timer = setTimeout(() => socket.destroy(), withinMs);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.length > MOST_BYTES) socket.destroy();
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0));
    });
    socket.write(bytes);
  });
}
const MOST_BYTES = 100_000;

/** One port that leads to the honest peer or to the other; a change ends the connections of before. */
async function startPoints(peer: FuzzingPeer, honestPort: number) {
  const open = new Set<Socket>();
  let to = honestPort;
  const loopback = await listenOnLoopback(
    createServer((near) => {
      const far = connect(to, '127.0.0.1').setNoDelay(true);
      near.setNoDelay(true);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        open.add(one);
        one.on('error', () => other.resetAndDestroy());
        one.once('close', () => {
          open.delete(one);
          other.destroySoon();
        });
        one.pipe(other);
      }
    }),
  );
  peer.behave(false);
  return {
    url: `http://127.0.0.1:${loopback.port}`,
    lead(where: 'honest' | 'nonsense') {
      to = where === 'honest' ? honestPort : peer.port;
      for (const socket of open) socket.destroy();
    },
    stop: loopback.down,
  };
}

async function descriptorsOf(pid: number): Promise<number | null> {
  return readdir(`/proc/${pid}/fd`).then(
    (names) => names.length,
    () => null,
  );
}
