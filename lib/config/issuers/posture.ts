import { providers } from '../../authenticate/providers/table.ts';
import type { Endpoint } from '../../decision/request.ts';
import type { Say } from '../posture/say.ts';
import type { Problem } from '../problem.ts';
import type { Settings } from '../variables.ts';
import type { IssuerSettings } from './issuer.ts';

/** What the configuration enforces about tokens, what it leaves weak, and what an attacker would try. */
export function issuerPosture(issuers: readonly IssuerSettings[], settings: Settings, report: Say): void {
  const several = issuers.length > 1;
  for (const issuer of issuers) {
    const of = several ? ` of ${issuer.spellings[0]}` : '';
    report.enforced(`Tokens${of} are signed with ${issuer.algorithms.join(', ')} ${keysText(issuer)}.`);
    if (issuer.keys.from === 'secret')
      report.attack('Steal or guess the HS256 secret: whoever checks tokens with it can also make them.');
    if (issuer.spellings.length > 0 && !several) report.enforced('`iss` must match exactly.');
    if (issuer.spellings.length === 0) report.weak(`\`iss\` is not checked (${issuer.setBy.issuer} is not set).`);
    if (issuer.audiences.length > 0) report.enforced(`\`aud\`${of} must contain our audience.`);
    else {
      report.weak(`\`aud\`${of} is not checked (${issuer.setBy.audience} is not set).`);
      report.attack(`Bring a token that the same issuer${of} made for another service.`);
    }
    if (issuer.maximumLifetimeSeconds !== null)
      report.enforced(`Tokens${of} live at most ${issuer.maximumLifetimeSeconds} s.`);
    else report.weak(`Tokens${of} have no maximum lifetime (${issuer.setBy.max_ttl_sec} is 0).`);
    if (issuer.introspection !== null)
      report.enforced(
        `Opaque tokens are asked about at ${issuer.introspection.url.host}; one that was revoked there passes for at most ${Math.min(issuer.introspection.cacheSeconds, Math.max(1, settings.revocationMaximumDelaySeconds))} s.`,
      );
    if (issuer.roles.length > 0 && settings.roleAdminScopes.includes('*') && settings.rbacEnabled)
      report.weak(
        `The role \`admin\` in ${issuer.roles.join(', ')}${of} holds every scope (TGEFD_ROLE_ADMIN_SCOPES): whoever gives out that role there holds them.`,
      );
  }
  if (issuers.some(({ keys }) => keys.from === 'url' || keys.from === 'discovery' || keys.from === 'file'))
    report.enforced(
      `A key that the issuer withdraws stops working within ${settings.jwksTtlSeconds} s, or ${settings.jwksMaxStaleSeconds} s while the issuer is down.`,
    );
}

function keysText({ keys }: IssuerSettings): string {
  switch (keys.from) {
    case 'url':
      return `by a key of ${keys.url.host}`;
    case 'discovery':
      return `by a key that ${keys.issuer} publishes`;
    case 'file':
      return 'by a key in a file';
    case 'inline':
      return 'by a key in the configuration';
    case 'secret':
      return 'and a shared secret';
  }
}

/**
 * Warns of issuers that strangers share: anybody may get a valid token there, so a row that any authenticated caller may
 * use is open to everybody.
 *
 * @param issuers - every issuer.
 * @param endpoints - the rows of the table.
 * @param rbacEnabled - whether rows demand their scopes at all.
 * @returns one warning for each such issuer.
 * @example
 * strangerWarnings(config.issuers, config.documents.endpoints, true);
 */
export function strangerWarnings(
  issuers: readonly IssuerSettings[],
  endpoints: readonly Endpoint[],
  rbacEnabled: boolean,
): readonly Problem[] {
  return issuers.flatMap((issuer) => {
    const claims = issuer.provider === null ? [] : providers[issuer.provider].strangersUnless;
    if (claims.length === 0 || claims.some((claim) => Object.hasOwn(issuer.required, claim))) return [];
    const open = endpoints.find((row) => opensTo(row, issuer, rbacEnabled));
    if (open === undefined) return [];
    return [
      {
        variable: issuer.setBy.require,
        found: `nothing that keeps strangers out of ${open.method} ${open.pattern}: anybody gets tokens of ${issuer.spellings[0]}`,
        accepted: `a required claim, such as ${claims.slice(0, 4).join(', ')}`,
      },
    ];
  });
}

/** Whether a row lets in any authenticated caller whom this issuer vouches for. */
function opensTo(row: Endpoint, { spellings }: IssuerSettings, rbacEnabled: boolean): boolean {
  if (row.own || (row.auth !== undefined && !row.auth.includes('jwt'))) return false;
  if (row.issuers !== undefined && !row.issuers.some((issuer) => spellings.includes(issuer))) return false;
  return row.claims === undefined && (row.scope === null || !rbacEnabled);
}
