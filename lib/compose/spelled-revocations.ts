import { partsOfSubject, subjectAt } from '../authenticate/jwt/subject.ts';
import type { RevocationKind } from '../decision/reason.ts';
import type { Revocations } from '../revoke/revocation.ts';

/**
 * Revocations that take the issuer of a subject in any of its spellings. A principal carries the first, so an entry under
 * another would be kept and would revoke nothing.
 */
export function spelledRevocations(kept: Revocations, first: ReadonlyMap<string, string>): Revocations {
  const spelled = (kind: RevocationKind, id: string): string => {
    if (kind !== 'sub') return id;
    const { issuer, subject } = partsOfSubject(id);
    return issuer === null ? id : subjectAt(first.get(issuer) ?? issuer, subject);
  };
  return {
    ...kept,
    add: (entry) => kept.add({ ...entry, id: spelled(entry.kind, entry.id) }),
    remove: (kind, id) => kept.remove(kind, spelled(kind, id)),
    find: (kind, id) => kept.find(kind, spelled(kind, id)),
  };
}
