import type { BudgetClass, Endpoint } from '../../decision/request.ts';
import { tgefdEndpoints } from '../../presets/tgefd.ts';
import { parseEndpointRows } from '../../request/endpoints/rows.ts';
import { HEALTH_PATHS, shapeOf } from '../../request/endpoints/table.ts';
import { demandOf, type WrittenScope } from './demand.ts';
import { type Description, type Operation, readDescription } from './read.ts';

export interface ImportSettings {
  /** Stands in for the base paths of the servers; null: they count. */
  readonly basePath: string | null;
  /** Methods, or `METHOD /path` with `*` at its end, whose rows spend from the heavy budget. */
  readonly heavy: readonly string[];
}

/** A row as a policy document writes it. */
interface WrittenRow {
  readonly method: string;
  readonly path: string;
  readonly scope: WrittenScope;
  readonly budget: BudgetClass;
  readonly action?: string;
  readonly auth?: readonly string[];
}

export interface Imported {
  /** A policy document. */
  readonly policy: { readonly preset: 'tgefd' | 'none'; readonly endpoints: readonly WrittenRow[] };
  /** What could not be expressed, one sentence each. */
  readonly notes: readonly string[];
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
  const rows = new Map<string, WrittenRow>();
  let ofPreset = 0;
  for (const operation of description.operations) {
    for (const basePath of settings.basePath === null ? operation.basePaths : [settings.basePath]) {
      const path = patternOf(`${basePath}${operation.path}`);
      const label = `${operation.method} ${basePath}${operation.path}`;
      if (HEALTH_PATHS.includes(path)) {
        notes.push(`${label}: is left out, since the authorizer answers it itself`);
        continue;
      }
      const known = operation.security === null ? preset.get(shapeOf(operation.method, path)) : undefined;
      if (known === undefined) addRow(rows, operation, { path, label, settings, description }, notes);
      else {
        ofPreset++;
        const { method, pattern, scope, budget, action } = known;
        rows.set(shapeOf(method, pattern), { method, path: pattern, scope, budget, action });
      }
    }
  }
  return { policy: { preset: ofPreset > 0 ? 'tgefd' : 'none', endpoints: [...rows.values()] }, notes };
}

function presetRows(): readonly Endpoint[] {
  return tgefdEndpoints({ discover: 'discover', evaluate: 'evaluate', jobs: 'jobs', metrics: 'metrics' });
}

interface Place {
  readonly path: string;
  readonly label: string;
  readonly settings: ImportSettings;
  readonly description: Description;
}

function addRow(
  rows: Map<string, WrittenRow>,
  operation: Operation,
  { path, label, settings, description }: Place,
  notes: string[],
): void {
  const shape = shapeOf(operation.method, path);
  if (rows.has(shape)) {
    notes.push(`${label}: has the shape of ${rows.get(shape)?.path}, whose row stands for both`);
    return;
  }
  const demand = demandOf(operation, description.schemes);
  const action = actionOf(operation.operationId);
  const row: WrittenRow = {
    method: operation.method,
    path,
    scope: demand.scope,
    budget: budgetOf(operation, path, settings.heavy),
    ...(action === null ? {} : { action }),
    ...(demand.auth === null ? {} : { auth: demand.auth }),
  };
  const faults = parseEndpointRows([row]).problems;
  if (faults.length > 0) {
    for (const fault of faults) notes.push(`${label}: is left out: ${fault.replace(/^row 1: /, '')}`);
    return;
  }
  for (const note of demand.notes) notes.push(`${label}: ${note}`);
  rows.set(shape, row);
}

/** Names of parameters as rows take them: letters, digits and `_`. Braces inside a segment stay, and are refused then. */
function patternOf(path: string): string {
  return path.replace(/\{([^{}/]+)\}/g, (_, name: string) => {
    const plain = name.replace(/[^A-Za-z0-9_]/g, '_').slice(0, 60);
    return `{${/^[A-Za-z_]/.test(plain) ? plain : `p_${plain}`}}`;
  });
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
