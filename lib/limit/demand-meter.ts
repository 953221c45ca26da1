/** How often one isolate serves one caller, and how many tokens it should therefore hold. Plain data. */
export interface DemandMeter {
  /** Uses, older ones counted less, as of the last; and when they began. */
  uses: number;
  firstUseMs: number;
  lastUseMs: number;
  /** Uses since the last pause, and when they began. */
  spellUses: number;
  spellSinceMs: number;
}

/** Older uses count less: to the e-th part after this time. */
const MEMORY_MS = 20_000;
/** So that the first use provides for one more, not for two: most callers that come once to an isolate do not come again soon. */
const LEAST_OBSERVED_MS = 2_600;
/** No lease is for longer than this; as long without a use is a pause. */
const PROVIDE_MOST_MS = 5_000;
/** So small a share of the tokens at the store is taken without a second thought, as long as they are not scarce. */
const AMPLE_SHARE = 1 / 512;
/** Then a spell of a second tells the rate. */
const LEAST_SPELL_MS = 1_000;
/**
 * Who is served from leases: `evidence` recent uses at least, and `often` of them in `PROVIDE_MOST_MS`; half as often goes
 * on with a lease that is there. How much it provides for: `tokens`, but no less than for `leastMs` and no more than for
 * `PROVIDE_MOST_MS`. Where tokens are scarce, one that expires unused or dies with its isolate is lost to others, and
 * nowhere else. The figures come from the simulation (test/bench/limits-simulation).
 */
const WHEN_PLENTY = { evidence: 0.9, often: 1, tokens: 20, leastMs: 1_500 };
const WHEN_SCARCE = { evidence: 2.9, often: 3, tokens: 3, leastMs: 700 };

export function createDemandMeter(): DemandMeter {
  return { uses: 0, firstUseMs: 0, lastUseMs: 0, spellUses: 0, spellSinceMs: 0 };
}

/** Counts one use that was asked for, whatever becomes of it. */
export function noteUse(meter: DemandMeter, nowMs: number): void {
  const remembered = meter.uses * Math.exp((meter.lastUseMs - nowMs) / MEMORY_MS);
  if (remembered < 0.01) meter.firstUseMs = nowMs;
  if (nowMs - meter.lastUseMs > PROVIDE_MOST_MS) {
    meter.spellUses = 0;
    meter.spellSinceMs = nowMs;
  }
  meter.spellUses += 1;
  meter.uses = remembered + 1;
  meter.lastUseMs = nowMs;
}

/**
 * How many tokens the isolate should have for the time ahead; 0 when it serves the caller so rarely that tokens taken ahead
 * might well expire unused: then every decision asks. `leased` tells whether it has a lease already, `scarce` whether less
 * than half of the budget is left, `atStore` how many tokens that is. Of very many it takes what the present spell will use.
 */
export function provision(
  meter: DemandMeter,
  leased: boolean,
  scarce: boolean,
  atStore: number,
  nowMs: number,
): number {
  const uses = meter.uses * Math.exp((meter.lastUseMs - nowMs) / MEMORY_MS);
  // Uses are forgotten evenly, so the time that they stand for is forgotten too.
  const standsForMs = MEMORY_MS * (1 - Math.exp((meter.firstUseMs - nowMs) / MEMORY_MS));
  const perMs = uses / Math.max(standsForMs, LEAST_OBSERVED_MS);
  const { evidence, often, tokens, leastMs } = scarce ? WHEN_SCARCE : WHEN_PLENTY;
  const enough = leased ? often / 2 : often;
  if (uses < evidence || perMs * PROVIDE_MOST_MS < enough) return 0;
  const provided = Math.max(perMs * leastMs, Math.min(perMs * PROVIDE_MOST_MS, tokens));
  if (scarce) return Math.floor(provided);
  const lately = meter.spellUses / Math.max(nowMs - meter.spellSinceMs, LEAST_SPELL_MS);
  const ample = Math.min(Math.max(perMs, lately) * PROVIDE_MOST_MS, atStore * AMPLE_SHARE);
  return Math.floor(Math.max(provided, ample));
}
