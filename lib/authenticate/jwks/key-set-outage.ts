import type { Clock, Log } from '../../decision/ports.ts';
import { jittered, type RoundFailure } from './key-set-round.ts';

/** What another answer of the same issuer will not mend. */
const configurationFaults: ReadonlySet<RoundFailure['problem']> = new Set([
  'no_usable_key',
  'discovery_issuer_differs',
  'discovery_without_keys',
  'discovery_host_refused',
  'file_unreadable',
  'token_file_unreadable',
]);

/** Longest rest after a failed round, however many failed before it. */
const longestRestMs = 30_000;
const shortestRestMs = 1_000;

/**
 * The spell between a failed round and the next that succeeds. After each failed round the issuer is left in peace: first
 * for `maxBackoffSeconds` (at least 1 s), doubling up to 30 s, with jitter. Logs
 * once when a spell begins or its cause changes, and once when it ends.
 */
export function createOutage(
  settings: { readonly issuer: string | null; readonly maxBackoffSeconds: number },
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
    cause: (): string | null => {
      if (last === null) return null;
      if (last.problem === 'status') return `status ${last.status}`;
      return last.host === undefined ? last.problem : `${last.problem} ${last.host}`;
    },
    /** Whether waiting mends nothing: the issuer answers, and what it answers can never be used as configured. */
    isConfigurationFault: (): boolean => last !== null && configurationFaults.has(last.problem),
    fail(failure: RoundFailure, lastGoodSetServes: boolean): void {
      const nowMs = clock();
      if (failures === 0) beganAtMs = nowMs;
      if (last?.problem !== failure.problem) {
        const { unusable, ...told } = failure;
        const facts = { ...told, issuer: settings.issuer, last_good_set_serves: lastGoodSetServes };
        log(lastGoodSetServes ? 'warn' : 'error', 'key_set_unavailable', facts);
        for (const { keyId, check } of unusable)
          log('error', 'key_unusable', { issuer: settings.issuer, key_id: printableKeyId(keyId), check });
      }
      const firstRestMs = Math.max(shortestRestMs, settings.maxBackoffSeconds * 1000);
      restsUntilMs = nowMs + jittered(Math.min(longestRestMs, firstRestMs * 2 ** failures), random);
      failures += 1;
      last = failure;
    },
    end(): void {
      if (failures > 0) {
        const seconds = Math.max(0, Math.round((clock() - beganAtMs) / 1000));
        log('info', 'key_set_recovered', { issuer: settings.issuer, failed_rounds: failures, seconds });
      }
      failures = 0;
      restsUntilMs = 0;
      last = null;
    },
  };
}

/** A key id is the issuer's text: it stays on one line and short. */
function printableKeyId(keyId: string | null): string | null {
  return keyId === null ? null : keyId.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
}
