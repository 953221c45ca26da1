import type { BudgetClass, Endpoint } from '../../decision/request.ts';
import { tgefdEndpoints } from '../../presets/tgefd.ts';
import { parseEndpointRows } from '../../request/endpoints/rows.ts';
import { HEALTH_PATHS, shapeOf } from '../../request/endpoints/table.ts';
import { demandOf } from './demand.ts';
import { mergedRows, type WrittenRow } from './merge.ts';
import type { Note } from './notes.ts';
import { rowPathOf } from './paths.ts';
import { type Description, type Operation, readDescription } from './read.ts';

export interface ImportSettings {
  /** Stands in for the base paths of the servers; null: they count. */
  readonly basePath: string | null;
  /** Methods, or `METHOD /path` with `*` at its end, whose rows spend from the heavy budget. */
  readonly heavy: readonly string[];
}

export interface Imported {
  /** A policy document. */
  readonly policy: { readonly preset: 'tgefd' | 'none'; readonly endpoints: readonly WrittenRow[] };
  /** What could not be expressed. */
  readonly notes: readonly Note[];
}

/**
 * Makes the rows of a policy document from an OpenAPI description. An operation of the TGEFD service whose security the
 * description does not state keeps the row of the preset. Health paths are left out: the authorizer answers them.
 *
 * @param text - the description as JSON text.
 * @param settings - base path and heavy operations.
 * @returns the document, and what could not be expressed.
 * @throws DescriptionError when the text is no OpenAPI 3.0 or 3.1 description.
 */
export async function importDescription(text: string, settings: ImportSettings): Promise<Imported> {
  const description = await readDescription(text);
  const preset = new Map(presetRows().map((row) => [shapeOf(row.method, row.pattern), row]));
  const notes = [...description.notes];
  const rows = new Map<string, WrittenRow | null>();
  let ofPreset = 0;
  for (const operation of description.operations) {
    for (const basePath of settings.basePath === null ? operation.basePaths : [settings.basePath]) {
      const at = `${operation.method} ${basePath}${operation.path}`;
      const { pattern, notes: less } = rowPathOf(`${basePath}${operation.path}`);
      if (HEALTH_PATHS.includes(pattern)) {
        notes.push({ at, text: 'is left out, since the authorizer answers it itself' });
        continue;
      }
      const shape = shapeOf(operation.method, pattern);
      const known = operation.security === null ? preset.get(shape) : undefined;
      if (known !== undefined) {
        ofPreset++;
        const { method, pattern: path, scope, budget, action } = known;
        rows.set(shape, { method, path, scope, budget, action });
        continue;
      }
      const { row, notes: said } = rowOf(operation, { pattern, notes: less, settings, description });
      for (const text of said) notes.push({ at, text });
      if (row === null) continue;
      const other = rows.get(shape);
      if (other === undefined) rows.set(shape, row);
      else {
        const merged = mergedRows(other, row);
        rows.set(shape, merged.row);
        notes.push({ at, text: merged.note });
      }
    }
  }
  const endpoints = [...rows.values()].filter((row) => row !== null);
  return { policy: { preset: ofPreset > 0 ? 'tgefd' : 'none', endpoints }, notes };
}

function presetRows(): readonly Endpoint[] {
  return tgefdEndpoints({ discover: 'discover', evaluate: 'evaluate', jobs: 'jobs', metrics: 'metrics' });
}

interface Place {
  readonly pattern: string;
  readonly notes: readonly string[];
  readonly settings: ImportSettings;
  readonly description: Description;
}

/** The row of an operation, with what it says less exactly; only faults where no row can say it. */
function rowOf(
  operation: Operation,
  { pattern, notes, settings, description }: Place,
): { row: WrittenRow | null; notes: readonly string[] } {
  const demand = demandOf(operation, description.schemes);
  const action = actionOf(operation.operationId);
  const row: WrittenRow = {
    method: operation.method,
    path: pattern,
    scope: demand.scope,
    budget: budgetOf(operation, pattern, settings.heavy),
    ...(action === null ? {} : { action }),
    ...(demand.auth === null ? {} : { auth: demand.auth }),
  };
  const faults = parseEndpointRows([row]).problems;
  if (faults.length === 0) return { row, notes: [...notes, ...demand.notes] };
  return { row: null, notes: faults.map((fault) => `is left out: ${fault.replace(/^row 1: /, '')}`) };
}

function actionOf(operationId: string | null): string | null {
  if (operationId === null) return null;
  const action = operationId
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, '_')
    .slice(0, 64);
  return /^[a-z0-9_.-]+$/.test(action) ? action : null;
}

function budgetOf({ method, budget }: Operation, path: string, heavy: readonly string[]): BudgetClass {
  if (budget === 'heavy' || budget === 'read' || budget === 'none') return budget;
  const isHeavy = heavy.some((wanted) => {
    const [wantedMethod, wantedPath] = wanted.split(' ', 2);
    if (wantedMethod !== '*' && wantedMethod?.toUpperCase() !== method) return false;
    if (wantedPath === undefined) return true;
    return wantedPath.endsWith('*') ? path.startsWith(wantedPath.slice(0, -1)) : path === wantedPath;
  });
  return isHeavy ? 'heavy' : 'read';
}
