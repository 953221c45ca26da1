import { secondsIn } from '../page/instant.ts';

/** A range of time, epoch milliseconds; null: from the beginning, to the end. */
export interface Range {
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

/** Reads the range of a form, or says what is wrong with it. */
export function rangeOf(form: URLSearchParams): Range | string {
  const [from, to] = ['from', 'to'].map((name) => secondsIn((form.get(name) ?? '').trim()));
  if (from === null || to === null) return 'A time has the form 2026-11-27 14:03:27.';
  if (from !== undefined && to !== undefined && from >= to) return 'The range ends before it begins.';
  return { fromMs: msOf(from), toMs: msOf(to) };
}

function msOf(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1000;
}
