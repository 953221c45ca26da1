import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type CertificateReaderSettings,
  createCertificateReader,
} from '../../../../lib/authenticate/certificate/client-certificate.ts';
import type { VerifyChain } from '../../../../lib/authenticate/certificate/sources/traefik-certificate.ts';
import { rawFields } from '../../../../lib/request/raw-fields.ts';
import { clientA, clientB } from '../certificate-fixtures.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
type Fields = readonly (readonly [string, string])[];

async function read(settings: Partial<CertificateReaderSettings>, fields: Fields, verifyChain?: VerifyChain) {
  const reader = createCertificateReader(
    { headers: [], subjectHeader: 'x-ssl-client-subject', scopesHeader: null, roleHeader: null, ...settings },
    { clock: () => now, verifyChain: verifyChain ?? null },
  );
  const reading = await reader({ trustedHop: true, believed: rawFields(fields.flat()) }, { certificate: null });
  return reading.found === 'certificate'
    ? reading.certificate.subject
    : reading.found === 'refused'
      ? reading.reason.reason
      : 'none';
}

const subjectA = String.raw`CN=client-a,O=Acme\, Inc.`;
const own = new X509Certificate(clientA.pem);
const issuer = own.issuer.split('\n').reverse().join(',');
const leaf = encodeURIComponent(clientA.pem).replaceAll('%2B', '+').replaceAll('%3D', '=').replaceAll('%2F', '/');

describe('an AWS load balancer in verify mode', () => {
  const all: Record<string, string> = {
    'X-Amzn-Mtls-Clientcert-Leaf': leaf,
    'X-Amzn-Mtls-Clientcert-Subject': subjectA,
    'X-Amzn-Mtls-Clientcert-Issuer': issuer,
    'X-Amzn-Mtls-Clientcert-Serial-Number': own.serialNumber,
    'X-Amzn-Mtls-Clientcert-Validity': 'NotBefore=2026-01-01T00:00:00Z;NotAfter=2099-12-31T23:59:59Z',
  };
  const alb = { headers: ['alb'] } as const;
  const asked = (changes: Record<string, string | undefined>) =>
    read(
      alb,
      Object.entries({ ...all, ...changes }).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ) as Fields,
    );

  it('names the certificate', async () => {
    expect(await asked({})).toBe(subjectA);
    expect(await asked({ 'X-Amzn-Mtls-Clientcert-Serial-Number': `00${own.serialNumber.toLowerCase()}` })).toBe(
      subjectA,
    );
    expect(await read(alb, [['x-amzn-mtls-clientcert-leaf', leaf]])).toBe(subjectA);
  });

  it.each([
    ['subject', 'X-Amzn-Mtls-Clientcert-Subject', 'CN=admin'],
    ['issuer', 'X-Amzn-Mtls-Clientcert-Issuer', 'CN=Another CA'],
    ['serial number', 'X-Amzn-Mtls-Clientcert-Serial-Number', '01'],
    ['validity', 'X-Amzn-Mtls-Clientcert-Validity', 'NotBefore=2026-01-01T00:00:00Z;NotAfter=2100-01-01T00:00:00Z'],
    ['certificate', 'X-Amzn-Mtls-Clientcert-Leaf', encodeURIComponent(clientB.pem)],
    ['second certificate', 'X-Amzn-Mtls-Clientcert-Leaf', `${leaf}, ${leaf}`],
  ])('refuses a contradicting %s', async (_, field, value) => {
    expect(await asked({ [field]: value })).toBe('forwarded_invalid');
  });

  it.each([
    ['a certificate', 'X-Amzn-Mtls-Clientcert-Leaf', 'AAAA'],
    ['a validity', 'X-Amzn-Mtls-Clientcert-Validity', 'yesterday'],
  ])('refuses %s that cannot be read', async (_, field, value) => {
    expect(await asked({ [field]: value })).toBe('certificate_malformed');
  });

  it('takes the subject without the certificate, and its dates', async () => {
    expect(await asked({ 'X-Amzn-Mtls-Clientcert-Leaf': undefined })).toBe(subjectA);
    const past = 'NotBefore=2024-01-01T00:00:00Z;NotAfter=2025-01-01T00:00:00Z';
    const changes = { 'X-Amzn-Mtls-Clientcert-Leaf': undefined, 'X-Amzn-Mtls-Clientcert-Validity': past };
    expect(await asked(changes)).toBe('certificate_expired');
  });

  it('never believes the field of passthrough mode, and counts only where it is listed', async () => {
    expect(await read(alb, [['x-amzn-mtls-clientcert', encodeURIComponent(clientA.pem)]])).toBe('none');
    expect(await read({ headers: ['client_cert', 'subject'] }, Object.entries(all))).toBe('none');
  });
});

