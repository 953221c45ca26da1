import type { CredentialWay } from '../../decision/request.ts';
import type { Operation, Requirement, SchemeKind } from './read.ts';

/** Scopes of a row as a policy document writes them. */
export type WrittenScope = string | null | { readonly any: readonly string[] } | { readonly all: readonly string[] };

/** What a row demands of a caller, and what could not be said. */
export interface Demand {
  readonly scope: WrittenScope;
  readonly auth: readonly CredentialWay[] | null;
  readonly notes: readonly string[];
}

interface Alternative {
  readonly scopes: readonly string[];
  readonly ways: readonly CredentialWay[];
}

/**
 * What a row demands for the security requirements of an operation. A row cannot be weaker than the description: where the
 * alternatives cannot be said exactly, it demands every scope that one of them names, and a note says so.
 *
 * @param operation - the operation.
 * @param schemes - the kinds of the description's security schemes.
 * @returns the demand with its notes.
 */
export function demandOf({ security }: Operation, schemes: ReadonlyMap<string, SchemeKind>): Demand {
  if (security === null)
    return { scope: null, auth: null, notes: ['says nothing about security: any authenticated caller'] };
  if (security.length === 0 || security.some((requirement) => Object.keys(requirement).length === 0))
    return {
      scope: null,
      auth: null,
      notes: ['is open to everybody, which a row cannot say: any authenticated caller'],
    };
  const notes: string[] = [];
  const alternatives = security.flatMap((requirement) => alternativeOf(requirement, schemes, notes));
  if (alternatives.length === 0)
    return {
      scope: null,
      auth: null,
      notes: [`accepts only ${unknownSchemes(security, schemes)}: any authenticated caller`],
    };
  const ways = [...new Set(alternatives.flatMap((alternative) => alternative.ways))];
  const known = new Set(schemes.values());
  const auth = known.has('token') && known.has('certificate') && ways.length === 1 ? ways : null;
  return { scope: scopeOf(alternatives, notes), auth, notes };
}

function alternativeOf(
  requirement: Requirement,
  schemes: ReadonlyMap<string, SchemeKind>,
  notes: string[],
): Alternative[] {
  const names = Object.keys(requirement);
  const used = names.filter((name) => isKnown(schemes.get(name)));
  if (used.length < names.length) {
    notes.push(`accepts ${unknownSchemes([requirement], schemes)}, which no row can demand`);
    if (used.length === 0) return [];
  }
  const ways = [...new Set(used.map((name): CredentialWay => (schemes.get(name) === 'certificate' ? 'mtls' : 'jwt')))];
  if (ways.length > 1) notes.push('demands a token and a certificate together: the token decides');
  return [
    {
      scopes: [...new Set(used.flatMap((name) => requirement[name] ?? []))],
      ways: ways.length > 1 ? ['jwt'] : ways,
    },
  ];
}

function isKnown(kind: SchemeKind | undefined): boolean {
  return kind === 'token' || kind === 'certificate';
}

/** The schemes that the authorizer does not check, each with its kind: `apiKey (API key)`. */
function unknownSchemes(security: readonly Requirement[], schemes: ReadonlyMap<string, SchemeKind>): string {
  const names = [...new Set(security.flatMap((requirement) => Object.keys(requirement)))];
  return names
    .filter((name) => !isKnown(schemes.get(name)))
    .map((name) => {
      const kind = schemes.get(name);
      return kind === undefined || kind === 'unsupported' ? name : `${name} (${kind})`;
    })
    .join(' and ');
}

function scopeOf(all: readonly Alternative[], notes: string[]): WrittenScope {
  const scoped = all.filter(({ scopes }) => scopes.length > 0);
  if (scoped.length === all.length || scoped.length === 0) return scopeOfAlternatives(scoped, notes);
  if (all.some(({ scopes, ways }) => scopes.length === 0 && ways.includes('jwt'))) {
    notes.push('has an alternative without a scope: any authenticated caller');
    return null;
  }
  notes.push('takes certificates without a scope, and tokens with one: certificates need the scope too');
  return scopeOfAlternatives(scoped, notes);
}

function scopeOfAlternatives(alternatives: readonly Alternative[], notes: string[]): WrittenScope {
  if (alternatives.length === 0) return null;
  const all = [...new Set(alternatives.flatMap(({ scopes }) => scopes))];
  const [only] = all;
  if (all.length === 1 && only !== undefined) return only;
  if (alternatives.length === 1) return { all };
  if (alternatives.every(({ scopes }) => scopes.length === 1)) return { any: all };
  notes.push('has alternatives of several scopes each, which a row cannot say: all of them are demanded');
  return { all };
}
