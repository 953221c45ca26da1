import type { Clock, Log } from '../../decision/ports.ts';
import { jittered, type RoundFailure } from './key-set-round.ts';

/** Longest rest after a failed round, however many failed before it. */
const longestRestMs = 30_000;
const shortestRestMs = 1_000;

/**
 * The spell between a failed round and the next that succeeds. After each failed round the issuer is left in peace: first
 * for `firstRestSeconds` (at least 1 s), doubling up to 30 s, with jitter. Logs once when a spell begins and once when it ends.
 */
export function createOutage(
  firstRestSeconds: number,
  { clock, random, log }: { readonly clock: Clock; readonly random: () => number; readonly log: Log },
) {
  let failures = 0;
  let beganAtMs = 0;
  let restsUntilMs = 0;
  let last: RoundFailure | null = null;

  return {
    isOngoing: (): boolean => failures > 0,
    /** Milliseconds until the issuer may be asked again; 0 when it may be. */
    restMs(nowMs: number): number {
      const left = restsUntilMs - nowMs;
      // More than the longest rest is a clock that was set back.
      return left > 0 && left <= longestRestMs ? left : 0;
    },
    /** Why the last round failed, null outside of a spell. */
    cause: (): string | null => (last?.problem === 'status' ? `status ${last.status}` : (last?.problem ?? null)),
    fail(failure: RoundFailure, lastGoodSetServes: boolean): void {
      const nowMs = clock();
      if (failures === 0) {
        beganAtMs = nowMs;
        const facts = { ...failure, last_good_set_serves: lastGoodSetServes };
        log(lastGoodSetServes ? 'warn' : 'error', 'key_set_unavailable', facts);
      }
      const firstRestMs = Math.max(shortestRestMs, firstRestSeconds * 1000);
      restsUntilMs = nowMs + jittered(Math.min(longestRestMs, firstRestMs * 2 ** failures), random);
      failures += 1;
      last = failure;
    },
    end(): void {
      if (failures > 0) {
        const seconds = Math.max(0, Math.round((clock() - beganAtMs) / 1000));
        log('info', 'key_set_recovered', { failed_rounds: failures, seconds });
      }
      failures = 0;
      restsUntilMs = 0;
      last = null;
    },
  };
}
