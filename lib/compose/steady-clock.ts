import type { Clock } from '../decision/ports.ts';
import type { Runtime } from './runtime.ts';

/**
 * A clock for durations that also knows the calendar: milliseconds since the epoch as they were at the first reading, and
 * monotonic from then on. Nobody who sets the wall clock moves it. Whole milliseconds, as the arithmetic of budgets needs.
 */
export function steadyClock({ clock, stopwatch }: Pick<Runtime, 'clock' | 'stopwatch'>): Clock {
  if (stopwatch === undefined) return clock;
  let aheadMs: number | null = null;
  return () => {
    aheadMs ??= clock() - Math.floor(stopwatch());
    return aheadMs + Math.floor(stopwatch());
  };
}
