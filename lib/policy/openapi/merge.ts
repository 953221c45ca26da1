import type { BudgetClass } from '../../decision/request.ts';
import type { WrittenScope } from './demand.ts';

/** A row as a policy document writes it. */
export interface WrittenRow {
  readonly method: string;
  readonly path: string;
  readonly scope: WrittenScope;
  readonly budget: BudgetClass;
  readonly action?: string;
  readonly auth?: readonly string[];
}

/**
 * One row for two operations that no row can tell apart. It demands what both demand, so that it is weaker than neither.
 *
 * @param first - the row so far; null: no row can stand for what came before.
 * @param second - the row of a further operation.
 * @returns the row, or null where no caller could meet both, and a note.
 */
export function mergedRows(
  first: WrittenRow | null,
  second: WrittenRow,
): { readonly row: WrittenRow | null; readonly note: string } {
  const auth = first === null ? [] : sharedWays(first.auth, second.auth);
  if (first === null || auth?.length === 0)
    return { row: null, note: 'is left out, with others of its path: one wants tokens and the other certificates' };
  const scope = strictest(first.scope, second.scope);
  const budget = [first.budget, second.budget].includes('heavy') ? 'heavy' : first.budget;
  return {
    row: { ...first, scope, budget, ...(auth === undefined ? {} : { auth }) },
    note: `has the shape of ${first.path}, whose row stands for both${scope === first.scope ? '' : ' and demands what both demand'}`,
  };
}

function sharedWays(first: WrittenRow['auth'], second: WrittenRow['auth']): WrittenRow['auth'] {
  if (first === undefined || second === undefined) return first ?? second;
  return first.filter((way) => second.includes(way));
}

function strictest(first: WrittenScope, second: WrittenScope): WrittenScope {
  if (second === null || JSON.stringify(first) === JSON.stringify(second)) return first;
  if (first === null) return second;
  return { all: [...new Set([...namesIn(first), ...namesIn(second)])] };
}

function namesIn(scope: Exclude<WrittenScope, null>): readonly string[] {
  if (typeof scope === 'string') return [scope];
  return 'any' in scope ? scope.any : scope.all;
}
