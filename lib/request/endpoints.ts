import type { BudgetClass, Endpoint, Route } from '../decision/request.ts';

/** A row as `TGEFD_ENDPOINTS` gives it; without an action of its own it takes that of the row it replaces. */
export interface EndpointRow {
  readonly method: string;
  readonly pattern: string;
  readonly scope: string | null;
  readonly budget: BudgetClass;
  readonly action: string | null;
}

/** Scope names that guard the endpoints of the protected service, and our own. */
export interface EndpointScopes {
  readonly discover: string;
  readonly evaluate: string;
  readonly jobs: string;
  readonly metrics: string;
  readonly revoke: string;
}

export interface EndpointTable {
  /** Takes a method and a canonical path; gives the row that decides about them. */
  route(method: string, path: string): Route;
  readonly rows: readonly Endpoint[];
}

/** First segment of our own endpoints, which no `{name}` of an operator's row ever matches. */
export const OWN_SEGMENT = '_authorizer';
/** Answered without a decision, so no row of the table may match them. */
export const HEALTH_PATHS: readonly string[] = ['/healthz', '/readyz'];

/** What `{name}` becomes where only the shape of a pattern counts. */
const ANY_SEGMENT = '{}';

/** Path of our own metrics page. */
export const METRICS_PATH = '/_authorizer/metrics';

/** Gives the rows of the protected service (contract §1) and our own administrative ones, the metrics page where it is on. */
export function defaultEndpoints(scopes: EndpointScopes, metricsPage = false): readonly Endpoint[] {
  return [
    {
      action: 'discover',
      method: 'POST',
      pattern: '/v1/discover',
      scope: scopes.discover,
      budget: 'heavy',
      own: false,
    },
    {
      action: 'discover_async',
      method: 'POST',
      pattern: '/v1/discover_async',
      scope: scopes.discover,
      budget: 'heavy',
      own: false,
    },
    {
      action: 'evaluate',
      method: 'POST',
      pattern: '/v1/evaluate',
      scope: scopes.evaluate,
      budget: 'heavy',
      own: false,
    },
    {
      action: 'evaluate_async',
      method: 'POST',
      pattern: '/v1/evaluate_async',
      scope: scopes.evaluate,
      budget: 'heavy',
      own: false,
    },
    { action: 'jobs', method: 'GET', pattern: '/v1/jobs/{job_id}', scope: scopes.jobs, budget: 'read', own: false },
    { action: 'metrics', method: 'GET', pattern: '/v1/metrics', scope: scopes.metrics, budget: 'read', own: false },
    { action: 'metrics', method: 'GET', pattern: '/metrics', scope: scopes.metrics, budget: 'read', own: false },
    ...['POST /_authorizer/revocations', 'GET /_authorizer/revocations', 'DELETE /_authorizer/revocations']
      .concat('GET /_authorizer/revocations/{kind}/{id}', 'DELETE /_authorizer/revocations/{kind}/{id}')
      .map((row): Endpoint => {
        const [method = '', pattern = ''] = row.split(' ');
        return { action: 'revocations', method, pattern, scope: scopes.revoke, budget: 'none', own: true };
      }),
    ...(metricsPage
      ? [
          {
            action: 'authorizer_metrics',
            method: 'GET',
            pattern: METRICS_PATH,
            scope: scopes.metrics,
            budget: 'none',
            own: true,
          } as const,
        ]
      : []),
  ];
}

/** Gives method and pattern with every `{name}` alike: two rows of one shape match the same requests. */
export function shapeOf(method: string, pattern: string): string {
  return `${method} ${pattern.replace(/\{[^}]*\}/g, ANY_SEGMENT)}`;
}

/** Gives the default rows with each of `rows` added, or put in the place of the one that has its shape. */
export function mergeEndpoints(defaults: readonly Endpoint[], rows: readonly EndpointRow[]): readonly Endpoint[] {
  const merged = new Map(defaults.map((row) => [shapeOf(row.method, row.pattern), row]));
  for (const row of rows) {
    const shape = shapeOf(row.method, row.pattern);
    const action = row.action ?? merged.get(shape)?.action ?? actionOf(row);
    merged.set(shape, { ...row, action, own: false });
  }
  return [...merged.values()];
}

