import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certificateFromDer, certificateFromPem, readX509 } from '../../../../lib/authenticate/certificate/x509.ts';
import { opensslProgram, startAuthority } from '../../../support/certificates.ts';
import { pathOf } from '../../../support/debian.ts';
import { describeWith } from '../../../support/describe-with.ts';
import { clientA, clientB } from '../certificate-fixtures.ts';

function derOf(pem: string) {
  return new Uint8Array(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
}

/** Just enough of an encoder to make certificates that no authority would. */
function der(tag: number, ...parts: (Uint8Array | number[])[]): Uint8Array {
  const content = parts.flatMap((part) => [...part]);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Uint8Array.from([tag, ...head, ...content]);
}
function ascii(text: string) {
  return new TextEncoder().encode(text);
}
function oid(...octets: number[]) {
  return der(0x06, octets);
}
const commonName = [0x55, 4, 3];
function attribute(type: number[], tag: number, value: Uint8Array) {
  return der(0x30, oid(...type), der(tag, value));
}
function name(...attributes: Uint8Array[]) {
  return der(0x30, ...attributes.map((one) => der(0x31, one)));
}
function subjectAltName(...names: Uint8Array[]) {
  return der(0x30, oid(0x55, 29, 17), der(0x04, der(0x30, ...names)));
}

interface Parts {
  subject: Uint8Array;
  validity: Uint8Array;
  extensions: Uint8Array[] | null;
  more: Uint8Array;
  version: Uint8Array;
}
function certificate(change: Partial<Parts> = {}) {
  const parts: Parts = {
    subject: name(attribute(commonName, 0x0c, ascii('a'))),
    validity: der(0x30, der(0x17, ascii('260101000000Z')), der(0x18, ascii('20991231235959Z'))),
    extensions: null,
    more: new Uint8Array(),
    version: der(0xa0, der(0x02, [2])),
    ...change,
  };
  return der(
    0x30,
    der(
      0x30,
      parts.version,
      der(0x02, [1]),
      der(0x30, oid(0x2a, 3)),
      name(),
      parts.validity,
      parts.subject,
      der(0x30, der(0x30, oid(0x2a, 3)), der(0x03, [0])),
      parts.extensions ? der(0xa3, der(0x30, ...parts.extensions)) : new Uint8Array(),
      parts.more,
    ),
    der(0x30, oid(0x2a, 3)),
    der(0x03, [0]),
  );
}
function subjectOf(...attributes: Uint8Array[]) {
  return readX509(certificate({ subject: name(...attributes) }))?.subject;
}

describe('a certificate', () => {
  it('gives its subject, issuer, serial number, alternative names, validity and thumbprint', async () => {
    const { serialNumber, issuer } = new X509Certificate(clientA.pem);
    expect(await certificateFromDer(derOf(clientA.pem))).toEqual({
      issuer: issuer.split('\n').reverse().join(','),
      serialNumber: expect.stringMatching(new RegExp(`^0*${serialNumber}$`)),
      subject: String.raw`CN=client-a,O=Acme\, Inc.`,
      subjectAltNames: ['URI:spiffe://acme.example/client-a', 'DNS:client-a.acme.example', 'email:a@acme.example'],
      thumbprint: clientA.thumbprint,
      notBeforeSeconds: Date.parse('2026-01-01T00:00:00Z') / 1000,
      notAfterSeconds: Date.parse('2099-12-31T23:59:59Z') / 1000,
    });
  });

  it('reads the same from PEM, whatever its line ends', async () => {
    const fromDer = await certificateFromDer(derOf(clientA.pem));
    for (const pem of [
      clientA.pem,
      clientA.pem.replaceAll('\n', '\r\n'),
      `\n${clientA.pem}\n\n`,
      clientA.pem.replace(/\n(?!-|$)/g, ''),
    ])
      expect(await certificateFromPem(pem)).toEqual(fromDer);
  });

  it.each([
    ['nothing', ''],
    ['two certificates', clientA.pem + clientB.pem],
    ['text before it', `subject=CN\n${clientA.pem}`],
    ['another label', clientA.pem.replaceAll('CERTIFICATE', 'PRIVATE KEY')],
    ['no base64', clientA.pem.replace('MII', 'M*I')],
    ['padding inside', clientA.pem.replace('MII', 'MI=')],
    ['no end', clientA.pem.slice(0, -30)],
  ])('is not read from PEM with %s', async (_, pem) => {
    expect(await certificateFromPem(pem)).toBeNull();
  });
});

describe('a subject', () => {
  it.each<[string, () => string | undefined, string]>([
    ['no attributes', () => subjectOf(), ''],
    ['UTF-8', () => subjectOf(attribute(commonName, 0x0c, ascii('é日'))), String.raw`CN=\C3\A9\E6\97\A5`],
    [
      'two octets a character',
      () => subjectOf(attribute(commonName, 0x1e, Uint8Array.of(0, 0x61, 0x65, 0xe5))),
      String.raw`CN=a\E6\97\A5`,
    ],
    ['T.61', () => subjectOf(attribute(commonName, 0x14, Uint8Array.of(0x61, 0xe9))), String.raw`CN=a\C3\A9`],
    [
      'a NUL, which hides nothing',
      () => subjectOf(attribute(commonName, 0x13, ascii('admin\0.evil'))),
      String.raw`CN=admin\00.evil`,
    ],
    ['an unknown attribute', () => subjectOf(attribute([0x2a, 3, 4], 0x13, ascii('x'))), '1.2.3.4=#130178'],
    ['a known attribute of an odd type', () => subjectOf(attribute(commonName, 0x02, Uint8Array.of(7))), 'CN=#020107'],
    [
      'every character that means something',
      () => subjectOf(attribute(commonName, 0x0c, ascii(' #,+"\\<>;= '))),
      String.raw`CN=\ #\,\+\"\\\<\>\;=\ `,
    ],
    [
      'two attributes in one name',
      () =>
        readX509(
          certificate({
            subject: der(
              0x30,
              der(0x31, attribute(commonName, 0x0c, ascii('a')), attribute([0x55, 4, 11], 0x0c, ascii('b'))),
            ),
          }),
        )?.subject,
      'OU=b+CN=a',
    ],
  ])('with %s', (_, read, subject) => {
    expect(read()).toBe(subject);
  });

  it.each<[string, () => Uint8Array]>([
    ['invalid UTF-8', () => name(attribute(commonName, 0x0c, Uint8Array.of(0xff)))],
    ['half a character', () => name(attribute(commonName, 0x1e, Uint8Array.of(0, 0x61, 0x65)))],
    ['half a surrogate pair', () => name(attribute(commonName, 0x1e, Uint8Array.of(0xd8, 0)))],
    ['an octet that its type lacks', () => name(attribute(commonName, 0x13, Uint8Array.of(0xe9)))],
    ['an empty name in it', () => der(0x30, der(0x31))],
    [
      'a value too many',
      () => der(0x30, der(0x31, der(0x30, oid(...commonName), der(0x0c, ascii('a')), der(0x0c, ascii('b'))))),
    ],
    ['no type', () => der(0x30, der(0x31, der(0x30, der(0x0c, ascii('a')), der(0x0c, ascii('b')))))],
    ['another order of things', () => der(0x31, der(0x30, attribute(commonName, 0x0c, ascii('a'))))],
  ])('with %s makes the certificate malformed', (_, subject) => {
    expect(readX509(certificate({ subject: subject() }))).toBeNull();
  });
});

describe('alternative names', () => {
  const read = (...names: Uint8Array[]) => readX509(certificate({ extensions: [subjectAltName(...names)] }));

  it('other kinds than URI, DNS and email are left out', () => {
    const names = [der(0x87, [127, 0, 0, 1]), der(0xa4, name()), der(0x88, [0x2a]), der(0x82, ascii('a.example'))];
    expect(read(...names)?.subjectAltNames).toEqual(['DNS:a.example']);
  });

  it.each([
    ['a NUL', 'good.example\0.evil.example'],
    ['a space', 'a b'],
    ['nothing in it', ''],
    ['other characters than ASCII', 'é.example'],
    ['a line end', 'a\r\nb'],
  ])('one with %s makes the certificate malformed', (_, text) => {
    expect(read(der(0x82, ascii(text)))).toBeNull();
  });

  it('a tag of several octets makes the certificate malformed', () => {
    expect(read(der(0x82, ascii('a.example')), Uint8Array.of(0x9f, 0x01, 0x00))).toBeNull();
  });

  it('two lists of them make the certificate malformed', () => {
    const list = subjectAltName(der(0x82, ascii('a.example')));
    expect(readX509(certificate({ extensions: [list, list] }))).toBeNull();
  });

  it('are found beside other extensions, critical or not', () => {
    const constraints = der(0x30, oid(0x55, 29, 19), der(0x01, [0xff]), der(0x04, der(0x30)));
    const critical = der(0x30, oid(0x55, 29, 17), der(0x01, [0xff]), der(0x04, der(0x30, der(0x86, ascii('urn:a')))));
    expect(readX509(certificate({ extensions: [constraints, critical] }))?.subjectAltNames).toEqual(['URI:urn:a']);
  });
});

describe('what is no certificate', () => {
  const validity = (from: Uint8Array, to = from) => certificate({ validity: der(0x30, from, to) });
  const time = der(0x17, ascii('260101000000Z'));
  /** The content of a good one, short enough for a length of one octet. */
  const inside = certificate().subarray(2);

  it('the encoder of these tests makes readable ones', () => {
    expect(readX509(certificate())).toEqual({
      subject: 'CN=a',
      issuer: '',
      serialNumber: '01',
      subjectAltNames: [],
      notBeforeSeconds: Date.parse('2026-01-01T00:00:00Z') / 1000,
      notAfterSeconds: Date.parse('2099-12-31T23:59:59Z') / 1000,
    });
    expect(readX509(certificate({ version: new Uint8Array() }))).not.toBeNull();
    expect(readX509(validity(der(0x17, ascii('491231235959Z'))))?.notAfterSeconds).toBe(
      Date.parse('2049-12-31T23:59:59Z') / 1000,
    );
    expect(readX509(validity(der(0x17, ascii('500101000000Z'))))?.notAfterSeconds).toBe(
      Date.parse('1950-01-01T00:00:00Z') / 1000,
    );
  });

  it.each<[string, () => Uint8Array]>([
    ['nothing', () => new Uint8Array()],
    ['an octet', () => Uint8Array.of(0x30)],
    ['an indefinite length', () => Uint8Array.of(0x30, 0x80, ...inside, 0, 0)],
    ['a length longer than need be', () => Uint8Array.of(0x30, 0x82, 0, inside.length, ...inside)],
    ['a long length where a short one would do', () => Uint8Array.of(0x30, 0x81, inside.length, ...inside)],
    ['a length beyond its end', () => Uint8Array.of(0x30, 0x83, 0xff, 0xff, 0xff)],
    ['a length of four octets', () => Uint8Array.of(0x30, 0x84, 0, 0, 0, inside.length, ...inside)],
    ['a tag of several octets', () => Uint8Array.of(0x3f, 0x01, 0x00)],
    ['an octet after its end', () => Uint8Array.from([...certificate(), 0])],
    ['an octet missing', () => certificate().slice(0, -1)],
    [
      'more than 32 KiB',
      () => certificate({ extensions: [der(0x30, oid(0x2a, 3), der(0x04, new Uint8Array(33_000)))] }),
    ],
    ['a list of extensions that is none', () => certificate({ more: der(0xa3, der(0x31)) })],
    ['an extension without a value', () => certificate({ extensions: [der(0x30, oid(0x2a, 3))] })],
    ['a time without seconds', () => validity(der(0x17, ascii('2601010000Z')))],
    ['a time with an offset', () => validity(der(0x17, ascii('260101000000+0100')))],
    ['a time with a fraction', () => validity(der(0x18, ascii('20260101000000.5Z')))],
    ['the 31st of February', () => validity(der(0x17, ascii('260231000000Z')))],
    ['the 24th hour', () => validity(der(0x17, ascii('260101240000Z')))],
    ['a time that is a number', () => validity(der(0x02, ascii('260101000000Z')))],
    ['a fourth part', () => der(0x30, inside, der(0x05))],
    ['a third date', () => certificate({ validity: der(0x30, time, time, time) })],
    ['one date only', () => certificate({ validity: der(0x30, der(0x17, ascii('260101000000Z'))) })],
    [
      'an object identifier with a leading zero',
      () => certificate({ extensions: [der(0x30, oid(0x80, 0x01), der(0x04))] }),
    ],
    ['an object identifier cut short', () => certificate({ extensions: [der(0x30, oid(0x2a, 0x83), der(0x04))] })],
    ['an empty object identifier', () => certificate({ extensions: [der(0x30, oid(), der(0x04))] })],
  ])('%s', (_, bytes) => {
    expect(readX509(bytes())).toBeNull();
  });

  it('never throws, and never reads more than is there', () => {
    const whole = derOf(clientA.pem);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, octet, end) => {
        const changed = whole.slice(0, end);
        changed[at] = octet;
        const read = readX509(changed);
        if (read !== null) expect(changed.length).toBe(whole.length);
      }),
      { seed: 5280, numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readX509(bytes)),
      { seed: 5280 },
    );
  });
});

