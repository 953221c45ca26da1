import type { ClientCertificate } from '../../decision/principal.ts';
import { isSubject } from '../jwt/subject.ts';
import { canonicalName, commonName } from './distinguished-name.ts';

/** What a client certificate calls its holder. */
export interface CertificateNames {
  /** The name that goes upstream. */
  readonly name: string;
  /** What tells this holder from every other: the name, its kind and the whole subject. */
  readonly identity: string;
  /** Texts by which an operator may revoke the holder, besides the thumbprint. */
  readonly revocable: readonly string[];
}

type Kind = 'URI' | 'DNS' | 'email' | 'CN' | 'DN';

/** Keeps identities of certificates apart from subjects of tokens, which hold no control characters. */
const MARK = 'certificate\n';
/** A common name that looks like the name of another kind, which anybody may have asked an authority for. */
const LOOKS_LIKE_ANOTHER_KIND = /[:@]/;

/**
 * The names of a certificate's holder. The first that can name a caller counts: its one `URI:` alternative name (a SPIFFE ID
 * is one; several are no name, SPIFFE X.509-SVID §2), its first `DNS:` and then `email:` alternative name, its one common
 * name, its whole distinguished name. Names of different kinds, and equal names of different subjects, are different
 * identities. Null when nothing can name a caller. Who issued the certificate is not part of it: the hop that verified the
 * chain has decided which authorities count.
 */
export function certificateNames({ subject, subjectAltNames }: ClientCertificate): CertificateNames | null {
  const alternative = (type: string) =>
    subjectAltNames.filter((name) => name.startsWith(type)).map((name) => name.slice(type.length));
  const uris = alternative('URI:');
  const candidates: readonly (readonly [Kind, string | null | undefined])[] = [
    ['URI', uris.length === 1 ? uris[0] : null],
    ['DNS', alternative('DNS:')[0]],
    ['email', alternative('email:')[0]],
    ['CN', commonName(subject)],
    ['DN', subject],
  ];
  for (const [kind, name] of candidates) if (isSubject(name)) return namesOf(kind, name, subject);
  return null;
}

function namesOf(kind: Kind, name: string, subject: string): CertificateNames {
  const canonical = canonicalName(subject);
  const isInSubject = kind === 'CN' || kind === 'DN';
  const identity = `${MARK}${isInSubject ? canonical : `${kind}:${name} ${canonical}`}`;
  const bare = kind === 'CN' && LOOKS_LIKE_ANOTHER_KIND.test(name) ? [] : [name];
  const texts = isInSubject ? [...bare, subject, canonical] : [...bare, `${kind}:${name}`, subject, canonical];
  return { name, identity, revocable: [...new Set(texts)].filter((text) => text !== '') };
}

const ALTERNATIVE = /^((?:URI|DNS|email):[^ ]+) (.*)$/s;

/** The identity of a certificate as a person writes it: `CN=alice,O=Example`, or `URI:spiffe://a/b CN=alice,O=Example`. */
export function certificateIdentity(text: string): string {
  const [, name, subject] = ALTERNATIVE.exec(text) ?? [];
  return (
    MARK + (name === undefined || subject === undefined ? canonicalName(text) : `${name} ${canonicalName(subject)}`)
  );
}

/** What a person may write to find an identity again. */
export function writtenIdentity(identity: string): string {
  return identity.startsWith(MARK) ? identity.slice(MARK.length) : identity;
}
