import { createAuthorize } from '../../authorize/authorize.ts';
import type { Config } from '../../config/load.ts';
import { rowFor } from '../../decision/message.ts';
import type { CredentialWay, Endpoint } from '../../decision/request.ts';
import { createEndpointTable, shapeOf } from '../../request/endpoints/table.ts';
import { type Caller, callersOf, principalOf, rolesOf } from './callers.ts';

export type Verdict = 'allowed' | 'forbidden' | 'unknown' | 'unauthenticated';

/** One endpoint and caller whose verdict changes. */
export interface AccessChange {
  readonly endpoint: string;
  readonly caller: string;
  readonly before: Verdict;
  readonly after: Verdict;
}

/** A change beside who may what: a budget, a condition, an issuer, a role. */
export interface OtherChange {
  readonly at: string;
  readonly before: string;
  readonly after: string;
}

export interface PolicyDifference {
  readonly gains: readonly AccessChange[];
  readonly losses: readonly AccessChange[];
  readonly others: readonly OtherChange[];
}

/**
 * Compares two policies for every row and every scope, role and issuer in use, by the code that authorizes requests.
 * Claims that a row demands are taken as met, and compared as text; what a path parameter decides is not tried out.
 *
 * @param before - the policy in force.
 * @param after - the policy that is to come.
 * @returns who gains, who loses, and what else changes.
 */
export function comparePolicies(before: Config, after: Config): PolicyDifference {
  const callers = callersOf([before, after]);
  const judges = [judgeOf(before), judgeOf(after)] as const;
  const changes = requestsOf([before, after]).flatMap((request) =>
    callers.flatMap((caller): AccessChange[] => {
      const [was, is] = [judges[0](caller, request), judges[1](caller, request)];
      return was === is ? [] : [{ endpoint: request.endpoint, caller: caller.name, before: was, after: is }];
    }),
  );
  return {
    gains: changes.filter((change) => change.after === 'allowed'),
    losses: changes.filter((change) => change.before === 'allowed'),
    others: [...rowChanges(before, after), ...tableChanges(before, after)],
  };
}

/** Who may use one row, of the callers that the policy tells apart. */
export interface RowAccess {
  readonly row: Endpoint;
  /** Method and pattern, and the message of an `mcp` row. */
  readonly endpoint: string;
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
}

/** Who may what: every row for every scope, role and issuer in use, by the code that authorizes requests. */
export function accessTable(config: Config): readonly RowAccess[] {
  const callers = callersOf([config]);
  const judge = judgeOf(config);
  return requestsOf([config]).map((request) => {
    const names = (isAllowed: boolean) =>
      callers.filter((caller) => (judge(caller, request) === 'allowed') === isAllowed).map(({ name }) => name);
    return { row: request.row, endpoint: request.endpoint, allowed: names(true), refused: names(false) };
  });
}

/** One request for each row of either policy, its parameters filled. */
function requestsOf(configs: readonly Config[]) {
  const rows = new Map(
    configs
      .flatMap(({ documents }) => documents.endpoints)
      .filter(({ own }) => !own)
      .map((row) => [shapeOf(row.method, row.pattern, row.mcp), row]),
  );
  return [...rows.values()].map((row) => ({ row, ...requestOf(row) }));
}

function requestOf({ method, pattern, mcp }: Endpoint) {
  return {
    endpoint: `${method} ${pattern}${mcp === undefined ? '' : ` ${[mcp.method, mcp.name ?? []].flat().join(' ')}`}`,
    method,
    path: pattern.replace(/\{[^}]*\}/g, 'policy-diff'),
    message: { method: filled(mcp?.method) ?? 'policy-diff', name: filled(mcp?.name) },
  };
}

function filled(pattern: string | null | undefined): string | null {
  return pattern?.replace(/\*$/, 'policy-diff') ?? null;
}

function judgeOf(config: Config): (caller: Caller, request: ReturnType<typeof requestsOf>[number]) => Verdict {
  const endpoints = config.documents.endpoints.map(({ claims: _, ...row }): Endpoint => row);
  const table = createEndpointTable(endpoints);
  const authorize = createAuthorize(endpoints, config.settings.rbacEnabled);
  const known = new Set(config.issuers.flatMap(({ spellings }) => spellings));
  return (caller, { method, path, message }) => {
    if (!config.ways.includes(caller.method)) return 'unauthenticated';
    if (caller.issuer !== null && known.size > 0 && !known.has(caller.issuer)) return 'unauthenticated';
    const found = table.route(method, path);
    const route = found.found === 'by_message' ? rowFor(found.rows, message) : found;
    if (route.found !== 'endpoint') return 'unknown';
    const { auth } = route.endpoint;
    if (auth !== undefined && !auth.includes(caller.method as CredentialWay)) return 'unauthenticated';
    return authorize(principalOf(caller, config), route, path) === null ? 'allowed' : 'forbidden';
  };
}

function rowChanges(before: Config, after: Config): OtherChange[] {
  const others = new Map(after.documents.endpoints.map((row) => [shapeOf(row.method, row.pattern, row.mcp), row]));
  return before.documents.endpoints.flatMap((row) => {
    const next = others.get(shapeOf(row.method, row.pattern, row.mcp));
    if (next === undefined) return [];
    const members = ['budget', 'claims', 'issuers', 'auth', 'acr', 'maxAgeSeconds', 'mcp'] as const;
    return members.flatMap((member): OtherChange[] => {
      const [was, is] = [memberText(row, member), memberText(next, member)];
      return was === is ? [] : [{ at: `${row.method} ${row.pattern}: ${member}`, before: was, after: is }];
    });
  });
}

function memberText(row: Endpoint, member: string): string {
  return JSON.stringify(Object.getOwnPropertyDescriptor(row, member)?.value ?? null);
}

function tableChanges(before: Config, after: Config): OtherChange[] {
  const [was, is] = [factsOf(before), factsOf(after)];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((at): OtherChange[] =>
    was[at] === is[at] ? [] : [{ at, before: was[at] ?? 'nothing', after: is[at] ?? 'nothing' }],
  );
}

/** What decides beside the rows, as text by its name. */
function factsOf(config: Config): Readonly<Record<string, string>> {
  const { settings, documents, issuers } = config;
  const facts: Record<string, string> = {
    'general budget': `${settings.rateLimitPerMinute} a minute, burst ${settings.burstLimit}`,
    'heavy budget': `${settings.heavyRateLimitPerMinute} a minute, burst ${settings.heavyBurstLimit}`,
    'scopes demanded': String(settings.rbacEnabled),
    'certificate rules': JSON.stringify(documents.mtlsPolicy),
    'forwarded claims': JSON.stringify(documents.forwardClaims),
  };
  for (const [role, scopes] of Object.entries(rolesOf(config))) facts[`role ${role}`] = [...scopes].sort().join(' ');
  for (const issuer of issuers) {
    const { spellings, setBy: _setBy, keys: _keys, ...rest } = issuer;
    facts[`issuer ${spellings[0] ?? 'of tokens'}`] = JSON.stringify(rest);
  }
  return facts;
}
