import type { ClientCertificate } from '../../decision/principal.ts';
import { isSubject } from '../jwt/subject.ts';
import { commonName } from './distinguished-name.ts';

/**
 * The identity that a client certificate names, in this order: its one `URI:` alternative name (a SPIFFE ID is one; several
 * are no name, SPIFFE X.509-SVID §2), its one common name, its first `DNS:` and then `email:` alternative name, its
 * whole distinguished name. Null when none of them can name a caller. Who issued the certificate is not part of it:
 * the hop that verified the chain has decided which authorities count.
 */
export function certificateSubject({ subject, subjectAltNames }: ClientCertificate): string | null {
  const alternative = (type: string) =>
    subjectAltNames.filter((name) => name.startsWith(type)).map((name) => name.slice(type.length));
  const uris = alternative('URI:');
  const candidates = [
    uris.length === 1 ? uris[0] : null,
    commonName(subject),
    alternative('DNS:')[0],
    alternative('email:')[0],
    subject,
  ];
  return candidates.find(isSubject) ?? null;
}
