import type { Endpoint, McpMessage, Route } from './request.ts';

/** Methods whose messages name a tool, a prompt or a resource, and the member of `params` that does. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
]);

/** The member of `params` that holds the name (MCP, Streamable HTTP, “Standard Request Headers”); null: of none by itself. */
export function nameMember(method: string): string | null {
  return NAMED.get(method) ?? null;
}

/** Whether a message of this method must say a name: MCP demands it, or a row decides by it. */
export function needsName(method: string, rows: readonly Endpoint[]): boolean {
  return NAMED.has(method) || rows.some(({ mcp }) => mcp?.name != null && covers(mcp.method, method));
}

/** The first of the rows that takes a message. A row without `mcp` takes every one. */
export function rowFor(rows: readonly Endpoint[], { method, name }: McpMessage): Route {
  const endpoint = rows.find(
    ({ mcp }) =>
      mcp === undefined ||
      (covers(mcp.method, method) && (mcp.name === null || (name !== null && covers(mcp.name, name)))),
  );
  if (endpoint !== undefined) return { found: 'endpoint', endpoint };
  const known = rows.some(({ mcp }) => mcp !== undefined && covers(mcp.method, method));
  return { found: 'nothing', unknown: known ? 'name' : 'method' };
}

/** The rows with the most specific one first: by method, then by name; a whole text before a longer beginning before a shorter. */
export function mostSpecificFirst(rows: readonly Endpoint[]): readonly Endpoint[] {
  const ranks = ({ mcp }: Endpoint) => [rank(mcp?.method ?? null), rank(mcp?.name ?? null)] as const;
  return rows.toSorted((one, other) => {
    const [ours, theirs] = [ranks(one), ranks(other)];
    return theirs[0] - ours[0] || theirs[1] - ours[1];
  });
}

function rank(pattern: string | null): number {
  if (pattern === null) return -1;
  return pattern.endsWith('*') ? pattern.length - 1 : Number.MAX_SAFE_INTEGER;
}

function covers(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
