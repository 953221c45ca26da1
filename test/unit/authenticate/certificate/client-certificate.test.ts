import { describe, expect, it } from 'vitest';
import {
  type CertificateReaderSettings,
  certificateHeaders,
  createCertificateReader,
} from '../../../../lib/authenticate/certificate/client-certificate.ts';
import type { ClientCertificate } from '../../../../lib/decision/principal.ts';
import type { CredentialReason } from '../../../../lib/decision/reason.ts';
import type { HeaderFields } from '../../../../lib/decision/request.ts';
import { clientA, clientB, expired } from '../certificate-fixtures.ts';

const now = Date.parse('2026-06-01T00:00:00Z');

function reader(settings: Partial<CertificateReaderSettings> = {}, nowMs = now) {
  return createCertificateReader(
    {
      headers: certificateHeaders,
      subjectHeader: 'x-ssl-client-subject',
      scopesHeader: 'x-client-scopes',
      roleHeader: 'x-client-role',
      ...settings,
    },
    { clock: () => nowMs },
  );
}

type Fields = Record<string, string> | [string, string][];

function behindAProxy(fields: Fields, read = reader(), own: ClientCertificate | null = null) {
  return read({ trustedHop: true, believed: new Headers(fields) }, { certificate: own });
}

const direct = (
  certificate: ClientCertificate | null,
  fields: Fields = {},
  refusal?: CredentialReason,
  read = reader(),
) =>
  // What a stranger's fields are worth is the boundary's to say: nothing. The reader must not look at them even so.
  read(
    { trustedHop: false, believed: new Headers(fields) },
    { certificate, ...(refusal ? { certificateRefusal: refusal } : {}) },
  );

function bytes(pem: string) {
  return pem.replace(/-----[^-]+-----|\s/g, '');
}
function rfc9440(pem: string) {
  return `:${bytes(pem)}:`;
}
function encoded(pem: string) {
  return encodeURIComponent(pem);
}
function hex(thumbprint: string) {
  return Buffer.from(thumbprint, 'base64url').toString('hex');
}

const subjectA = String.raw`CN=client-a,O=Acme\, Inc.`;
const subjectB = String.raw`CN=client-b,O=Acme\, Inc.`;
const wholeA = {
  subject: subjectA,
  subjectAltNames: ['URI:spiffe://acme.example/client-a', 'DNS:client-a.acme.example', 'email:a@acme.example'],
  thumbprint: clientA.thumbprint,
  notBeforeSeconds: Date.parse('2026-01-01T00:00:00Z') / 1000,
  notAfterSeconds: Date.parse('2099-12-31T23:59:59Z') / 1000,
};
function onlySubject(subject: string) {
  return {
    subject,
    subjectAltNames: [],
    thumbprint: null,
    notBeforeSeconds: null,
    notAfterSeconds: null,
  };
}

/** What else a whole certificate says (issuer, serial number) is left to the tests of its reading. */
function found(certificate: object) {
  return expect.objectContaining({ found: 'certificate', certificate: expect.objectContaining(certificate) });
}
function refused(reason: string, field?: string) {
  return {
    found: 'refused',
    reason: field === undefined ? { reason } : { reason, field },
  };
}

describe('who may name the certificate', () => {
  it('the platform, for a caller who speaks to us directly', () => {
    expect(direct(wholeA)).toEqual({ found: 'certificate', certificate: wholeA, scopes: null, roles: null });
    expect(direct(null)).toEqual({ found: 'none' });
  });

  it('the platform may also say why a certificate does not count', () => {
    expect(direct(null, {}, { reason: 'certificate_unverified' })).toEqual(refused('certificate_unverified'));
  });

  it('no header of a stranger, neither certificate nor scopes nor roles', () => {
    const forged = {
      'x-ssl-client-subject': 'CN=admin',
      'client-cert': rfc9440(clientB.pem),
      'x-client-scopes': '*',
      'x-client-role': 'admin',
    };
    expect(direct(null, forged)).toEqual({ found: 'none' });
    expect(direct(wholeA, forged)).toEqual({ found: 'certificate', certificate: wholeA, scopes: null, roles: null });
  });

  it('a trusted proxy never lends its own certificate to the callers behind it', () => {
    expect(behindAProxy({}, reader(), wholeA)).toEqual({ found: 'none' });
    expect(behindAProxy({ 'x-ssl-client-subject': 'CN=caller' }, reader(), wholeA)).toEqual(
      found(onlySubject('CN=caller')),
    );
  });

  it('behind a proxy the believed scopes and roles come along', () => {
    const fields = { 'x-ssl-client-subject': 'CN=a', 'x-client-scopes': 'jobs', 'x-client-role': 'reader' };
    expect(behindAProxy(fields)).toMatchObject({ scopes: 'jobs', roles: 'reader' });
    expect(behindAProxy(fields, reader({ scopesHeader: null, roleHeader: null }))).toMatchObject({
      scopes: null,
      roles: null,
    });
  });

  it('no header that is not among the configured sources', async () => {
    const read = reader({ headers: ['xfcc'] });
    const fields = {
      'client-cert': rfc9440(clientA.pem),
      'x-ssl-client-subject': 'CN=a',
      'ssl-client-verify': 'FAILED:x',
    };
    expect(await behindAProxy(fields, read)).toEqual({ found: 'none' });
  });
});

