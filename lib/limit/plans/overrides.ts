import * as z from 'zod/mini';
import { faultOf, figureMembers, figuresFault, figuresOf, type QuotaFigures } from './figures.ts';

/** Other figures of one budget, or a plan, for one role or one identity. */
export type QuotaOverride = { readonly of: { readonly role: string } | { readonly subject: string } } & (
  | { readonly budget: 'general' | 'heavy'; readonly figures: QuotaFigures }
  | { readonly plan: string }
);

const word = z.string().check(z.minLength(1), z.maxLength(512));
/** One override as it is written. */
export const overrideShape = z.strictObject({
  role: z.optional(word),
  subject: z.optional(word),
  budget: z.optional(z.enum(['general', 'heavy'])),
  plan: z.optional(word),
  ...figureMembers,
});

/**
 * Reads the document of `TGEFD_RATE_LIMIT_OVERRIDES`, a JSON array of `{"role" | "subject", "budget", "per_minute"?, "burst"?,
 * "per_day"?, "per_month"?}` or `{"role" | "subject", "plan"}`. Gives the overrides, roles in lower case, and one problem per
 * fault; a problem names the row and the member, never its value.
 */
export function parseQuotaOverrides(document: unknown): {
  readonly overrides: readonly QuotaOverride[];
  readonly problems: readonly string[];
} {
  if (!Array.isArray(document)) return { overrides: [], problems: ['is not an array'] };

  const overrides: QuotaOverride[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [i, value] of document.entries()) {
    const report = (fault: string) => problems.push(`row ${i + 1}: ${fault}`);
    const parsed = overrideShape.safeParse(value);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) report(faultOf(issue));
      continue;
    }
    const { role, subject, budget, plan, ...figures } = parsed.data;
    if ((role === undefined) === (subject === undefined)) {
      report('needs either `role` or `subject`');
      continue;
    }
    const of = subject === undefined ? { role: (role ?? '').toLowerCase() } : { subject };
    const key = JSON.stringify([of, budget ?? 'plan']);
    if (seen.has(key)) report(`a second row for the same ${'role' in of ? 'role' : 'subject'} and budget`);
    seen.add(key);
    if (plan !== undefined) {
      if (budget !== undefined || Object.values(figures).some((figure) => figure !== undefined))
        report('`plan` stands alone, without `budget` and figures');
      overrides.push({ of, plan });
    } else if (budget === undefined) {
      report('`budget` is missing or not of the accepted kind');
    } else {
      const fault = figuresFault(figures);
      if (fault !== null) report(fault);
      overrides.push({ of, budget, figures: figuresOf(figures) });
    }
  }
  return problems.length > 0 ? { overrides: [], problems } : { overrides, problems };
}
