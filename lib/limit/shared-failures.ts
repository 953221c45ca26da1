import type { RequestContext } from '../decision/ports.ts';
import type { Failures } from './failed-authentications.ts';

/** Adds failures of an address to the count of all isolates; null where it is not to be had. Never rejects. */
export type ReportFailures = (
  addressPartition: string,
  failures: number,
) => Promise<{ readonly failures: number; readonly resetsInMs: number } | null>;

interface Watched {
  /** Failures since the last report, and how many of them make the next one due. */
  unreported: number;
  step: number;
  /** A report is under way until then at most; 0: none. */
  reportingUntilMs: number;
  /** All isolates together have spent the budget until then. */
  spentUntilMs: number;
}

export interface SharedFailureSettings {
  readonly perMinute: number;
  /** Addresses watched at most; of those beyond, the one that came first is forgotten. */
  readonly maximumAddresses: number;
}

/** Reports are made after so many failures: a twentieth of the budget, and two at least. */
const FIRST_STEP_SHARE = 1 / 20;
const FIRST_STEP_LEAST = 2;
/** The next report comes after this share of what is left, and so sooner the less that is. */
const NEXT_STEP_SHARE = 1 / 4;
const PATIENCE_MS = 5_000;

/**
 * Failed authentications counted by this isolate and, in steps, by all of them together. An address that fails seldom costs no
 * trip; of one that fails often, a report behind the answer tells how many failures are left to it everywhere. What is spent
 * is remembered until the window of the count ends, and refuses without a trip. While the store does not answer, this
 * isolate's own budget counts. Holds plain data only.
 */
export function createSharedFailures(
  settings: SharedFailureSettings,
  local: Failures,
  report: ReportFailures,
): Failures {
  const { perMinute, maximumAddresses } = settings;
  if (perMinute === 0) return local;
  const firstStep = Math.min(perMinute, Math.max(FIRST_STEP_LEAST, Math.ceil(perMinute * FIRST_STEP_SHARE)));
  const watched = new Map<string, Watched>();
  const watch = (address: string): Watched => {
    const known = watched.get(address);
    if (known !== undefined) return known;
    if (watched.size >= maximumAddresses) {
      for (const first of watched.keys()) {
        watched.delete(first);
        break;
      }
    }
    const fresh = { unreported: 0, step: firstStep, reportingUntilMs: 0, spentUntilMs: 0 };
    watched.set(address, fresh);
    return fresh;
  };

  const tell = async (address: string, one: Watched, nowMs: number): Promise<void> => {
    const failures = one.unreported;
    one.unreported = 0;
    const left = await report(address, failures);
    one.reportingUntilMs = 0;
    if (left === null) return;
    if (left.failures === 0) one.spentUntilMs = nowMs + left.resetsInMs;
    one.step = Math.max(1, Math.min(firstStep, Math.floor(left.failures * NEXT_STEP_SHARE)));
  };

  return {
    exhausted(address, nowMs) {
      const spentMs = (watched.get(address)?.spentUntilMs ?? 0) - nowMs;
      const own = local.exhausted(address, nowMs);
      return spentMs <= 0 ? own : Math.max(Math.ceil(spentMs / 1000), own ?? 0);
    },
    spend(address, nowMs, context?: Pick<RequestContext, 'defer'>) {
      local.spend(address, nowMs);
      const one = watch(address);
      one.unreported += 1;
      if (context === undefined || one.unreported < one.step || nowMs < one.reportingUntilMs) return;
      one.reportingUntilMs = nowMs + PATIENCE_MS;
      context.defer(tell(address, one, nowMs));
    },
  };
}