describe('the plan’s header', () => {
  it.each([
    ['RFC 4514', subjectA],
    ['a plain name', 'client-a'],
    ['the old form of OpenSSL', '/C=DE/CN=client-a'],
  ])('a subject in %s', (_, subject) => {
    expect(behindAProxy({ 'x-ssl-client-subject': subject })).toEqual(found(onlySubject(subject)));
  });

  it.each(['', ' ', '{http.request.tls.client.subject}', '(null)', 'NONE'])('%j is no certificate', (subject) => {
    expect(behindAProxy({ 'x-ssl-client-subject': subject })).toEqual({ found: 'none' });
  });

  it.each([
    ['a failed verification', 'FAILED:self signed certificate', refused('certificate_unverified')],
    ['characters that differ by runtime', 'CN=M\u00fcller', refused('certificate_malformed')],
    ['endless text', `CN=${'a'.repeat(2048)}`, refused('certificate_malformed')],
    ['a field sent twice', 'CN=a,O=b, CN=admin,O=b', refused('forwarded_invalid', 'x-ssl-client-subject')],
    [
      'a field sent twice after an escaped backslash',
      String.raw`CN=a\\, CN=admin`,
      refused('forwarded_invalid', 'x-ssl-client-subject'),
    ],
  ])('%s is refused', (_, subject, answer) => {
    expect(behindAProxy({ 'x-ssl-client-subject': subject })).toEqual(answer);
  });

  it('two fields are refused however the platform hands them over', () => {
    const fields: [string, string][] = [
      ['x-ssl-client-subject', 'CN=a'],
      ['x-ssl-client-subject', 'CN=b'],
    ];
    expect(behindAProxy(fields)).toEqual(refused('forwarded_invalid', 'x-ssl-client-subject'));
  });

  it('may have another name, also one that nginx setups use', () => {
    const read = reader({ subjectHeader: 'ssl-client-subject-dn' });
    expect(behindAProxy({ 'ssl-client-subject-dn': 'CN=a' }, read)).toEqual(found(onlySubject('CN=a')));
    expect(behindAProxy({ 'x-ssl-client-subject': 'CN=a' }, read)).toEqual({ found: 'none' });
  });
});