describe('Traefik', () => {
  const base64 = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');
  const field = 'x-forwarded-tls-client-cert';
  const traefik = { headers: ['traefik'] } as const;
  const lengths: number[] = [];
  const trusting: VerifyChain = (chain) => lengths.push(chain.length) > 0;

  it.each([
    ['as the current version writes it', base64(clientA.pem), 1],
    ['percent-encoded, as older versions do', encodeURIComponent(base64(clientA.pem)), 1],
    ['with its chain', `${base64(clientA.pem)},${base64(clientB.pem)}`, 2],
    ['as a whole PEM', encodeURIComponent(clientA.pem), 1],
  ])('names the certificate that verifies, %s', async (_, value, length) => {
    expect(await read(traefik, [[field, value]], trusting)).toBe(subjectA);
    expect(lengths.at(-1)).toBe(length);
  });

  it('refuses a certificate that does not verify, and every one where nothing can verify it', async () => {
    expect(await read(traefik, [[field, base64(clientA.pem)]], () => false)).toBe('certificate_unverified');
    expect(await read(traefik, [[field, base64(clientA.pem)]])).toBe('certificate_unverified');
  });

  it.each([
    ['no certificate', 'AAAA', 'certificate_malformed'],
    ['no base64', 'a b', 'certificate_malformed'],
    ['a broken encoding', '%E0%A4%A', 'certificate_malformed'],
    ['too many certificates', Array.from({ length: 11 }, () => 'AAAA').join(','), 'certificate_malformed'],
  ])('refuses %s', async (_, value, reason) => {
    expect(await read(traefik, [[field, value]], trusting)).toBe(reason);
  });

  it('refuses a field sent twice', async () => {
    const twice = [
      [field, base64(clientA.pem)],
      [field, base64(clientB.pem)],
    ] as const;
    expect(await read(traefik, twice, trusting)).toBe('forwarded_invalid');
  });
});

describe('Envoy behind Envoy', () => {
  const field = 'x-forwarded-client-cert';
  const elements = 'Subject="CN=forged",Subject="CN=caller",Subject="CN=edge"';
  it.each([
    [1, elements, 'CN=edge'],
    [2, elements, 'CN=caller'],
    [3, elements, 'CN=forged'],
    [4, elements, 'certificate_malformed'],
    [2, 'Subject="CN=caller"', 'certificate_malformed'],
  ])('with %i hops of %s: %s', async (forwardedHops, value, answer) => {
    expect(await read({ headers: ['xfcc'], forwardedHops }, [[field, value]])).toBe(answer);
  });
});

describe('a subject with spaces', () => {
  const subject = { headers: ['subject'] } as const;
  it('is one name where repetitions can be counted, and two fields where they cannot', async () => {
    const spaced = 'CN = alice, O = Example';
    expect(await read(subject, [['x-ssl-client-subject', spaced]])).toBe(spaced);
    const twice = [
      ['x-ssl-client-subject', 'OU=Admins'],
      ['X-SSL-Client-Subject', 'CN=alice'],
    ] as const;
    expect(await read(subject, twice)).toBe('forwarded_invalid');
    const reader = createCertificateReader(
      { headers: ['subject'], subjectHeader: 'x-ssl-client-subject', scopesHeader: null, roleHeader: null },
      { clock: () => now },
    );
    const believed = new Headers({ 'x-ssl-client-subject': spaced });
    expect(reader({ trustedHop: true, believed }, { certificate: null })).toMatchObject({ found: 'refused' });
  });
});
