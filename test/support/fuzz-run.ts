import { setTimeout as pass } from 'node:timers/promises';
import { CALL_MS, type FuzzTarget, placeOf } from './fuzz-targets.ts';
import { HTTP, startFuzzingPeer } from './fuzzing-peer.ts';
import { type PeerCertificates, startTlsFuzzingPeer, tlsNonsenseKinds } from './tls-fuzzing-peer.ts';

/** What came of one kind of peer. */
export interface FuzzReport {
  readonly target: string;
  readonly answers: number;
  /** How the calls ended, by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Answers given, by kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** What must not be. */
  readonly findings: readonly string[];
  /** Times at which the process did nothing else, and how much of them it was at work. */
  readonly stalls: readonly string[];
}

/** Answers that tell nothing good whatever their body: a call that takes one for a success has been deceived. */
export const NEVER_GOOD = new Set([
  'status 000',
  'status outside 200 to 599',
  'status that is no number',
  'another protocol',
  'control byte in a field name',
  'a 101 that nobody asked for',
  'a 101 without fields',
  'half a status line, then the end',
  'half a status line, then silence',
  'half a field, then a reset',
  'closed at once',
  'reset at once',
  'silence',
]);
/** What a busy machine may add. */
const SLACK_MS = 5_000;
/** Within this an honest peer is believed again. */
const RECOVERY_MS = 10_000;
/** And this often it is asked at least, since a busy machine stands still for seconds. */
const RECOVERY_TRIES = 20;

/**
 * Calls a peer that answers nonsense `answers` times, `width` calls at once, with an honest answer after each round. Every
 * call must settle in time, no nonsense may count as a success, the honest call must succeed, and no connection may stay. With `certificates` the nonsense is below TLS.
 */
export async function fuzz(
  target: FuzzTarget,
  options: { seed: number; answers: number; width: number; certificates?: PeerCertificates },
): Promise<FuzzReport> {
  const { certificates } = options;
  const { dialect = HTTP } = target;
  const peer = await (certificates
    ? startTlsFuzzingPeer(options.seed, target.honest, dialect, certificates)
    : startFuzzingPeer(options.seed, target.honest, dialect));
  const place = () => placeOf(peer.port, certificates?.believed ?? null);
  // A handshake costs both sides of this process more than a request.
  const count = Math.ceil((target.clients ?? 1) / (certificates ? 4 : 1));
  const clients = Array.from({ length: count }, () => target.connect(place()));
  const outcomes = new Map<string, number>();
  const findings = new Map<string, number>();
  const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  const thrown = (error: unknown) =>
    add(findings, `thrown outside a promise: ${error instanceof Error ? error.stack : String(error)}`);
  process.on('uncaughtException', thrown);
  process.on('unhandledRejection', thrown);
  const inTime = (call: () => Promise<string>) =>
    Promise.race([call().catch((error: unknown) => `rejected: ${String(error)}`), openAfterAll()]);

  const untilGood = async (call: () => Promise<string>) => {
    const startedMs = performance.now();
    let outcome = '';
    for (let tries = 0; outcome !== 'good'; tries++) {
      if (tries >= RECOVERY_TRIES && performance.now() - startedMs > RECOVERY_MS) break;
      outcome = await inTime(call);
    }
    return outcome;
  };

  const stalls = watchStalls();
  const neverGood = certificates ? tlsNonsenseKinds(certificates).neverGood : (target.neverGood ?? [...NEVER_GOOD]);
  let rounds = 0;
  while ([...peer.counts.values()].reduce((sum, count) => sum + count, 0) < options.answers) {
    const deceiving = neverGood[rounds % neverGood.length] ?? null;
    // Each second round gives one kind that must never count.
    const kind = rounds++ % 2 === 0 ? null : deceiving;
    peer.only(kind);
    peer.behave(false);
    const results = await Promise.all(
      Array.from({ length: options.width }, (_, which) => inTime(clients[which % clients.length] ?? nothing)),
    );
    for (const result of results) {
      add(outcomes, result);
      if (result === 'open') add(findings, `a call stayed open (${kind ?? 'any kind'})`);
      if (result === 'good' && kind !== null) add(findings, `taken for a success: ${kind}`);
      if (result.startsWith('an impossible')) add(findings, result);
    }
    peer.behave(true);
    for (const honest of await Promise.all(clients.map(untilGood)))
      if (honest !== 'good') add(findings, `the honest answer after ${kind ?? 'any kind'} came to ${honest}`);
  }
  await pass(CALL_MS * 6);
  if (peer.sockets() > Math.max(options.width, clients.length) * 2)
    add(findings, `${peer.sockets()} connections stayed`);
  process.removeListener('uncaughtException', thrown);
  process.removeListener('unhandledRejection', thrown);
  await peer.stop();
  return {
    target: certificates ? `${target.name} over TLS` : target.name,
    answers: [...peer.counts.values()].reduce((sum, count) => sum + count, 0),
    outcomes: Object.fromEntries(outcomes),
    kinds: Object.fromEntries(peer.counts),
    findings: [...findings].map(([what, count]) => `${what} (${count} times)`),
    stalls: stalls.end(),
  };
}

/** After a stall of the machine, timers that were due before come first. */
async function openAfterAll(): Promise<string> {
  await pass(CALL_MS * 4 + SLACK_MS, null, { ref: false });
  return pass(CALL_MS * 4, 'open', { ref: false });
}

async function nothing(): Promise<string> {
  return 'no client';
}

/** Notes when timers come late by more than a second. A stall at work is ours; one without is the machine's. */
function watchStalls() {
  const stalls: string[] = [];
  let lastMs = performance.now();
  let lastCpu = process.cpuUsage();
  const timer = setInterval(() => {
    const lateMs = performance.now() - lastMs - STALL_STEP_MS;
    const { user, system } = process.cpuUsage(lastCpu);
    if (lateMs > STALL_MS) stalls.push(`${Math.round(lateMs)} ms, ${Math.round((user + system) / 1000)} at work`);
    lastMs = performance.now();
    lastCpu = process.cpuUsage();
  }, STALL_STEP_MS);
  return {
    end() {
      clearInterval(timer);
      return stalls;
    },
  };
}
const STALL_STEP_MS = 100;
const STALL_MS = 1_000;