describe('Client-Cert (RFC 9440)', () => {
  it('the whole certificate: subject, names, validity and thumbprint', async () => {
    expect(await behindAProxy({ 'client-cert': rfc9440(clientA.pem) })).toEqual(found(wholeA));
  });

  it.each([
    ['no byte sequence', bytes(clientA.pem)],
    ['one colon', ':'],
    ['an empty byte sequence', '::'],
    ['base64url', `:${bytes(clientA.pem).replaceAll('+', '-').replaceAll('/', '_')}-:`],
    ['a parameter', `${rfc9440(clientA.pem)};a=1`],
    ['no certificate', ':AAAA:'],
    ['a certificate cut short', `:${bytes(clientA.pem).slice(0, 400)}:`],
    [
      'octets after the certificate',
      `:${Buffer.from(`${Buffer.from(bytes(clientA.pem), 'base64').toString('latin1')}x`, 'latin1').toString('base64')}:`,
    ],
  ])('%s is malformed', async (_, value) => {
    expect(await behindAProxy({ 'client-cert': value })).toEqual(refused('certificate_malformed'));
  });

  it('a field sent twice is refused, even with the same certificate', async () => {
    const value = rfc9440(clientA.pem);
    expect(await behindAProxy({ 'client-cert': `${value}, ${value}` })).toEqual(
      refused('forwarded_invalid', 'client-cert'),
    );
  });

  it('is refused outside of its validity, to the second', async () => {
    const field = { 'client-cert': rfc9440(expired.pem) };
    const end = Date.parse('2026-02-01T00:00:00Z');
    expect(await behindAProxy(field, reader({}, end))).toMatchObject({ found: 'certificate' });
    expect(await behindAProxy(field, reader({}, end + 1000))).toEqual(refused('certificate_expired'));
    const start = Date.parse('2026-01-01T00:00:00Z');
    expect(await behindAProxy(field, reader({}, start - 1))).toEqual(refused('certificate_expired'));
    expect(await behindAProxy(field, reader({}, start))).toMatchObject({ found: 'certificate' });
  });

  it('is hashed once, and expires all the same', async () => {
    let nowMs = Date.parse('2026-01-15T00:00:00Z');
    const read = createCertificateReader(
      { headers: ['client_cert'], subjectHeader: 'x', scopesHeader: null, roleHeader: null },
      { clock: () => nowMs },
    );
    const field = { 'client-cert': rfc9440(expired.pem) };
    expect(behindAProxy(field, read)).toBeInstanceOf(Promise);
    await behindAProxy(field, read);
    expect(behindAProxy(field, read)).toMatchObject({ found: 'certificate' });
    nowMs = Date.parse('2026-02-15T00:00:00Z');
    expect(behindAProxy(field, read)).toEqual(refused('certificate_expired'));
  });

  it('remembers no more certificates than a few hundred', async () => {
    const read = reader();
    const field = { 'client-cert': rfc9440(clientA.pem) };
    await behindAProxy(field, read);
    for (let count = 0; count < 256; count++) {
      // The same certificate under another text: padded percent-encoding of its PEM.
      const pem = clientA.pem + '\n'.repeat(count + 1);
      await behindAProxy({ 'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': encoded(pem) }, read);
    }
    expect(behindAProxy(field, read)).toBeInstanceOf(Promise);
  });
});

describe('x-forwarded-client-cert (Envoy)', () => {
  it('subject, names and hash', () => {
    const value = `By=spiffe://acme.example/edge;Hash=${hex(clientA.thumbprint)};Subject="${subjectA}";URI=spiffe://acme.example/client-a;DNS=a.example;DNS=b.example`;
    expect(behindAProxy({ 'x-forwarded-client-cert': value })).toEqual(
      found({
        ...onlySubject(subjectA),
        subjectAltNames: ['URI:spiffe://acme.example/client-a', 'DNS:a.example', 'DNS:b.example'],
        thumbprint: clientA.thumbprint,
      }),
    );
  });

  it('the whole certificate', async () => {
    const value = `Hash=${hex(clientA.thumbprint).toUpperCase()};Cert="${encoded(clientA.pem)}";Subject="";URI=`;
    expect(await behindAProxy({ 'x-forwarded-client-cert': value })).toEqual(found(wholeA));
  });

  it('the rightmost element counts: what is left of it the caller may have sent', () => {
    const value = `Hash=${hex(clientB.thumbprint)};Subject="CN=admin",Hash=${hex(clientA.thumbprint)};Subject="${subjectA}"`;
    expect(behindAProxy({ 'x-forwarded-client-cert': value })).toEqual(
      found({ ...onlySubject(subjectA), thumbprint: clientA.thumbprint }),
    );
  });

  it('an escaped comma in a name does not make two names of it', () => {
    const value = String.raw`Hash=${hex(clientA.thumbprint)};Subject="O=x\,CN=admin,CN=a"`;
    expect(behindAProxy({ 'x-forwarded-client-cert': value })).toMatchObject({
      certificate: { subject: String.raw`O=x\,CN=admin,CN=a` },
    });
  });

  it.each([
    ['breaks the grammar', 'Subject="CN=a'],
    ['names nobody', 'By=spiffe://acme.example/edge'],
    ['has two subjects', `Hash=${hex(clientA.thumbprint)};Subject="CN=a";Subject="CN=admin"`],
    ['has two hashes', `Hash=${hex(clientA.thumbprint)};Hash=${hex(clientB.thumbprint)}`],
    ['has a hash of another kind', 'Hash=6b9109f323999e52259cda7373ff0b4d26bd232e;Subject="CN=a"'],
    ['has a hash of another certificate', `Hash=${hex(clientB.thumbprint)};Cert="${encoded(clientA.pem)}"`],
    ['has a certificate that is none', 'Cert="abc"'],
    ['has broken percent-encoding', 'Cert="%E0%A4%A"'],
    ['has two certificates in one', `Cert="${encoded(clientA.pem + clientB.pem)}"`],
    ['has a name with odd characters', 'Subject="CN=M\u00fcller"'],
  ])('one that %s is malformed', async (_, value) => {
    expect(await behindAProxy({ 'x-forwarded-client-cert': value })).toEqual(refused('certificate_malformed'));
  });

  it.each([
    ['another subject', 'Subject="CN=admin"'],
    ['a URI that it does not have', 'URI=spiffe://acme.example/admin'],
    ['a DNS name that it does not have', 'DNS=admin.example'],
  ])('one with a certificate and %s contradicts itself', async (_, said) => {
    const certificate = `Cert="${encoded(clientA.pem)}"`;
    const value = { 'x-forwarded-client-cert': `${certificate};${said}` };
    expect(await behindAProxy(value)).toMatchObject({ reason: { reason: 'forwarded_invalid' } });
    const own = {
      'x-forwarded-client-cert': `${certificate};Subject="${subjectA}";URI=spiffe://acme.example/client-a`,
    };
    expect(await behindAProxy(own)).toEqual(found(wholeA));
  });
});

