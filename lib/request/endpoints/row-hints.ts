/** What rows of other products are called, and what to write instead. */
const MEMBERS: Readonly<Record<string, string>> = {
  methods: 'write "method", one row for each',
  route: 'write "path"',
  url: 'write "path"',
  scopes: 'write "scope"',
  permissions: 'write "scope"',
  role: 'a row demands a scope, and role_scopes gives scopes to a role',
  roles: 'a row demands a scope, and role_scopes gives scopes to roles',
  public: 'no row is open to callers without credentials',
  issuer: 'write "issuers"',
  claim: 'write "claims"',
  rate_limit: 'write "budget"',
};

const ANY_METHOD = 'one row for each method: no row takes every method';

/** Methods that no row may have, and why. */
export const FORBIDDEN_METHODS: ReadonlyMap<string, string> = new Map([
  ['HEAD', 'HEAD follows GET: write GET'],
  ['CONNECT', 'CONNECT is never forwarded'],
  ['TRACE', 'TRACE is never forwarded'],
  ['ANY', ANY_METHOD],
  ['ALL', ANY_METHOD],
]);

/** What an unknown member of a row was probably meant to be; empty where nobody can tell. */
export function memberHint(name: string): string {
  const hint = Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : undefined;
  return hint === undefined ? '' : ` (${hint})`;
}

/** A parameter as other routers write it, which would be a literal here; null where no segment looks like one. */
export function foreignParameter(segments: readonly string[]): string | null {
  const segment = segments.find((one) => /^(?::\w+[?*+]?|<(?:\w+:)?\w+>|\[(?:\.\.\.)?\w+\])$/.test(one));
  if (segment === undefined) return null;
  const [name = 'name'] = /\w+(?=[^\w]*$)/.exec(segment) ?? [];
  return `must not have \`${segment}\`, which would be a literal: write {${/^\d/.test(name) ? 'name' : name}}`;
}

/** A path parameter as other products refer to it, such as `:id` and `$id`: its name, or null. */
export function foreignReference(value: string, names: ReadonlySet<string>): string | null {
  const [, name = ''] = /^(?::|\$|%|<|\{\{)\s*(?:path\.|params\.)?(\w+)\s*(?:%|>|\}\})?$/.exec(value) ?? [];
  return names.has(name) ? name : null;
}
