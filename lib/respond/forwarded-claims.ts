import * as z from 'zod/mini';
import { claimPathFault, compileClaimPath } from '../codec/claim-path.ts';
import { scalarText } from '../codec/claim-values.ts';
import type { Principal } from '../decision/principal.ts';
import { fieldValue } from './field-value.ts';

/** A claim that goes upstream, and the field that carries it. */
export interface ForwardedClaim {
  /** A claim path (`compileClaimPath`). */
  readonly path: string;
  /** Field name in lower case; begins with `x-auth-request-`. */
  readonly field: string;
}

/** What the claims of one caller come to. */
export interface ClaimsUpstream {
  /** Every configured field, empty where the claim is absent: a proxy may keep a caller's field where we send none. */
  readonly fields: readonly (readonly [string, string])[];
  /** The claims that are present, by their configured path, for the assertion. */
  readonly claims: Readonly<Record<string, unknown>>;
}

const prefix = 'x-auth-request-';
/** Fields that carry something else already. */
const ours: ReadonlySet<string> = new Set(['user', 'scopes', 'method', 'issuer'].map((name) => prefix + name));
const most = 32;
const longestValue = 2048;

/** The document of `TGEFD_FORWARD_CLAIMS`: claim path → field name. */
export const forwardClaimsShape = z.record(
  z.string().check(z.refine((path: string) => claimPathFault(path) === null)),
  z.string().check(z.regex(/^[Xx]-[Aa][Uu][Tt][Hh]-[Rr][Ee][Qq][Uu][Ee][Ss][Tt]-[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*$/)),
);

/**
 * Reads the document of `TGEFD_FORWARD_CLAIMS`. `taken` are the further field names that carry the caller's identity.
 *
 * @returns the claims, or one problem for each fault.
 */
export function parseForwardClaims(
  document: unknown,
  taken: readonly string[],
): { readonly claims: readonly ForwardedClaim[]; readonly problems: readonly string[] } {
  const parsed = forwardClaimsShape.safeParse(document);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path: [member] }) =>
      member === undefined
        ? 'something else than an object'
        : `a fault in member ${JSON.stringify(String(member).slice(0, 80))}`,
    );
    return { claims: [], problems: [...new Set(faults)] };
  }
  const claims = Object.entries(parsed.data).map(([path, field]) => ({ path, field: field.toLowerCase() }));
  const problems: string[] = [];
  if (claims.length > most) problems.push(`${claims.length} claims; at most ${most} are forwarded`);
  const seen = new Set<string>();
  for (const { field } of claims) {
    if (ours.has(field) || taken.includes(field)) problems.push(`\`${field}\`, which carries the identity`);
    // Hyphens do not count: API Gateway names the same values without them.
    if (seen.has(field.replaceAll('-', ''))) problems.push(`\`${field}\` for two claims`);
    seen.add(field.replaceAll('-', ''));
  }
  return problems.length > 0 ? { claims: [], problems } : { claims, problems };
}

/**
 * Compiles the claims that go upstream. Texts, numbers and booleans stand as they are; of an array the entries stand
 * separated by commas, a comma inside an entry percent-encoded. Anything else, and what is longer than 2048 characters,
 * leaves its field empty. A principal without claims has every field empty. One principal is worked out once.
 *
 * @param claims - what goes upstream; none gives null, so that nothing is worked out.
 */
export function compileForwardedClaims(
  claims: readonly ForwardedClaim[],
): ((principal: Principal | null) => ClaimsUpstream) | null {
  if (claims.length === 0) return null;
  const compiled = claims.map(({ path, field }) => ({ claim: compileClaimPath(path), field }));
  const none: ClaimsUpstream = { fields: compiled.map(({ field }) => [field, '']), claims: {} };
  const known = new WeakMap<Principal, ClaimsUpstream>();
  return (principal) => {
    const held = principal?.claims ?? null;
    if (principal === null || held === null) return none;
    const before = known.get(principal);
    if (before !== undefined) return before;
    const found = compiled.map(({ claim, field }) => ({ path: claim.text, field, value: claim.read(held) }));
    const upstream: ClaimsUpstream = {
      fields: found.map(({ field, value }) => [field, textOf(value)]),
      claims: Object.fromEntries(found.flatMap(({ path, value }) => (value === undefined ? [] : [[path, value]]))),
    };
    known.set(principal, upstream);
    return upstream;
  };
}

function textOf(value: unknown): string {
  const text = Array.isArray(value) ? listText(value) : (scalarText(value) ?? '');
  const field = Array.isArray(value) ? text : fieldValue(text);
  return field.length > longestValue ? '' : field;
}

function listText(entries: readonly unknown[]): string {
  const texts = entries.map(scalarText);
  return texts.includes(null) ? '' : texts.map((text) => fieldValue(text ?? '').replaceAll(',', '%2C')).join(',');
}
