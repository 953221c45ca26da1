import * as z from 'zod/mini';

/** Figures of one budget, as far as a plan or an override says them. 0 is off; a burst of 0 stands for `perMinute`. */
export interface QuotaFigures {
  readonly perMinute?: number;
  readonly burst?: number;
  readonly perDay?: number;
  readonly perMonth?: number;
}

const rate = z.int().check(z.minimum(0), z.maximum(10_000_000));
const total = z.int().check(z.minimum(0), z.maximum(1_000_000_000));

/** The members of a JSON object that are figures. */
export const figureMembers = {
  per_minute: z.optional(rate),
  burst: z.optional(rate),
  per_day: z.optional(total),
  per_month: z.optional(total),
};

interface FigureMembers {
  readonly per_minute?: number | undefined;
  readonly burst?: number | undefined;
  readonly per_day?: number | undefined;
  readonly per_month?: number | undefined;
}

/** The figures that a parsed object says. */
export function figuresOf(members: FigureMembers): QuotaFigures {
  const { per_minute: perMinute, burst, per_day: perDay, per_month: perMonth } = members;
  return {
    ...(perMinute === undefined ? {} : { perMinute, burst: burst ?? 0 }),
    ...(perDay === undefined ? {} : { perDay }),
    ...(perMonth === undefined ? {} : { perMonth }),
  };
}

/** What is wrong with figures that are each well formed, or null. */
export function figuresFault({ per_minute: perMinute, burst, per_day, per_month }: FigureMembers): string | null {
  if ((burst ?? 0) > 0 && (perMinute ?? 0) === 0) return '`burst` without `per_minute` above 0';
  if (perMinute === undefined && per_day === undefined && per_month === undefined)
    return 'needs `per_minute`, `per_day` or `per_month`';
  if (per_day && per_month && per_day > per_month) return '`per_day` above `per_month`';
  return null;
}

/** A fault that zod found, by the member and never by its value. */
export function faultOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown member ${issue.keys.map((key) => `\`${key}\``).join(', ')}`;
  const member = issue.path.join('.');
  return member === '' ? 'is not an object' : `\`${member}\` is missing or not of the accepted kind`;
}