describe('nginx and ingress-nginx', () => {
  const verified = (fields: Record<string, string>) => ({ 'ssl-client-verify': 'SUCCESS', ...fields });

  it('the whole certificate', async () => {
    expect(await behindAProxy(verified({ 'ssl-client-cert': encoded(clientA.pem) }))).toEqual(found(wholeA));
    expect(
      await behindAProxy(verified({ 'ssl-client-cert': encoded(clientA.pem), 'ssl-client-subject-dn': subjectA })),
    ).toEqual(found(wholeA));
  });

  it.each(['ssl-client-s-dn', 'ssl-client-subject-dn'])('a subject in %s', (name) => {
    expect(behindAProxy(verified({ [name]: subjectA }))).toEqual(found(onlySubject(subjectA)));
  });

  it.each([
    ['NONE', {}],
    ['', {}],
    ['{http.vars.verify}', {}],
    ['SUCCESS', {}],
  ])('verification %j without a name is no certificate', (verification, fields) => {
    expect(behindAProxy({ 'ssl-client-verify': verification, ...fields })).toEqual({ found: 'none' });
  });

  it.each([
    [
      'a failed verification',
      { 'ssl-client-verify': 'FAILED:self signed certificate', 'ssl-client-s-dn': 'CN=a' },
      'certificate_unverified',
    ],
    ['a failed verification without a name', { 'ssl-client-verify': 'FAILED:x' }, 'certificate_unverified'],
    [
      'an expired certificate',
      { 'ssl-client-verify': 'FAILED:certificate has expired', 'ssl-client-s-dn': 'CN=a' },
      'certificate_expired',
    ],
    ['no word of the verification', { 'ssl-client-s-dn': 'CN=a' }, 'certificate_unverified'],
    [
      'no verification, with a name',
      { 'ssl-client-verify': 'NONE', 'ssl-client-s-dn': 'CN=a' },
      'certificate_unverified',
    ],
    ['another word', { 'ssl-client-verify': 'success', 'ssl-client-s-dn': 'CN=a' }, 'certificate_unverified'],
    [
      'the verification twice',
      { 'ssl-client-verify': 'SUCCESS, SUCCESS', 'ssl-client-s-dn': 'CN=a' },
      'certificate_unverified',
    ],
    [
      'one success and one failure',
      { 'ssl-client-verify': 'FAILED:x, SUCCESS', 'ssl-client-s-dn': 'CN=a' },
      'certificate_unverified',
    ],
    [
      'a certificate that is none',
      { 'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': 'abc' },
      'certificate_malformed',
    ],
    [
      'a PEM that is not percent-encoded',
      { 'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': bytes(clientA.pem) },
      'certificate_malformed',
    ],
  ])('%s is refused', async (_, fields, reason) => {
    expect(await behindAProxy(fields)).toEqual(refused(reason));
  });

  it.each([
    ['two subjects', verified({ 'ssl-client-s-dn': 'CN=a', 'ssl-client-subject-dn': 'CN=b' }), 'ssl-client-subject-dn'],
    ['a subject sent twice', verified({ 'ssl-client-s-dn': 'CN=a, CN=b' }), 'ssl-client-s-dn'],
    [
      'another certificate’s subject',
      verified({ 'ssl-client-s-dn': subjectB, 'ssl-client-cert': encoded(clientA.pem) }),
      'ssl-client-s-dn',
    ],
  ])('%s contradict each other', async (_, fields, field) => {
    expect(await behindAProxy(fields)).toEqual(refused('forwarded_invalid', field));
  });
});

