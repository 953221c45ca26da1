import { mostSpecificFirst } from '../../decision/message.ts';
import type { Endpoint, McpDemand, Route } from '../../decision/request.ts';
import { compilePatterns, isTail, type Leaf } from './trie.ts';

/** The endpoint table, compiled. */
export interface EndpointTable {
  /** Takes a method and a canonical path; gives the row that decides about them. */
  route(method: string, path: string): Route;
  readonly rows: readonly Endpoint[];
}

/** Answered without a decision, so no row of the table may match them. */
export const HEALTH_PATHS: readonly string[] = ['/healthz', '/readyz'];

/** Path of our own metrics page. */
export const METRICS_PATH = '/_authorizer/metrics';

/** What `{name}` and `{name...}` become where only the shape of a pattern counts. */
const [ANY_SEGMENT, ANY_SEGMENTS] = ['{}', '{...}'];

const NOTHING: Route = { found: 'nothing' };

/** Our own administrative rows, and the metrics page where it is on. */
export function ownEndpoints(
  scopes: { readonly revoke: string; readonly metrics: string },
  metricsPage: boolean,
): readonly Endpoint[] {
  const revocations = ['POST /_authorizer/revocations', 'GET /_authorizer/revocations']
    .concat('DELETE /_authorizer/revocations')
    .concat('GET /_authorizer/revocations/{kind}/{id}', 'DELETE /_authorizer/revocations/{kind}/{id}')
    .map((row): Endpoint => {
      const [method = '', pattern = ''] = row.split(' ');
      return { action: 'revocations', method, pattern, scope: scopes.revoke, budget: 'none', own: true };
    });
  const page: Endpoint = {
    action: 'authorizer_metrics',
    method: 'GET',
    pattern: METRICS_PATH,
    scope: scopes.metrics,
    budget: 'none',
    own: true,
  };
  return metricsPage ? [...revocations, page] : revocations;
}

/** Gives method, pattern and message with every name of a path alike: two rows of one shape match the same requests. */
export function shapeOf(method: string, pattern: string, mcp?: McpDemand): string {
  const path = pattern.replace(/\{[^}]*\}/g, (name) => (isTail(name) ? ANY_SEGMENTS : ANY_SEGMENT));
  return mcp === undefined ? `${method} ${path}` : `${method} ${path} ${JSON.stringify([mcp.method, mcp.name])}`;
}

/**
 * Compiles the rows of the table. The row of a request is the most specific one of the request's method that matches its
 * path; `HEAD` counts as `GET`. Rows of other methods are told only where none of the request's method matches (405).
 * A path without names costs one look-up, any other the segments of the path: the size of the table does not matter.
 * Does not canonicalise: takes what `canonicalTarget` gave.
 */
export function createEndpointTable(rows: readonly Endpoint[]): EndpointTable {
  // The health paths answer before a decision. What arrives here has another method, or comes from a proxy that asks.
  const health = HEALTH_PATHS.map((path): Leaf => leafOf(path, true, [['GET', NOTHING]]));
  const groups = Map.groupBy(rows, (row) => shapeOf('', row.pattern));
  const leaves = [...groups.values()].map((group) => {
    const routes = Map.groupBy(group, ({ method }) => method);
    return leafOf(
      group[0]?.pattern ?? '',
      group[0]?.own ?? false,
      [...routes].map(([method, rows]) => [method, routeOf(rows)] as const),
    );
  });
  const patterns = compilePatterns(leaves);
  const literal = new Map(
    [...health, ...leaves].filter(({ pattern }) => !pattern.includes('{')).map((leaf) => [leaf.pattern, leaf]),
  );
  return {
    rows,
    route(method, path) {
      const exact = literal.get(path);
      const route = exact?.byMethod.get(method);
      if (route !== undefined) return route;
      if (exact?.own) return otherMethods([exact]);
      return patterns.find(method, path) ?? otherMethods(patterns.matching(path));
    },
  };
}

/** The row of one method and pattern, or the rows among which the message decides. */
function routeOf(rows: readonly Endpoint[]): Route {
  const endpoint = rows.at(-1);
  if (endpoint === undefined) return NOTHING;
  if (rows.every(({ mcp }) => mcp === undefined)) return { found: 'endpoint', endpoint };
  return { found: 'by_message', rows: mostSpecificFirst(rows), pattern: endpoint.pattern };
}

function leafOf(pattern: string, own: boolean, routes: readonly (readonly [string, Route])[]): Leaf {
  const byMethod = new Map(routes);
  const get = byMethod.get('GET');
  if (get !== undefined) byMethod.set('HEAD', get);
  return { pattern, own, byMethod };
}

/** The answer for a path that only rows of other methods match. */
function otherMethods(leaves: readonly Leaf[]): Route {
  const [first] = leaves;
  if (first === undefined) return NOTHING;
  const allow = [...new Set(leaves.flatMap(({ byMethod }) => [...byMethod.keys()]))].sort();
  return { found: 'other_methods', allow, pattern: first.pattern, own: first.own };
}
