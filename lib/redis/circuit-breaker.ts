/** Keeps a dead Redis from costing every request the deadline. */
export interface CircuitBreaker {
  /** 0: go, and tell how it went. Else the milliseconds until trying again makes sense. */
  waitMs(nowMs: number): number;
  succeeded(): void;
  failed(nowMs: number): void;
  isOpen(): boolean;
}

export interface CircuitBreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** First pause; every failed probe doubles it up to the maximum. */
  readonly pauseMs: number;
  readonly maximumPauseMs: number;
  /** How long a probe may take before the next one may start. */
  readonly probeMs: number;
}

/**
 * Opens after some failures in a row; then one caller at a time probes, after a pause with jitter (half to all of it, so
 * that isolates do not probe in step). Any success closes it. Holds plain data only: a probe whose request was killed on
 * the way is simply followed by the next.
 */
export function createCircuitBreaker(settings: CircuitBreakerSettings, random: () => number): CircuitBreaker {
  let failures = 0;
  let open = false;
  let probing = false;
  let closedUntilMs = 0;
  let pauseMs = settings.pauseMs;

  return {
    waitMs(nowMs) {
      if (!open) return 0;
      if (nowMs < closedUntilMs) return closedUntilMs - nowMs;
      probing = true;
      closedUntilMs = nowMs + settings.probeMs;
      return 0;
    },
    succeeded() {
      failures = 0;
      open = false;
      probing = false;
      pauseMs = settings.pauseMs;
    },
    failed(nowMs) {
      failures += 1;
      // What began before it opened says nothing new.
      if (open ? !probing : failures < settings.failures) return;
      open = true;
      probing = false;
      closedUntilMs = nowMs + Math.ceil(pauseMs * (0.5 + random() / 2));
      pauseMs = Math.min(settings.maximumPauseMs, pauseMs * 2);
    },
    isOpen: () => open,
  };
}
