import { shownValue } from '../masking.ts';
import type { Problem } from '../problem.ts';

/** The port of the variable `PORT`, which has no prefix because platforms set it; or what is wrong with it. */
export function portFrom(text = '8080'): number | Problem {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  return { variable: 'PORT', found: shownValue(text), accepted: 'a whole number up to 65535' };
}
