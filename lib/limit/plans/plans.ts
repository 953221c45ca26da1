import * as z from 'zod/mini';
import { faultOf, figureMembers, figuresFault, figuresOf, type QuotaFigures } from './figures.ts';

/** Figures of a plan by budget; what it does not say is as for everybody. */
export interface Plan {
  readonly general: QuotaFigures;
  readonly heavy: QuotaFigures;
}

const figures = z.strictObject(figureMembers);
/** One plan as it is written. */
export const planShape = z.strictObject({ general: z.optional(figures), heavy: z.optional(figures) });

/**
 * Reads the document of `TGEFD_PLANS`: an object of plan → `{"general": {…}, "heavy": {…}}`. Gives the plans by name and one
 * problem for each fault, which names the plan by its place and never repeats a value.
 */
export function parsePlans(document: unknown): {
  readonly plans: ReadonlyMap<string, Plan>;
  readonly problems: readonly string[];
} {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    return { plans: new Map(), problems: ['is not an object'] };
  const plans = new Map<string, Plan>();
  const problems: string[] = [];
  for (const [i, [name, value]] of Object.entries(document).entries()) {
    const report = (fault: string) => problems.push(`plan ${i + 1}: ${fault}`);
    if (name === '' || name.length > 128 || /\p{Cc}/u.test(name)) {
      report('a name of 1 to 128 characters without control characters is needed');
      continue;
    }
    const parsed = planShape.safeParse(value);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) report(faultOf(issue));
      continue;
    }
    const { general, heavy } = parsed.data;
    if (general === undefined && heavy === undefined) report('needs `general` or `heavy`');
    for (const [member, said] of [['general', general] as const, ['heavy', heavy] as const]) {
      const fault = said && figuresFault(said);
      if (fault) report(`\`${member}\`: ${fault}`);
    }
    plans.set(name, { general: figuresOf(general ?? {}), heavy: figuresOf(heavy ?? {}) });
  }
  return problems.length > 0 ? { plans: new Map(), problems } : { plans, problems };
}