describe('several sources', () => {
  it.each<[string, Record<string, string>]>([
    ['a certificate and its subject', { 'client-cert': rfc9440(clientA.pem), 'x-ssl-client-subject': subjectA }],
    ['a certificate and its common name', { 'client-cert': rfc9440(clientA.pem), 'x-ssl-client-subject': 'client-a' }],
    [
      'a certificate and its SPIFFE ID',
      { 'client-cert': rfc9440(clientA.pem), 'x-ssl-client-subject': 'spiffe://acme.example/client-a' },
    ],
    [
      'a certificate and its hash',
      { 'client-cert': rfc9440(clientA.pem), 'x-forwarded-client-cert': `Hash=${hex(clientA.thumbprint)}` },
    ],
    [
      'a subject first, its certificate later',
      {
        'x-forwarded-client-cert': `Subject="${subjectA}"`,
        'ssl-client-verify': 'SUCCESS',
        'ssl-client-cert': encoded(clientA.pem),
      },
    ],
    [
      'all of them',
      {
        'client-cert': rfc9440(clientA.pem),
        'x-forwarded-client-cert': `Hash=${hex(clientA.thumbprint)};Subject="${subjectA}"`,
        'ssl-client-verify': 'SUCCESS',
        'ssl-client-s-dn': subjectA,
        'x-ssl-client-subject': subjectA,
      },
    ],
  ])('%s complete each other', async (_, fields) => {
    expect(await behindAProxy(fields)).toEqual(found(wholeA));
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'another certificate',
      { 'client-cert': rfc9440(clientA.pem), 'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': encoded(clientB.pem) },
      'ssl-client-cert',
    ],
    [
      'another hash',
      {
        'client-cert': rfc9440(clientA.pem),
        'x-forwarded-client-cert': `Hash=${hex(clientB.thumbprint)};Subject="${subjectA}"`,
      },
      'x-forwarded-client-cert',
    ],
    [
      'another subject',
      { 'client-cert': rfc9440(clientA.pem), 'x-ssl-client-subject': subjectB },
      'x-ssl-client-subject',
    ],
    [
      'another common name',
      { 'client-cert': rfc9440(clientA.pem), 'x-ssl-client-subject': 'client-b' },
      'x-ssl-client-subject',
    ],
    [
      'a subject where nothing ties it to the hash',
      { 'x-forwarded-client-cert': `Hash=${hex(clientA.thumbprint)}`, 'x-ssl-client-subject': 'CN=admin' },
      'x-ssl-client-subject',
    ],
    [
      'nginx saying that there was no certificate',
      { 'ssl-client-verify': 'NONE', 'x-ssl-client-subject': 'CN=admin' },
      'x-ssl-client-subject',
    ],
  ])('%s is refused', async (_, fields, field) => {
    expect(await behindAProxy(fields)).toEqual(refused('forwarded_invalid', field));
  });

  it('a failed verification is not outvoted', async () => {
    const fields = { 'client-cert': rfc9440(clientA.pem), 'ssl-client-verify': 'FAILED:x' };
    expect(await behindAProxy(fields)).toEqual(refused('certificate_unverified'));
  });

  it('nginx’s verification makes the plan’s header count', () => {
    expect(behindAProxy({ 'ssl-client-verify': 'SUCCESS', 'x-ssl-client-subject': subjectA })).toEqual(
      found(onlySubject(subjectA)),
    );
  });

  it('works on any header fields, not only the web’s', () => {
    const believed: HeaderFields = {
      get: (name) => (name === 'x-ssl-client-subject' ? 'CN=a' : null),
      *[Symbol.iterator]() {},
    };
    expect(reader()({ trustedHop: true, believed }, { certificate: null })).toEqual(found(onlySubject('CN=a')));
  });
});
