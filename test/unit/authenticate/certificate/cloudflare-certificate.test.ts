import { describe, expect, it } from 'vitest';
import { cloudflareCertificate } from '../../../../lib/authenticate/certificate/cloudflare-certificate.ts';
import { clientA } from '../certificate-fixtures.ts';

const encoded = `:${clientA.pem.replace(/-----[^-]+-----|\s/g, '')}:`;
const presented = {
  certPresented: '1',
  certVerified: 'SUCCESS',
  certRevoked: '0',
  certSubjectDN: 'O=Acme\\, Inc., CN=client-a',
  certSubjectDNRFC2253: 'CN=client-a,O=Acme\\, Inc.',
  certFingerprintSHA256: Buffer.from(clientA.thumbprint, 'base64url').toString('hex'),
  certNotBefore: 'Jan  1 00:00:00 2026 GMT',
  certNotAfter: 'Dec 31 23:59:59 2099 GMT',
  certRFC9440: encoded,
  certRFC9440TooLarge: false,
};
const certificate = {
  subject: 'CN=client-a,O=Acme\\, Inc.',
  subjectAltNames: ['URI:spiffe://acme.example/client-a', 'DNS:client-a.acme.example', 'email:a@acme.example'],
  thumbprint: clientA.thumbprint,
  notBeforeSeconds: Date.parse('2026-01-01T00:00:00Z') / 1000,
  notAfterSeconds: Date.parse('2099-12-31T23:59:59Z') / 1000,
};
function refusal(reason: string) {
  return { certificate: null, refusal: { reason } };
}
const none = { certificate: null, refusal: null };

describe('cf.tlsClientAuth', () => {
  it('gives a verified certificate with everything in it', () => {
    expect(cloudflareCertificate(presented)).toMatchObject({ certificate, refusal: null });
  });

  it('gives what Cloudflare read itself where the certificate was too large to pass on', () => {
    const issuer = 'CN=Acme CA';
    const large = { certRFC9440: '', certRFC9440TooLarge: true, certIssuerDNRFC2253: issuer };
    const answer = cloudflareCertificate({ ...presented, ...large });
    expect(answer).toEqual({ certificate: { ...certificate, issuer, subjectAltNames: [] }, refusal: null });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'SUCCESS'],
    ['the placeholder', { certPresented: '0', certVerified: 'NONE', certRevoked: '0', certSubjectDNRFC2253: '' }],
    ['a certificate that was not presented', { ...presented, certPresented: '0' }],
    ['a number where a string belongs', { ...presented, certPresented: 1 }],
    ['inherited fields', Object.create(presented)],
  ])('finds none in %s', (_, tlsClientAuth) => {
    expect(cloudflareCertificate(tlsClientAuth)).toEqual(none);
  });

  it.each([
    ['failed', { certVerified: 'FAILED:self signed certificate' }, 'certificate_unverified'],
    ['failed without a reason', { certVerified: 'FAILED' }, 'certificate_unverified'],
    ['expired', { certVerified: 'FAILED:certificate has expired' }, 'certificate_expired'],
    ['not verified', { certVerified: 'NONE' }, 'certificate_unverified'],
    ['verified in other words', { certVerified: 'success' }, 'certificate_unverified'],
    ['without a word of verification', { certVerified: undefined }, 'certificate_unverified'],
    ['revoked', { certRevoked: '1' }, 'certificate_unverified'],
    ['without a word of revocation', { certRevoked: undefined }, 'certificate_unverified'],
    ['not revoked, as a boolean', { certRevoked: false }, 'certificate_unverified'],
    ['unreadable', { certRFC9440: ':AAAA:' }, 'certificate_malformed'],
  ])('refuses a certificate that is %s, although every other field is filled in', (_, change, reason) => {
    expect(cloudflareCertificate({ ...presented, ...change })).toEqual(refusal(reason));
  });

  it('leaves out a fingerprint and dates that it cannot read', () => {
    const odd = {
      ...presented,
      certRFC9440: '',
      certFingerprintSHA256: 'ab',
      certNotBefore: '2026-01-01',
      certNotAfter: '',
    };
    expect(cloudflareCertificate(odd).certificate).toEqual({
      ...certificate,
      issuer: '',
      subjectAltNames: [],
      thumbprint: null,
      notBeforeSeconds: null,
      notAfterSeconds: null,
    });
  });
});
