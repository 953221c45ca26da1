/**
 * What a revocation is, and the port behind which revocations are kept. An entry names credentials by one handle and
 * expires with what it revokes.
 */

import { subjectAt } from '../authenticate/jwt/subject.ts';
import type { RevocationHandles } from '../decision/principal.ts';
import type { RevocationKind } from '../decision/reason.ts';

export interface Revocation {
  readonly kind: RevocationKind;
  /** Token id, subject, key id, certificate thumbprint (RFC 8705 `x5t#S256`) or API key id; 1 to 512 characters. */
  readonly id: string;
  /** For a subject: tokens issued before this epoch second, or without `iat`, are refused. Null for every other kind. */
  readonly beforeSeconds: number | null;
  /** When nothing that it revokes can be valid any more, epoch seconds. */
  readonly expiresAtSeconds: number;
  readonly reason: string | null;
  readonly createdAtSeconds: number;
  /** Who revoked: a pseudonym or `cli`, never a raw identity. */
  readonly by: string;
}

export interface RevocationPage {
  /** As kept: where the store is shared, the `id` of a token or a subject is a pseudonym. */
  readonly entries: readonly Revocation[];
  /** Where the next page begins, or null after the last. */
  readonly next: string | null;
}

/** The store did what was asked, or could not be asked. */
export type RevocationOutcome<T> =
  | { readonly done: true; readonly value: T }
  | { readonly done: false; readonly retryAfterSeconds: number };

/** Revoked credentials. Never throws: an outage is an answer. */
export interface Revocations {
  /**
   * Adds an entry and gives it as kept. One that is there already only ever grows: the later expiry and the later cut-off
   * win, so that adding again, in any order, never lets a revoked credential back in.
   */
  add(entry: Revocation): Promise<RevocationOutcome<Revocation>>;
  /** Takes an entry back; tells whether there was one. */
  remove(kind: RevocationKind, id: string): Promise<RevocationOutcome<boolean>>;
  /** The same for an entry of `list`, by the id that stands there: of a shared store that may be a pseudonym. */
  removeListed(kind: RevocationKind, id: string): Promise<RevocationOutcome<boolean>>;
  find(kind: RevocationKind, id: string): Promise<RevocationOutcome<Revocation | null>>;
  /** Entries in force in the order in which they were last changed, from `cursor` (null: the beginning). A cursor
   * that no page gave has nothing after it. */
  list(cursor: string | null): Promise<RevocationOutcome<RevocationPage>>;
}

/** One thing to look up: `field` names the entry in a store. */
export interface RevocationField {
  readonly kind: RevocationKind;
  readonly field: string;
}

/** Names under which a token id or subject is kept: its pseudonym, and those under previous keys while a key rotates. */
export type RevocationPseudonyms = (
  kind: 'jti' | 'sub',
  value: string,
) => readonly string[] | Promise<readonly string[]>;

/** Printable ASCII without space and `%`: what stands in a name as it is. */
const PLAIN = /^[!-$&-~]*$/;

/** The name of an entry. Whatever the id holds, a name has no white space: scripts and answers may separate names by it. */
export function fieldOf(kind: RevocationKind, id: string): string {
  return `${kind}:${PLAIN.test(id) ? id : encodeURIComponent(id.toWellFormed())}`;
}

/** The id in a name that `fieldOf` made. */
export function idIn(field: string): string {
  return decodeURIComponent(field.slice(field.indexOf(':') + 1));
}

/**
 * The entries that could revoke a credential. Without a promise when the pseudonyms are at hand. The order is that of the
 * kinds: token, subject, key id, certificate, API key.
 */
export function fieldsOf(
  handles: RevocationHandles,
  pseudonyms: RevocationPseudonyms,
): RevocationField[] | Promise<RevocationField[]> {
  const tokenIds = handles.tokenId === null ? [] : pseudonyms('jti', handles.tokenId);
  const { subject, issuer, aliases = none } = handles;
  if (aliases.length > 0 && subject !== null) return fieldsOfAliases(handles, [subject, ...aliases], pseudonyms);
  const subjects = subject === null ? [] : pseudonyms('sub', subject);
  const atIssuer = subject === null || issuer === null ? [] : pseudonyms('sub', subjectAt(issuer, subject));
  if (tokenIds instanceof Promise || subjects instanceof Promise || atIssuer instanceof Promise) {
    return Promise.all([tokenIds, subjects, atIssuer]).then(([jti, sub, both]) =>
      listFields(handles, jti, [...sub, ...both]),
    );
  }
  return listFields(handles, tokenIds, atIssuer.length === 0 ? subjects : [...subjects, ...atIssuer]);
}

const none: readonly string[] = [];

/**
 * The same with the token's id at its issuer, by which an event names it: no issuer can then revoke a token of another that
 * happens to have the same id. Only asked for where events count.
 */
export function fieldsWithTokenAtIssuer(
  handles: RevocationHandles,
  pseudonyms: RevocationPseudonyms,
): RevocationField[] | Promise<RevocationField[]> {
  const fields = fieldsOf(handles, pseudonyms);
  const { tokenId, issuer } = handles;
  if (tokenId === null || issuer === null) return fields;
  const names = pseudonyms('jti', subjectAt(issuer, tokenId));
  const joined = (all: RevocationField[], ids: readonly string[]) => [
    ...all,
    ...ids.map((id): RevocationField => ({ kind: 'jti', field: fieldOf('jti', id) })),
  ];
  return fields instanceof Promise || names instanceof Promise
    ? Promise.all([fields, names]).then(([all, ids]) => joined(all, ids))
    : joined(fields, names);
}

/** The same for a subject with several names. */
function fieldsOfAliases(
  handles: RevocationHandles,
  names: readonly string[],
  pseudonyms: RevocationPseudonyms,
): RevocationField[] | Promise<RevocationField[]> {
  const named = names.map((name) => pseudonyms('sub', name));
  const known = named.filter((found): found is readonly string[] => !(found instanceof Promise));
  if (known.length === named.length) return listFields(handles, [], known.flat());
  return Promise.all(named).then((found) => listFields(handles, [], found.flat()));
}

function listFields(
  { keyId, thumbprint, apiKeyId }: RevocationHandles,
  tokenIds: readonly string[],
  subjects: readonly string[],
): RevocationField[] {
  const fields: RevocationField[] = [];
  const add = (kind: RevocationKind, id: string | null) => {
    if (id !== null) fields.push({ kind, field: fieldOf(kind, id) });
  };
  for (const id of tokenIds) add('jti', id);
  for (const id of subjects) add('sub', id);
  add('kid', keyId);
  add('thumbprint', thumbprint);
  add('key_id', apiKeyId);
  return fields;
}

/**
 * Whether an entry revokes what was issued at `issuedAtSeconds` (null: it does not say, and counts as issued before any
 * cut-off). A token issued in the very second of the cut-off passes: "before" is strict, NumericDate has whole seconds.
 */
export function revokes(
  entry: Pick<Revocation, 'beforeSeconds' | 'expiresAtSeconds'>,
  issuedAtSeconds: number | null,
  nowMs: number,
): boolean {
  return (
    entry.expiresAtSeconds * 1000 > nowMs &&
    (entry.beforeSeconds === null || issuedAtSeconds === null || issuedAtSeconds < entry.beforeSeconds)
  );
}
