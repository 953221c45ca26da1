import type { ArchiveLock, Source } from '../audit/outbox.ts';
import type { Clock, Log, NewId } from '../decision/ports.ts';
import type { ObjectStore } from '../storage/store.ts';
import { type AnchorParts, anchoredHeads, startOfHour, writeAnchor } from './anchor.ts';
import { type BatchWriter, createBatchWriter, type DrainStep } from './batch-writer.ts';
import { type Holding, leasedStore } from './leased-store.ts';
import { createSpillSource, twinsAmong } from './spill/spill.ts';

export interface ArchiveSettings {
  /** Name of the outbox's chain; records spilled to object storage make a second chain, `<writer>.spill`. */
  readonly writer: string;
  /** Rest of an outbox entry before it is archived; longer than the recorder's two time-outs and any difference of clocks. */
  readonly settleMs: number;
  /** Rest of a spilled record before it is archived; longer than an append may still take effect after it was given up. */
  readonly spillSettleMs: number;
  /** Age at which an entry is archived however small its batch. */
  readonly maximumAgeMs: number;
  /** How long one run keeps others from the same work; renewed with every batch. */
  readonly leaseMs: number;
  /** Time after which a run starts no further batch. */
  readonly runMs: number;
}

/** The times that the documented guarantees rest on. */
export const archiveTimes = {
  settleMs: 30_000,
  spillSettleMs: 15 * 60_000,
  maximumAgeMs: 5 * 60_000,
  leaseMs: 60_000,
} as const;

export interface ArchiveParts extends AnchorParts {
  readonly source: Source;
  readonly lease: ArchiveLock;
  /** Monotonic; absent: the clock. */
  readonly stopwatch?: Clock;
  readonly newId: NewId;
  readonly log: Log;
}

export interface ArchiveRun {
  /** `busy`: another archive holds the lease. `broken`: a chain cannot be continued, see the log. `behind`: stopped by time
   * with entries left. `drained`: nothing is due any more. */
  readonly outcome: 'busy' | 'broken' | 'behind' | 'drained';
  readonly batches: number;
  readonly records: number;
  /** Entries left in the outbox, and how long the oldest has been there. */
  readonly entriesLeft: number;
  readonly lagMs: number;
}

/**
 * Makes the archive: outbox and spill, each into its own chain, then the hour's anchor. One run drains what is due and ends;
 * a cron trigger or a timer calls it again. Rejects on an outage of the outbox or the store; the next run goes on.
 */
export function createArchive(settings: ArchiveSettings, given: ArchiveParts): { run(): Promise<ArchiveRun> } {
  const holding: Holding = { holder: null };
  const guard = (store: ObjectStore) => leasedStore(store, given.lease, { leaseMs: settings.leaseMs, holding });
  const parts = { ...given, store: guard(given.store), copies: given.copies && guard(given.copies) };
  const { lease } = parts;
  const chains = chainsOf(settings, parts);
  const anchorHour = createAnchorOfHour(parts);

  const run = async (holder: string): Promise<ArchiveRun> => {
    const drained = await drain(chains, holder, settings, parts);
    if (drained.outcome !== 'busy') await anchorHour();
    return { ...(await left(parts)), ...drained };
  };

  return {
    async run() {
      const holder = parts.newId();
      if (!(await lease.acquire(holder, settings.leaseMs)))
        return { ...(await left(parts)), outcome: 'busy', batches: 0, records: 0 };
      holding.holder = holder;
      try {
        return await run(holder);
      } finally {
        holding.holder = null;
        await lease.release(holder).catch(() => {}); // It ends by itself.
      }
    },
  };
}

interface Chain {
  readonly writer: string;
  readonly batches: BatchWriter;
}

/** The chain of the outbox, and that of spilled records. */
function chainsOf(settings: ArchiveSettings, parts: ArchiveParts): readonly Chain[] {
  const { store, layout, clock } = parts;
  const { maximumAgeMs, settleMs, spillSettleMs } = settings;
  const ofOutbox = settings.writer;
  const ofSpill = `${settings.writer}.spill`;
  return [
    {
      writer: ofOutbox,
      batches: createBatchWriter(
        { maximumAgeMs, writer: ofOutbox, settleMs },
        { ...parts, twins: (entries) => twinsAmong(entries, store, layout) },
      ),
    },
    {
      writer: ofSpill,
      batches: createBatchWriter(
        { maximumAgeMs, writer: ofSpill, settleMs: spillSettleMs },
        { ...parts, source: createSpillSource(store, layout, clock), twins: async () => new Set<string>() },
      ),
    },
  ];
}

type Drained = Pick<ArchiveRun, 'outcome' | 'batches' | 'records'>;

/** Archives batch after batch of each chain until nothing is due, time is up, or the lease is lost. */
async function drain(
  chains: readonly Chain[],
  holder: string,
  { runMs, leaseMs }: ArchiveSettings,
  parts: ArchiveParts,
): Promise<Drained> {
  const { stopwatch = parts.clock } = parts;
  const startedMs = stopwatch();
  const heads = await anchoredHeads(parts);
  let outcome: ArchiveRun['outcome'] = 'drained';
  let batches = 0;
  let records = 0;
  for (const chain of chains) {
    for (;;) {
      const step: DrainStep = await chain.batches.step(heads.get(chain.writer) ?? 0);
      if (step.outcome === 'broken') {
        parts.log('error', 'audit_chain_broken', { writer: chain.writer, why: step.why, key: step.key });
        outcome = 'broken';
      }
      if (step.outcome !== 'archived') break;
      batches += step.records > 0 ? 1 : 0;
      records += step.records;
      if (stopwatch() - startedMs > runMs) {
        if (outcome === 'drained') outcome = 'behind';
        break;
      }
      if (!(await parts.lease.acquire(holder, leaseMs))) return { outcome: 'busy', batches, records };
    }
  }
  return { outcome, batches, records };
}

/** Writes the anchor of the hour, once in each hour. */
function createAnchorOfHour(parts: ArchiveParts): () => Promise<void> {
  let anchoredHourMs: number | null = null;
  return async () => {
    const hourMs = startOfHour(parts.clock());
    if (anchoredHourMs === hourMs) return;
    const { anchored, untrusted } = await writeAnchor(parts, hourMs);
    for (const writer of untrusted) parts.log('error', 'audit_chain_untrusted', { writer });
    if (anchored) anchoredHourMs = hourMs;
  };
}

async function left({ source }: ArchiveParts): Promise<Pick<ArchiveRun, 'entriesLeft' | 'lagMs'>> {
  const { entries, oldestMs } = await source.backlog();
  return { entriesLeft: entries, lagMs: oldestMs === null ? 0 : Math.max(0, (await source.now()) - oldestMs) };
}
