import type { DeclaredIssuer } from '../../config/issuers/issuer.ts';
import { quoted } from '../line/text.ts';

/** Lines for a shell or an environment file, with which tokens of this issuer are accepted. */
export function variableLines(row: DeclaredIssuer): readonly string[] {
  return ['TGEFD_AUTH_MODE=jwt', ...fieldOf(row), ...ofIssuer(row)];
}

/** Where the token comes, if its provider does not send it in `Authorization`. */
function fieldOf({ provider }: DeclaredIssuer): readonly string[] {
  return provider === 'cloudflare-access'
    ? ['TGEFD_JWT_HEADER=cf-access-jwt-assertion', 'TGEFD_JWT_BEARER_PREFIX=']
    : [];
}

/** One line. Its value comes from a token that anybody may have written, and is pasted into a shell. */
function line(name: string, value: string): string {
  return `${name}=${/^[\w.,:/@%+-]*$/.test(value) ? value : quoted(value)}`;
}

/** A row as people write it: a list of one is its entry. */
export function simplified(row: object): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, Array.isArray(value) && value.length === 1 ? value[0] : value]),
  );
}

function ofIssuer(row: DeclaredIssuer): readonly string[] {
  const list = (name: string, values: readonly string[] | undefined) => (values ? [line(name, values.join(','))] : []);
  const json = (name: string, value: unknown) => (value === undefined ? [] : [line(name, JSON.stringify(value))]);
  const [firstRole, secondRole, ...moreRoles] = row.roles ?? [];
  const tooMany = (row.scopes?.length ?? 0) > 1 || moreRoles.length > 0;
  if (tooMany) return ['(several scope or role claims stand in a row of TGEFD_ISSUERS only)'];
  return [
    ...(row.provider === undefined ? [] : [line('TGEFD_PROVIDER', row.provider)]),
    ...list('TGEFD_JWT_ISSUER', row.issuer),
    ...list('TGEFD_JWT_AUDIENCE', row.audience),
    ...(row.audience_claim === undefined ? [] : [line('TGEFD_JWT_AUDIENCE_CLAIM', row.audience_claim)]),
    ...list('TGEFD_JWT_ALLOWED_ALGS', row.algorithms),
    ...list('TGEFD_JWT_TYP', row.types),
    ...(row.max_ttl_sec === undefined ? [] : [line('TGEFD_JWT_MAX_TTL_SEC', String(row.max_ttl_sec))]),
    ...list('TGEFD_JWT_SUB_CLAIM', row.subject),
    ...list('TGEFD_JWT_SCOPES_CLAIM', row.scopes),
    ...(firstRole === undefined ? [] : [line('TGEFD_ROLES_CLAIM', firstRole)]),
    ...(secondRole === undefined ? [] : [line('TGEFD_ROLE_CLAIM', secondRole)]),
    ...(row.grants === undefined ? [] : [line('TGEFD_JWT_GRANTS', row.grants)]),
    ...json('TGEFD_ROLE_SCOPES', row.role_scopes),
    ...json('TGEFD_JWT_REQUIRED_CLAIMS', row.require),
  ];
}
