import { randomUUID } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import { unpackBatch } from '../../../lib/archive/batch.ts';
import { createLayout } from '../../../lib/archive/layout.ts';
import { createArchive } from '../../../lib/archive/run.ts';
import { createSigner, createVerifier } from '../../../lib/archive/signature.ts';
import { createRedisOutbox } from '../../../lib/audit/outbox-redis.ts';
import { listAll } from '../../../lib/storage/store.ts';
import { verifyArchive } from '../../../lib/verify/verify.ts';
import { signingJwk } from '../../unit/archive/fixtures.ts';
import { type Child, freePort, startChild } from '../child.ts';
import type { Program } from '../debian.ts';
import { acceptsConnections } from '../listening.ts';
import { choose, type Random, seededRandom } from '../random.ts';
import { FAULTS } from './faulty-proxy.ts';
import { type Held, inspect } from './inspector.ts';
import { count, emptyTally, load, type SoakTally } from './soak-load.ts';
import { PREFIX, type SoakParts, startSoakParts } from './soak-parts.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Requests a second, of both processes together. */
  readonly perSecond: number;
  /** The built Node process. */
  readonly bundle: string;
  readonly onSample?: (sample: string) => void;
}

export interface SoakReport {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly answers: Readonly<Record<string, number>>;
  readonly hungUp: number;
  readonly brokenOff: number;
  /** Decisions that were answered and not refused for want of a record. */
  readonly decisions: number;
  readonly records: number;
  /** Records of requests that were refused for want of a record, or whose caller hung up. */
  readonly recordsOfOthers: number;
  readonly lost: number;
  readonly twice: number;
  /** Some of those that are lost or stand twice, with what was answered and where they stand. */
  readonly examples: { readonly lost: readonly unknown[]; readonly twice: readonly unknown[] };
  readonly batches: number;
  readonly archive: string;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly longest: number };
  /** Live heap of each process by the time of the sample, MiB. */
  readonly heapMiB: Readonly<Record<string, readonly number[]>>;
  readonly socketsAtEnd: Readonly<Record<string, number>>;
  readonly findings: Readonly<Record<string, number>>;
}

const EXAMPLES = 40;

interface Served {
  readonly name: string;
  readonly url: string;
  readonly child: Child;
  readonly inspectorPort: number;
  readonly heapMiB: number[];
}

async function serve(name: string, environment: Record<string, string>, bundle: string): Promise<Served> {
  const [port, inspectorPort] = [await freePort(), await freePort()];
  const child = await startChild({
    command: process.execPath,
    args: [`--inspect=127.0.0.1:${inspectorPort}`, bundle],
    env: { HOST: '127.0.0.1', PORT: `${port}`, ...environment },
    ready: () => acceptsConnections(port),
    // It says itself that it drains for thirty seconds at most.
    endMs: 35_000,
  });
  return { name, url: `http://127.0.0.1:${port}`, child, inspectorPort, heapMiB: [] };
}

/** Spoils one peer after the other, and two at once now and then, until the signal says so. */
async function spoil(parts: SoakParts, random: Random, faults: Map<string, number>, signal: AbortSignal) {
  const rest = (ms: number) => pass(ms, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted) {
    await rest(500 + random() * 3500);
    if (signal.aborted) break;
    const peer = choose(random, Object.keys(parts.proxies) as (keyof SoakParts['proxies'])[]);
    if (peer === 'redis' && random() < 0.35) {
      count(faults, 'redis killed');
      await parts.restartRedis();
      continue;
    }
    const fault = choose(random, FAULTS);
    count(faults, `${peer} ${fault}`);
    await parts.proxies[peer].setFault(fault);
    await rest(300 + random() * 3000);
    await parts.proxies[peer].setFault(null);
  }
}

/** Archives what is left, and gives every record that is found, by request id. */
async function collect(parts: SoakParts, randomToken: string, url: string) {
  const layout = createLayout(PREFIX);
  const requester = {
    async request({ body }: { readonly body: readonly (string | number)[] }) {
      const headers = { authorization: `Bearer ${randomToken}`, 'content-type': 'application/json' };
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
    },
  };
  const outbox = createRedisOutbox(
    { stream: 'tgefd:v1:audit', maximumEntries: 10_000_000, timeoutMs: 10_000, shareTrips: false },
    requester,
  );
  const verifier = createVerifier([signingJwk]);
  const archive = createArchive(
    { writer: 'main', settleMs: 0, spillSettleMs: 0, maximumAgeMs: 0, leaseMs: 60_000, runMs: 600_000 },
    {
      source: outbox,
      lease: outbox,
      store: parts.store,
      copies: null,
      layout,
      signer: createSigner(signingJwk),
      verifier,
      clock: Date.now,
      newId: randomUUID,
      log: () => {},
    },
  );
  for (let tries = 0; tries < 200; tries++) {
    const { outcome, entriesLeft } = await archive.run();
    if (outcome === 'broken') throw new Error('a chain of manifests is broken');
    const spilled = await parts.store.list(layout.spill, null);
    if (outcome === 'drained' && entriesLeft === 0 && spilled.objects.length === 0) break;
    await pass(500);
  }
  const found = new Map<string, string[]>();
  for await (const { key } of listAll(parts.store, layout.batches)) {
    const bytes = await parts.store.read(key, 16 * 1024 * 1024);
    for (const { streamId, text } of (bytes && (await unpackBatch(bytes))) ?? []) {
      const record: { type?: string; request_id?: string; id?: string; status?: number; door?: string } =
        JSON.parse(text);
      if (record.type !== 'audit' || !record.request_id) continue;
      const places = found.get(record.request_id) ?? [];
      found.set(record.request_id, [...places, `${key} ${streamId} ${record.id} ${record.status} ${record.door}`]);
    }
  }
  const report = await verifyArchive(
    { fromMs: null, toMs: null, expiredBeforeMs: 0 },
    { store: parts.store, layout, verifier, copies: null },
  );
  return { found, report };
}

