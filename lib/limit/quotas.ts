import * as z from 'zod/mini';
import type { Budget } from '../decision/outcome.ts';
import type { Principal } from '../decision/principal.ts';
import type { BudgetClass } from '../decision/request.ts';

/** One quota as configured. `perMinute` 0 is off; `burst` 0 stands for the per-minute figure. */
export interface Quota {
  readonly perMinute: number;
  readonly burst: number;
}

/** Another quota for one role or one identity. */
export interface QuotaOverride extends Quota {
  readonly of: { readonly role: string } | { readonly subject: string };
  readonly budget: 'general' | 'heavy';
}

export interface QuotaSettings {
  readonly general: Quota & Pick<Budget, 'onError'>;
  readonly heavy: Quota & Pick<Budget, 'onError'>;
  readonly overrides: readonly QuotaOverride[];
}

/**
 * The budgets that a request of this caller spends from: a heavy endpoint from `general` and `heavy`, a read from
 * `general`, class `none` from nothing; quotas that are off are left out. An override of the caller's subject goes before
 * one of its roles; of several roles the most generous counts, since each role by itself would grant it.
 */
export function budgetsFor(
  { subject, roles }: Pick<Principal, 'subject' | 'roles'>,
  budgetClass: BudgetClass,
  settings: QuotaSettings,
): Budget[] {
  const names =
    budgetClass === 'none' ? [] : budgetClass === 'read' ? ['general' as const] : (['general', 'heavy'] as const);
  return names.flatMap((name) => {
    const { perMinute, burst } = overriding(settings.overrides, name, subject, roles) ?? settings[name];
    if (perMinute === 0) return [];
    return [{ name, perMinute, burst: burst === 0 ? perMinute : burst, onError: settings[name].onError }];
  });
}

function overriding(
  overrides: readonly QuotaOverride[],
  budget: QuotaOverride['budget'],
  subject: string,
  roles: readonly string[],
): Quota | null {
  let found: Quota | null = null;
  for (const override of overrides) {
    if (override.budget !== budget) continue;
    if ('subject' in override.of) {
      if (override.of.subject === subject) return override;
    } else if (roles.includes(override.of.role) && (found === null || isMoreGenerous(override, found))) {
      found = override;
    }
  }
  return found;
}

/** Off is no limit at all. */
function isMoreGenerous(one: Quota, other: Quota): boolean {
  return other.perMinute !== 0 && (one.perMinute === 0 || one.perMinute > other.perMinute);
}

const rate = z.int().check(z.minimum(0), z.maximum(10_000_000));
const word = z.string().check(z.minLength(1), z.maxLength(512));
const row = z.strictObject({
  role: z.optional(word),
  subject: z.optional(word),
  budget: z.enum(['general', 'heavy']),
  per_minute: rate,
  burst: z.optional(rate),
});

/**
 * Reads the document of `TGEFD_RATE_LIMIT_OVERRIDES`, a JSON array of `{"role" | "subject", "budget", "per_minute", "burst"?}`. Gives the
 * overrides, roles in lower case, and one problem per fault; a problem names the row and the member, never its value.
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
    const parsed = row.safeParse(value);
    if (!parsed.success) {
      problems.push(...parsed.error.issues.map((issue) => `row ${i + 1}: ${told(issue)}`));
      continue;
    }
    const { role, subject, budget, per_minute: perMinute, burst = 0 } = parsed.data;
    if ((role === undefined) === (subject === undefined)) {
      problems.push(`row ${i + 1}: needs either \`role\` or \`subject\``);
      continue;
    }
    if (perMinute === 0 && burst > 0) problems.push(`row ${i + 1}: \`burst\` without \`per_minute\` above 0`);
    const of = subject === undefined ? { role: (role ?? '').toLowerCase() } : { subject };
    const key = JSON.stringify([of, budget]);
    if (seen.has(key))
      problems.push(`row ${i + 1}: a second row for the same ${'role' in of ? 'role' : 'subject'} and budget`);
    seen.add(key);
    overrides.push({ of, budget, perMinute, burst });
  }
  return problems.length > 0 ? { overrides: [], problems } : { overrides, problems };
}

function told(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown member ${issue.keys.map((key) => `\`${key}\``).join(', ')}`;
  const member = issue.path.join('.');
  return member === '' ? 'is not an object' : `\`${member}\` is missing or not of the accepted kind`;
}
