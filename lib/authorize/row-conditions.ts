import { compileClaimPath } from '../codec/claim-path.ts';
import { type ClaimTest, compileClaimTest, scalarText } from '../codec/claim-values.ts';
import type { ClaimDemand, Endpoint } from '../decision/request.ts';
import type { RowCondition } from './condition.ts';
import { type StepUpTime, stepUpCondition } from './step-up.ts';

/**
 * Compiles what a row demands besides its scope: issuers, claims, and an authentication. All must hold. A caller without a token meets
 * neither: there is no issuer and there are no claims to look at.
 *
 * @param endpoint - the row.
 * @param time - against which authentications are old; null: none is recent enough.
 * @returns the conditions; empty where the row has none.
 */
export function compileConditions(endpoint: Endpoint, time: StepUpTime | null): readonly RowCondition[] {
  const conditions: RowCondition[] = [];
  if (endpoint.issuers !== undefined) conditions.push(issuerCondition(endpoint.issuers));
  for (const demand of endpoint.claims ?? []) conditions.push(claimCondition(demand, endpoint.pattern));
  const authentication = stepUpCondition(endpoint, time);
  return authentication === null ? conditions : [...conditions, authentication];
}

/** Whether what a row demands depends on the path of the request, beyond matching it. */
export function dependsOnPath({ claims = [] }: Endpoint): boolean {
  return claims.some(({ values }) => values.some((value) => parameterOf(value) !== null));
}

function issuerCondition(issuers: readonly string[]): RowCondition {
  const allowed = new Set(issuers);
  const wanted = issuers.join(' or ');
  return ({ issuer }) =>
    issuer !== null && allowed.has(issuer)
      ? null
      : { reason: { reason: 'issuer_not_allowed' }, found: issuer, wanted, member: 'issuers' };
}

function claimCondition({ path: at, values }: ClaimDemand, pattern: string): RowCondition {
  const claim = compileClaimPath(at);
  const fixed = values.filter((value) => parameterOf(value) === null);
  const parameters = values.flatMap((value) => {
    const name = parameterOf(value);
    return name === null ? [] : [{ name, read: compileParameter(pattern, name) }];
  });
  const test: ClaimTest | null = fixed.length > 0 ? compileClaimTest(fixed) : null;
  const wanted = (path: string | null) =>
    [
      ...fixed.map(String),
      ...parameters.map(({ name, read }) => (path === null ? `{${name}}` : `${read(path)} ({${name}})`)),
    ].join(' or ');
  const unmet = { reason: { reason: 'claim_mismatch', claim: at }, member: 'claims' } as const;
  return ({ claims }, path) => {
    const value = claims === null ? undefined : claim.read(claims);
    if (test?.holds(value)) return null;
    if (path !== null && parameters.some(({ read }) => contains(value, read(path)))) return null;
    return { ...unmet, wanted: wanted(path), found: value === undefined ? null : (JSON.stringify(value) ?? null) };
  };
}

function parameterOf(value: string | number | boolean): string | null {
  return typeof value === 'string' ? (/^\{(.+)\}$/.exec(value)?.[1] ?? null) : null;
}

/** Whether a claim is this text, or an array that contains it. Numbers compare in their shortest decimal form. */
function contains(value: unknown, text: string | null): boolean {
  if (text === null) return false;
  return Array.isArray(value) ? value.some((entry) => scalarText(entry) === text) : scalarText(value) === text;
}

/** Reads one path parameter, percent-decoded: the path is canonical, and no encoded `/` gets as far as this. */
function compileParameter(pattern: string, name: string): (path: string) => string | null {
  const segments = pattern.split('/');
  const place = segments.findIndex((segment) => segment === `{${name}}` || segment === `{${name}...}`);
  const isRest = segments[place]?.endsWith('...}') ?? false;
  return (path) => {
    const parts = path.split('/');
    const raw = isRest ? parts.slice(place).join('/') : parts[place];
    if (place === -1 || raw === undefined) return null;
    try {
      return decodeURIComponent(raw);
    } catch {
      return null;
    }
  };
}
