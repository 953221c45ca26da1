import { describe } from 'vitest';
import type { Program } from './debian.ts';

/** A suite that needs programs of the machine: without them it is skipped, and its title says why. */
export function describeWith(programs: readonly Program[], title: string, body: () => void): void {
  const reasons = programs.flatMap((program) => ('missing' in program ? [program.missing] : []));
  if (reasons.length === 0) describe(title, body);
  else describe.skip(`${title} [skipped: ${reasons.join('; ')}]`, body);
}
