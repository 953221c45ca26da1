/**
 * Calendar periods in UTC, by Unix time: every day has 86,400 seconds, and a leap second repeats one of them. Pure.
 */

export type Period = 'day' | 'month';

const DAY_MS = 86_400_000;

/** A number that is the same for all instants of one period and grows from one to the next. */
export function periodOf(period: Period, atMs: number): number {
  if (period === 'day') return Math.floor(atMs / DAY_MS);
  const at = new Date(atMs);
  return at.getUTCFullYear() * 12 + at.getUTCMonth();
}

/** The first instant after the period. */
export function periodEndsAtMs(period: Period, atMs: number): number {
  if (period === 'day') return (Math.floor(atMs / DAY_MS) + 1) * DAY_MS;
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
}

/** How long the period lasts: 86,400 seconds, or those of 28 to 31 days. */
export function periodSeconds(period: Period, atMs: number): number {
  if (period === 'day') return DAY_MS / 1000;
  const at = new Date(atMs);
  return (periodEndsAtMs('month', atMs) - Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1)) / 1000;
}
