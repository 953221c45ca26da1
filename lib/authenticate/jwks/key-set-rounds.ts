import type { Clock, RequestContext } from '../../decision/ports.ts';
import type { Wanted } from './held-key-set.ts';
import type { Sleep } from './key-set-fetch.ts';

const firstLookMs = 10;
const longestLookMs = 100;

/** Runs one round until it is over, which is before `endsAtMs`. Never rejects. */
type RunRound = (context: RequestContext, wanted: Wanted | null, endsAtMs: number) => Promise<void>;

/** One round at a time, at most twice `timeoutSeconds` long, that other requests may wait for. */
export function createRounds(
  settings: { readonly timeoutSeconds: number },
  parts: {
    readonly clock: Clock;
    readonly sleep: Sleep;
    /** Whether a request may await a promise that another request made; see `KeySetParts`. */
    readonly sharePromises: boolean;
    readonly run: RunRound;
  },
) {
  const { clock, sleep } = parts;
  let rounds = 0;
  let running: { readonly round: number; readonly endsAtMs: number; readonly done: Promise<void> | null } | null = null;
  const isRunning = (nowMs: number): boolean => running !== null && nowMs < running.endsAtMs;

  return {
    isRunning,
    start(context: RequestContext, wanted: Wanted | null): Promise<void> {
      const round = ++rounds;
      const endsAtMs = clock() + settings.timeoutSeconds * 2000;
      const done = parts.run(context, wanted, endsAtMs).then(() => {
        if (running?.round === round) running = null;
      });
      running = { round, endsAtMs, done: parts.sharePromises ? done : null };
      // Deferred in any case, so that a caller who hangs up does not take the round down with it.
      context.defer(done);
      return done;
    },
    /** Waits for the round that another request runs, no longer than that may last. */
    async attend(): Promise<void> {
      const round = running?.round;
      if (running?.done) return running.done;
      for (let lookMs = firstLookMs; running?.round === round && isRunning(clock()); lookMs *= 2)
        await sleep(Math.min(lookMs, longestLookMs));
    },
  };
}
