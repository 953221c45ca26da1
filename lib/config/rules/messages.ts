import { mostSpecificFirst } from '../../decision/message.ts';
import type { Endpoint } from '../../decision/request.ts';
import type { Problem } from '../problem.ts';
import { type Settings, variables } from '../variables.ts';
import type { Place } from './check.ts';

/** What rows with `mcp` demand of the rest of the configuration, and of each other. */
export function messageProblems(settings: Settings, endpoints: readonly Endpoint[], place: Place): readonly Problem[] {
  const problems: Problem[] = [];
  const problem = (key: 'mcpLegacy' | 'endpoints' | 'authorizerTtlSeconds', found: string, accepted: string) =>
    problems.push({ variable: variables[key].name, found, accepted });
  const rows = mostSpecificFirst(endpoints.filter(({ mcp }) => mcp !== undefined));
  const [first] = rows;
  if (first === undefined) {
    if (settings.mcpLegacy) problem('mcpLegacy', '`true`', '`true` only beside a row with `mcp`');
    return problems;
  }
  if (place.platform === 'lambda' && settings.mcpLegacy)
    problem(
      'mcpLegacy',
      '`true`',
      '`false` on Lambda: an authorizer sees no body, where such requests say what they ask',
    );
  if (place.platform === 'lambda' && settings.authorizerTtlSeconds > 0)
    problem(
      'authorizerTtlSeconds',
      `${settings.authorizerTtlSeconds} with a row of the member "mcp"`,
      '0: an answer that is kept would let other messages of the same path pass',
    );
  if (settings.mcpLegacy)
    for (const row of endpoints.filter(({ method, pattern }) =>
      rows.some((other) => other.method === method && other.pattern === pattern),
    ))
      if (String(row.auth) !== String(rows.find(({ pattern }) => pattern === row.pattern)?.auth))
        problem(
          'endpoints',
          `row ${row.method} ${row.pattern}: another "auth" than a row of the same path`,
          'with TGEFD_MCP_LEGACY one "auth" for all rows of a path: who calls is known before the body is read',
        );
  return problems;
}