/** Serves under random faults for as long as is asked, and tells what became of every request. */
export async function soak(program: Program, options: SoakOptions): Promise<SoakReport> {
  const random = seededRandom(options.seed);
  const parts = await startSoakParts(program, random);
  const served = await Promise.all(
    (['rest', 'tcp'] as const).map((way) => serve(way, parts.environment(way), options.bundle)),
  );
  const tally = emptyTally();
  const faults = new Map<string, number>();
  const stop = new AbortController();
  for (const { child, name } of served)
    void child.exited.then((how) => stop.signal.aborted || count(tally.findings, `${name} ended: ${how}`));
  try {
    const loads = served.map(({ url }) =>
      load(url, parts, { perSecond: options.perSecond / 2, random, signal: stop.signal, tally }),
    );
    const spoiling = spoil(parts, random, faults, stop.signal);
    await sampleHeaps(served, options, tally);
    stop.abort();
    await Promise.all([...loads, spoiling]);
    return await conclude(parts, served, { options, tally, faults });
  } finally {
    stop.abort();
    await Promise.all(served.map(({ child }) => child.kill()));
    await parts.stop();
  }
}

/** Twelve samples of the live heap, the first after a sixth of the time. */
async function sampleHeaps(served: readonly Served[], options: SoakOptions, tally: SoakTally): Promise<void> {
  for (let sample = 0; sample < 12; sample++) {
    await pass((options.seconds * 1000) / 12);
    for (const one of served) {
      const held = await inspect(one.inspectorPort);
      one.heapMiB.push(Math.round(held.heapMiB * 100) / 100);
    }
    const heaps = served.map(({ name, heapMiB }) => `${name} ${heapMiB.at(-1)} MiB`).join(', ');
    options.onSample?.(`${sample + 1}/12: ${tally.latenciesMs.length} answers, ${heaps}`);
  }
}

async function conclude(
  parts: SoakParts,
  served: readonly Served[],
  {
    options,
    tally,
    faults,
  }: { readonly options: SoakOptions; readonly tally: SoakTally; readonly faults: Map<string, number> },
): Promise<SoakReport> {
  const socketsAtEnd: Record<string, number> = {};
  await pass(4_000);
  for (const one of served) {
    const held: Held = await inspect(one.inspectorPort);
    socketsAtEnd[`${one.name} running`] = held.sockets;
  }
  for (const [name, proxy] of Object.entries(parts.proxies)) socketsAtEnd[`${name} at rest`] = proxy.sockets();
  await Promise.all(
    served.map(async ({ child, name }) => {
      await child.stop();
      const how = await child.exited;
      if (how !== 'exit code 0') count(tally.findings, `${name} ended with ${how} at SIGTERM`);
    }),
  );
  for (const [name, proxy] of Object.entries(parts.proxies)) socketsAtEnd[name] = proxy.sockets();
  const environment = parts.environment('rest');
  const { found, report } = await collect(
    parts,
    environment.TGEFD_REDIS_TOKEN ?? '',
    environment.TGEFD_REDIS_URL ?? '',
  );
  const lost = [...tally.decided].filter(([id]) => !found.has(id));
  const twice = [...found].filter(([, places]) => places.length > 1);
  const latencies = tally.latenciesMs.sort((one, other) => one - other);
  const at = (share: number) =>
    Math.round(latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0);
  return {
    seed: options.seed,
    seconds: options.seconds,
    faults: Object.fromEntries(faults),
    answers: Object.fromEntries([...tally.answers].sort()),
    hungUp: tally.hungUp,
    brokenOff: tally.brokenOff,
    decisions: tally.decided.size,
    records: found.size,
    recordsOfOthers: [...found.keys()].filter((id) => !tally.decided.has(id)).length,
    lost: lost.length,
    twice: twice.length,
    examples: { lost: lost.slice(0, EXAMPLES), twice: twice.slice(0, EXAMPLES) },
    batches: report.batches,
    archive: `integrity ${report.integrity}, completeness ${report.completeness}, order ${report.order}`,
    latencyMs: { p50: at(0.5), p99: at(0.99), longest: at(1) },
    heapMiB: Object.fromEntries(served.map(({ name, heapMiB }) => [name, heapMiB])),
    socketsAtEnd,
    findings: Object.fromEntries(tally.findings),
  };
}