/** `get_v1_items_id` for `GET /v1/items/{id}`. */
function actionOf({ method, pattern }: EndpointRow): string {
  return `${method} ${pattern}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/_$/, '');
}

/** One path pattern: its rows by method, and the two answers that need no row. */
interface Leaf {
  readonly byMethod: Map<string, Route>;
  readonly otherMethods: Route;
}

interface Node {
  readonly literals: Map<string, Node>;
  name: Node | null;
  leaf: Leaf | null;
}

const NOTHING: Route = { found: 'nothing' };

/**
 * Takes the rows of the table, compiles them once. The answer for a path comes from the most specific pattern that
 * matches it, segment by segment from the left: a literal beats `{name}`. That pattern alone says which methods there
 * are (HEAD where there is GET, RFC 9110 §9.3.2); a wider pattern with the missing method is not looked for.
 * Cost: one look-up for a path without names, else the segments of the path, and never more than the table's segments.
 * Does not canonicalise: hand it what `canonicalTarget` gave.
 */
export function createEndpointTable(rows: readonly Endpoint[]): EndpointTable {
  // Health is told before anything is decided: what gets here has another method, or asks for a proxy, where it is not to be had.
  const literal = new Map<string, Leaf>(HEALTH_PATHS.map((path) => [path, leafOf(path, true, [['GET', NOTHING]])]));
  const root = newNode();
  const groups = new Map<string, Endpoint[]>();
  for (const row of rows) {
    const shape = shapeOf('', row.pattern);
    groups.set(shape, [...(groups.get(shape) ?? []), row]);
  }
  for (const group of groups.values()) {
    const [{ pattern, own } = { pattern: '', own: false }] = group;
    const leaf = leafOf(
      pattern,
      own,
      group.map((endpoint) => [endpoint.method, { found: 'endpoint', endpoint }]),
    );
    if (pattern.includes('{')) plant(root, pattern, leaf);
    else literal.set(pattern, leaf);
  }
  return {
    rows,
    route: (method, path) => {
      const leaf = literal.get(path) ?? find(root, path, 1);
      return leaf === null ? NOTHING : (leaf.byMethod.get(method) ?? leaf.otherMethods);
    },
  };
}

function newNode(): Node {
  return { literals: new Map(), name: null, leaf: null };
}

function leafOf(pattern: string, own: boolean, routes: readonly (readonly [string, Route])[]): Leaf {
  const byMethod = new Map(routes);
  const get = byMethod.get('GET');
  if (get !== undefined) byMethod.set('HEAD', get);
  return { byMethod, otherMethods: { found: 'other_methods', allow: [...byMethod.keys()].sort(), pattern, own } };
}

function plant(root: Node, pattern: string, leaf: Leaf): void {
  let node = root;
  for (const segment of pattern.slice(1).split('/')) {
    const next = (segment.startsWith('{') ? node.name : node.literals.get(segment)) ?? newNode();
    if (segment.startsWith('{')) node.name = next;
    else node.literals.set(segment, next);
    node = next;
  }
  node.leaf = leaf;
}

/** Looks below `node` for the segments of `path` from `start` on. A tree has one way to each node, so that going back
 * to `{name}` after a literal that led nowhere visits no node twice. */
function find(node: Node, path: string, start: number): Leaf | null {
  const slash = path.indexOf('/', start);
  const segment = slash === -1 ? path.slice(start) : path.slice(start, slash);
  const below = (next: Node | null | undefined) =>
    !next ? null : slash === -1 ? next.leaf : find(next, path, slash + 1);
  const named = segment === '' || (start === 1 && segment === OWN_SEGMENT) ? null : node.name;
  return below(node.literals.get(segment)) ?? below(named);
}
