import type { RequestContext } from '../../decision/ports.ts';
import type { Authentication, ClientCertificate, Grant } from '../../decision/principal.ts';
import { type Authenticator, authenticated, type GrantRules, refused } from '../authenticator.ts';
import { isSubject } from '../jwt/subject.ts';
import { type CertificatePolicy, rulesFor } from './certificate-policy.ts';
import { certificateNames, writtenIdentity } from './certificate-subject.ts';
import type { CertificateReader, CertificateReading } from './client-certificate.ts';

export interface CertificateAuthenticatorSettings {
  /** What certificates may do where no believed header says so; null: they are known and granted nothing. */
  readonly policy: CertificatePolicy | null;
  /** What goes upstream: the name (`TGEFD_MTLS_IDENTITY`), or the distinguished name where there is one. */
  readonly upstreamName?: 'name' | 'dn';
}

export interface CertificateAuthenticatorParts {
  readonly readCertificate: CertificateReader;
  readonly grants: Pick<GrantRules, 'ofLists'>;
}

/**
 * Authenticates by client certificate. Scopes come from the believed scopes header, else from the
 * believed role header, else from the policy; with a policy, a certificate that none of its rules matches is refused.
 * The chain was verified by the hop or by the platform; validity and contradictions by the reader.
 */
export function createCertificateAuthenticator(
  settings: CertificateAuthenticatorSettings,
  { readCertificate, grants }: CertificateAuthenticatorParts,
): Authenticator {
  const fromPolicy = (certificate: ClientCertificate): Grant | null => {
    if (settings.policy === null) return { scopes: [], roles: [] };
    const granted = rulesFor(settings.policy, certificate).map(({ scopes, roles }) => grants.ofLists(scopes, roles));
    if (granted.length === 0) return null;
    return {
      scopes: [...new Set(granted.flatMap(({ scopes }) => scopes))],
      roles: [...new Set(granted.flatMap(({ roles }) => roles))],
    };
  };

  const settle = (reading: CertificateReading, { explain }: RequestContext): Authentication => {
    if (reading.found === 'none') return refused(explain, 'credential', { reason: 'credentials_missing' });
    if (reading.found === 'refused') return refused(explain, 'credential', reading.reason);
    const { certificate, scopes, roles } = reading;
    explain?.('credential', 'one certificate', { thumbprint: certificate.thumbprint });
    const names = certificateNames(certificate);
    if (names === null) return refused(explain, 'subject', { reason: 'certificate_unnamed' });
    const subject = settings.upstreamName === 'dn' && isSubject(certificate.subject) ? certificate.subject : names.name;
    explain?.('subject', 'named', { subject, identity: writtenIdentity(names.identity) });
    const grant = scopes === null && roles === null ? fromPolicy(certificate) : grants.ofLists(scopes, roles);
    if (!grant)
      return refused(explain, 'grant', { reason: 'certificate_unmapped' }, () => writtenIdentity(names.identity));
    explain?.('grant', 'read', { scopes: grant.scopes.join(' '), roles: grant.roles.join(' ') });
    return authenticated({
      method: 'mtls',
      subject,
      identity: names.identity,
      revocable: names.revocable,
      issuer: null,
      claims: null,
      scopes: grant.scopes,
      roles: grant.roles,
      keyId: certificate.thumbprint,
      tokenId: null,
      issuedAtSeconds: null,
      expiresAtSeconds: certificate.notAfterSeconds,
      thumbprint: certificate.thumbprint,
    });
  };

  return (request, boundary, context) => {
    const reading = readCertificate(boundary, request.hop);
    return reading instanceof Promise ? reading.then((later) => settle(later, context)) : settle(reading, context);
  };
}
