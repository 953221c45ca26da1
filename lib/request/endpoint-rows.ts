import * as z from 'zod/mini';
import { type EndpointRow, HEALTH_PATHS, OWN_SEGMENT, shapeOf } from './endpoints.ts';
import { canonicalTarget } from './path.ts';

export interface EndpointRows {
  readonly rows: readonly EndpointRow[];
  /** One sentence for each fault, naming the row by its place (from 1). */
  readonly problems: readonly string[];
}

const MAX_ROWS = 500;
const MAX_SEGMENTS = 32;
const NAME = /^\{[A-Za-z_][A-Za-z0-9_]{0,63}\}$/;
const FORBIDDEN_METHODS = {
  HEAD: 'HEAD follows GET: write GET',
  CONNECT: 'CONNECT is never forwarded',
  TRACE: 'TRACE is never forwarded',
};

const accepts = {
  method: 'must be an HTTP method in upper case, such as GET',
  path: 'must be a path pattern such as /v1/items/{id}',
  scope: 'must be the name of one scope, or null for any authenticated caller',
  budget: 'must be "heavy", "read" or "none"',
  action: 'must be a name of 1 to 64 of a-z, 0-9, _, . and -',
} as const;

function text(error: string, fits: RegExp) {
  return z.string({ error }).check(z.regex(fits, { error }));
}

const rowShape = z.strictObject({
  method: text(accepts.method, /^[A-Z][A-Z_-]{0,31}$/),
  path: text(accepts.path, /^\//),
  // RFC 6749 §3.3 scope-token, one; `*` is a grant, not a scope, and lists split on commas.
  scope: z.nullable(text(accepts.scope, /^(?!\*$)[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,128}$/)),
  budget: z.enum(['heavy', 'read', 'none'], { error: accepts.budget }),
  action: z.optional(text(accepts.action, /^[a-z0-9_.-]{1,64}$/)),
});

/**
 * Takes the document of `TGEFD_ENDPOINTS`, a JSON array of `{method, path, scope, budget, action?}`; gives its rows, and one
 * problem for each fault: unknown or missing members, a pattern that is not its own canonical form, one below
 * `/_authorizer/` or on a health path, two rows of one shape. Rows with a fault are left out. Never throws.
 * Does not know the default rows; `mergeEndpoints` puts these over them.
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
    const parsed = rowShape.safeParse(candidate);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) report(describe(issue, candidate));
      continue;
    }
    const { path, action = null, ...row } = parsed.data;
    const fault = methodFault(row.method) ?? patternFault(path);
    if (fault !== null) {
      report(fault);
      continue;
    }
    const shape = shapeOf(row.method, path);
    const earlier = placeOfShape.get(shape);
    if (earlier !== undefined) report(`matches the same requests as row ${earlier}`);
    else {
      placeOfShape.set(shape, place);
      rows.push({ ...row, pattern: path, action });
    }
  }
  return { rows, problems };
}

function describe(issue: z.core.$ZodIssue, row: unknown): string {
  const [member] = issue.path;
  if (issue.code === 'unrecognized_keys') return `unknown member ${issue.keys.map(shown).join(', ')}`;
  if (member === undefined || typeof row !== 'object' || row === null) return 'is not an object';
  const found = Object.getOwnPropertyDescriptor(row, member)?.value;
  return `"${String(member)}" ${issue.message}; ${found === undefined ? 'it is missing' : `found ${shown(found)}`}`;
}

function shown(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

function methodFault(method: string): string | null {
  const fault = Object.entries(FORBIDDEN_METHODS).find(([name]) => name === method);
  return fault === undefined ? null : `"method": ${fault[1]}`;
}

function patternFault(pattern: string): string | null {
  const segments = pattern.slice(1).split('/');
  const names = segments.filter((segment) => NAME.test(segment));
  const fault = (what: string) => `"path" ${what}; found ${shown(pattern)}`;
  if (segments.length > MAX_SEGMENTS) return fault(`has more than ${MAX_SEGMENTS} segments`);
  if (new Set(names).size < names.length) return fault('uses one name twice');
  if (segments[0] === OWN_SEGMENT) return fault(`is below /${OWN_SEGMENT}, which is never forwarded`);
  if (HEALTH_PATHS.includes(pattern)) return fault('is a health path, which the authorizer answers itself');

  const sample = `/${segments.map((segment) => (NAME.test(segment) ? segment.slice(1, -1) : segment)).join('/')}`;
  if (/[{}]/.test(sample)) return fault('must use {name} for a whole segment');
  const canonical = canonicalTarget(sample);
  if (!canonical.ok) return fault(`can match no request (${canonical.problem})`);
  if (canonical.query !== '') return fault('must not have a query');
  if (canonical.path === sample) return null;
  const canonicalSegments = canonical.path.slice(1).split('/');
  const better = segments.map((segment, index) => (NAME.test(segment) ? segment : canonicalSegments[index]));
  return fault(`is not canonical and can match no request: write ${shown(`/${better.join('/')}`)}`);
}