const openssl = await opensslProgram();

describeWith([openssl], 'the subject as OpenSSL writes it', () => {
  it('octet by octet, and its fingerprint', async () => {
    const authority = await startAuthority(openssl);
    try {
      for (const subject of [
        '/O=Acme\\, Inc./CN=client-a',
        '/C=DE/ST=Bayern/L=München/O=Müller & Söhne/OU=日本/CN=x',
        '/CN= spaces around /O=#hash',
        '/CN=q"uo<t>e;s\\\\x\\+y/serialNumber=12/title=Dr/street=X 1',
        '/DC=org/DC=example/UID=u1/emailAddress=a@b.example',
        '/CN=multi+OU=valued/O=x',
        '/',
      ]) {
        const { pem, der: bytes } = await authority.issue({ subject });
        const print = (...options: string[]) =>
          execFileSync(pathOf(openssl), ['x509', '-noout', ...options], { input: pem, encoding: 'utf8' }).replace(
            /\n$/,
            '',
          );
        const read = await certificateFromDer(bytes);
        expect(`subject=${read?.subject}`).toBe(print('-subject', '-nameopt', 'RFC2253'));
        const fingerprint = print('-fingerprint', '-sha256').split('=')[1]?.replaceAll(':', '') ?? '';
        expect(read?.thumbprint).toBe(Buffer.from(fingerprint, 'hex').toString('base64url'));
      }
    } finally {
      await authority.stop();
    }
  }, 30_000);
});
