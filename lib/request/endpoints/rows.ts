import type * as z from 'zod/mini';
import type { Endpoint } from '../../decision/request.ts';
import { canonicalTarget } from '../path.ts';
import { FORBIDDEN_METHODS, foreignParameter, foreignReference, memberHint } from './row-hints.ts';
import { accepts, type EndpointRow, parameterReference, rowOf, rowShape } from './row-schema.ts';
import { HEALTH_PATHS, shapeOf } from './table.ts';
import { isTail, OWN_SEGMENT } from './trie.ts';

export interface EndpointRows {
  readonly rows: readonly EndpointRow[];
  /** One sentence for each fault, naming the row by its place (from 1). */
  readonly problems: readonly string[];
}

/** More than the largest public APIs have: one trie node for each segment, so that matching does not grow with the table. */
export const MAX_ROWS = 2000;
const MAX_SEGMENTS = 32;
const NAME = /^\{[A-Za-z_][A-Za-z0-9_]{0,63}(\.\.\.)?\}$/;

/**
 * Reads the document of `TGEFD_ENDPOINTS`, a JSON array of rows. Gives the rows, and one problem for each fault: unknown or
 * missing members, a pattern that is not its own canonical form, one below `/_authorizer/` or on a health path, a claim
 * that refers to no path parameter, two rows of one shape. Rows with a fault are left out. Never throws.
 * Does not know the preset's rows: `mergeEndpoints` puts these over them.
 */
export function parseEndpointRows(list: unknown): EndpointRows {
  if (!Array.isArray(list)) return { rows: [], problems: ['is not a JSON array of rows'] };
  if (list.length > MAX_ROWS)
    return { rows: [], problems: [`has ${list.length} rows; at most ${MAX_ROWS} are accepted`] };

  const rows: EndpointRow[] = [];
  const problems: string[] = [];
  const placeOfShape = new Map<string, number>();
  for (const [index, candidate] of list.entries()) {
    const place = index + 1;
    const report = (problem: string) => problems.push(`row ${place}: ${problem}`);
    const parsed = rowShape().safeParse(candidate);
    if (!parsed.success) {
      for (const problem of new Set(parsed.error.issues.map((issue) => describe(issue, candidate)))) report(problem);
      continue;
    }
    const row = rowOf(parsed.data);
    const fault = methodFault(row) ?? patternFault(row.pattern) ?? claimsFault(row);
    if (fault !== null) {
      report(fault);
      continue;
    }
    const shape = shapeOf(row.method, row.pattern, row.mcp);
    const earlier = placeOfShape.get(shape);
    if (earlier !== undefined) report(`matches the same requests as row ${earlier}`);
    else {
      placeOfShape.set(shape, place);
      rows.push(row);
    }
  }
  return { rows, problems };
}

/** Gives the preset's rows with each of `rows` added, or put in the place of the one that has its shape. */
export function mergeEndpoints(preset: readonly Endpoint[], rows: readonly EndpointRow[]): readonly Endpoint[] {
  const merged = new Map(preset.map((row) => [shapeOf(row.method, row.pattern, row.mcp), row]));
  for (const row of rows) {
    const shape = shapeOf(row.method, row.pattern, row.mcp);
    const action = row.action ?? merged.get(shape)?.action ?? actionOf(row);
    merged.set(shape, { ...row, action, own: false });
  }
  return [...merged.values()];
}

/** `get_v1_items_id` for `GET /v1/items/{id}`, `post_mcp_tools_call` where the message decides. */
function actionOf({ method, pattern, mcp }: EndpointRow): string {
  return [method, pattern, mcp?.method ?? '', mcp?.name ?? '']
    .join(' ')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 64)
    .replace(/_$/, '');
}

function describe(issue: z.core.$ZodIssue, row: unknown): string {
  const [member] = issue.path;
  if (issue.code === 'unrecognized_keys' && member === undefined)
    return `unknown member ${issue.keys.map((key) => `${shown(key)}${memberHint(key)}`).join(', ')}`;
  if (member === undefined || typeof row !== 'object' || row === null) return 'is not an object';
  const found = Object.getOwnPropertyDescriptor(row, member)?.value;
  const accepted = Object.getOwnPropertyDescriptor(accepts, member)?.value ?? issue.message;
  return `"${String(member)}" ${accepted}; ${found === undefined ? 'it is missing' : `found ${shown(found)}`}`;
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

function methodFault({ method, mcp }: EndpointRow): string | null {
  if (mcp !== undefined && method !== 'POST') return '"mcp": messages come by POST only';
  const fault = FORBIDDEN_METHODS.get(method);
  return fault === undefined ? null : `"method": ${fault}`;
}

function nameOf(segment: string): string {
  return segment.slice(1, isTail(segment) ? -4 : -1);
}

function patternFault(pattern: string): string | null {
  const segments = pattern.slice(1).split('/');
  const names = segments.filter((segment) => NAME.test(segment)).map(nameOf);
  const fault = (what: string) => `"path" ${what}; found ${shown(pattern)}`;
  if (segments.length > MAX_SEGMENTS) return fault(`has more than ${MAX_SEGMENTS} segments`);
  if (new Set(names).size < names.length) return fault('uses one name twice');
  if (segments[0] === OWN_SEGMENT) return fault(`is below /${OWN_SEGMENT}, which is never forwarded`);
  if (HEALTH_PATHS.includes(pattern)) return fault('is a health path, which the authorizer answers itself');
  if (segments.slice(0, -1).some((segment) => NAME.test(segment) && isTail(segment)))
    return fault('must have {name...} as its last segment only');

  const sample = `/${segments.map((segment) => (NAME.test(segment) ? nameOf(segment) : segment)).join('/')}`;
  if (/[{}]/.test(sample)) return fault('must use {name} for a whole segment');
  if (segments.some((segment) => segment.includes('*')))
    return fault('must not have `*`, which would be a literal: write {name} for one segment, {name...} for the rest');
  const foreign = foreignParameter(segments);
  if (foreign !== null) return fault(foreign);
  const canonical = canonicalTarget(sample);
  if (!canonical.ok)
    return fault(
      `can match no request (${canonical.problem}): a segment is {name} or text, percent-encoded where needed`,
    );
  if (canonical.query !== '') return fault('must not have a query');
  if (canonical.path === sample) return null;
  const canonicalSegments = canonical.path.slice(1).split('/');
  const better = segments.map((segment, index) => (NAME.test(segment) ? segment : canonicalSegments[index]));
  return fault(`is not canonical and can match no request: write ${shown(`/${better.join('/')}`)}`);
}

function claimsFault({ pattern, claims = [] }: EndpointRow): string | null {
  const names = new Set(
    pattern
      .split('/')
      .filter((segment) => NAME.test(segment))
      .map(nameOf),
  );
  for (const { path, values } of claims) {
    for (const value of values) {
      const name = typeof value === 'string' ? parameterReference.exec(value)?.[1] : undefined;
      if (name !== undefined && !names.has(name))
        return `"claims" refers to a name that "path" does not have; found ${shown({ [path]: value })}`;
      const meant = typeof value === 'string' ? foreignReference(value, names) : null;
      if (meant !== null)
        return `"claims" must name a path parameter as "{${meant}}"; found ${shown({ [path]: value })}`;
    }
  }
  return null;
}
