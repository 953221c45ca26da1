import type { Config } from '../config/load.ts';
import type { Endpoint } from '../decision/request.ts';
import type { Finding } from './finding.ts';

/** What is valid and rarely meant: texts that look like another one and match nothing that is sent. */
export function trapFindings({ issuers, documents }: Config, rows: readonly Endpoint[]): readonly Finding[] {
  const note = (rule: Finding['rule'], at: string, text: string): Finding => ({ level: 'note', rule, at, text });
  const tables = [documents.roleScopes, ...issuers.map(({ roleScopes }) => roleScopes)];
  const roles = new Set(tables.flatMap((table) => Object.keys(table)));
  const demanded = new Set(rows.flatMap(({ scope }) => namesIn(scope)));
  return [
    ...rows
      .filter(({ pattern }) => pattern.length > 1 && pattern.endsWith('/'))
      .map(({ method, pattern }) =>
        note('trailing_slash', `${method} ${pattern}`, `does not take ${pattern.slice(0, -1)}, which is another path`),
      ),
    ...issuers.flatMap(({ spellings, provider }) =>
      provider === 'spiffe' || provider === 'google' ? [] : spellings.flatMap((one) => issuerNote(one, note)),
    ),
    ...tables.flatMap((table) =>
      Object.entries(table).flatMap(([role, scopes]) =>
        scopes
          .filter((scope) => roles.has(scope) && !demanded.has(scope))
          .map((scope) =>
            note(
              'role_as_scope',
              `role ${role}`,
              `grants the scope ${scope}, which no row demands: a role includes no role`,
            ),
          ),
      ),
    ),
  ];
}

function namesIn(scope: Endpoint['scope']): readonly string[] {
  if (scope === null) return [];
  if (typeof scope === 'string') return [scope];
  return 'any' in scope ? scope.any : scope.all;
}

function issuerNote(spelling: string, note: (rule: Finding['rule'], at: string, text: string) => Finding): Finding[] {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(spelling))
    return [note('issuer_no_url', spelling, `is no URL; most tokens name their issuer as https://${spelling}`)];
  return /^https:\/\/[^/]+\.auth0\.com$/.test(spelling)
    ? [note('issuer_slash', spelling, `Auth0 names its issuer with a slash behind: ${spelling}/`)]
    : [];
}
