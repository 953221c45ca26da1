import type { Route } from '../../decision/request.ts';

/** First segment of our own endpoints, which no `{name}` of an operator's row ever matches. */
export const OWN_SEGMENT = '_authorizer';

/** One path pattern with the routes of its methods. `HEAD` stands beside `GET` (RFC 9110 §9.3.2). */
export interface Leaf {
  readonly pattern: string;
  /** As `Endpoint.own`: no wider pattern is looked at for the methods that this one lacks. */
  readonly own: boolean;
  readonly byMethod: ReadonlyMap<string, Route>;
}

/** Patterns by their segments. */
interface Node {
  readonly literals: Map<string, Node>;
  /** Below `{name}`: one segment. */
  name: Node | null;
  /** `{name...}`: one or more segments. */
  tail: Leaf | null;
  leaf: Leaf | null;
}

/** Path patterns, found by the path of a request. */
export interface Patterns {
  /** The route of the most specific pattern that matches the path and has the method, or null. */
  find(method: string, path: string): Route | null;
  /** Every pattern that matches the path, the most specific first. */
  matching(path: string): readonly Leaf[];
}

/**
 * Compiles path patterns into a tree by segments. From the left, a literal segment wins over `{name}`, and `{name}` over
 * `{name...}`. A search looks at the segments of the path, and goes back to a wider pattern where a narrower one led
 * nowhere. Its cost depends on how many patterns match a prefix of the path, not on how many there are. It visits no
 * node twice, and goes no deeper than the longest pattern.
 * Takes canonical paths only; the first segment of our own endpoints matches literally or not at all.
 */
export function compilePatterns(leaves: readonly Leaf[]): Patterns {
  const root = newNode();
  for (const leaf of leaves) plant(root, leaf);
  return {
    find: (method, path) => search(root, path, 1, method),
    matching(path) {
      const found: Leaf[] = [];
      collect(root, path, 1, found);
      return found;
    },
  };
}

/** Whether a segment of a pattern is `{name...}`. */
export function isTail(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('...}');
}

function newNode(): Node {
  return { literals: new Map(), name: null, tail: null, leaf: null };
}

function plant(root: Node, leaf: Leaf): void {
  let node = root;
  for (const segment of leaf.pattern.slice(1).split('/')) {
    if (isTail(segment)) {
      node.tail = leaf;
      return;
    }
    const isName = segment.startsWith('{');
    const next: Node = (isName ? node.name : node.literals.get(segment)) ?? newNode();
    if (isName) node.name = next;
    else node.literals.set(segment, next);
    node = next;
  }
  node.leaf = leaf;
}

/** Whether `{name}` and `{name...}` may begin with this segment: it is not empty, and not ours. */
function isFree(segment: string, start: number): boolean {
  return segment !== '' && !(start === 1 && segment === OWN_SEGMENT);
}

function search(node: Node, path: string, start: number, method: string): Route | null {
  const slash = path.indexOf('/', start);
  const segment = slash === -1 ? path.slice(start) : path.slice(start, slash);
  const literal = node.literals.get(segment);
  if (literal !== undefined) {
    const route = below(literal, path, slash, method);
    if (route !== null) return route;
  }
  if (node.name === null && node.tail === null) return null;
  if (!isFree(segment, start)) return null;
  const named = node.name === null ? null : below(node.name, path, slash, method);
  return named ?? node.tail?.byMethod.get(method) ?? null;
}

function below(next: Node, path: string, slash: number, method: string): Route | null {
  return slash === -1 ? (next.leaf?.byMethod.get(method) ?? null) : search(next, path, slash + 1, method);
}

function collect(node: Node, path: string, start: number, found: Leaf[]): void {
  const slash = path.indexOf('/', start);
  const segment = slash === -1 ? path.slice(start) : path.slice(start, slash);
  const into = (next: Node | null | undefined) => {
    if (!next) return;
    if (slash !== -1) collect(next, path, slash + 1, found);
    else if (next.leaf !== null) found.push(next.leaf);
  };
  into(node.literals.get(segment));
  if (!isFree(segment, start)) return;
  into(node.name);
  if (node.tail !== null) found.push(node.tail);
}
