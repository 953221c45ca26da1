import { describe, expect, it } from 'vitest';
import {
  certificateIdentity,
  certificateNames,
  writtenIdentity,
} from '../../../../lib/authenticate/certificate/certificate-subject.ts';

function subjectOf(subject: string, subjectAltNames: string[] = []) {
  return namesOf(subject, subjectAltNames)?.name ?? null;
}

function namesOf(subject: string, subjectAltNames: string[] = []) {
  return certificateNames({
    subject,
    subjectAltNames,
    thumbprint: null,
    notBeforeSeconds: null,
    notAfterSeconds: null,
  });
}

describe('subject of a certificate', () => {
  it.each([
    [
      'its URI, before all else',
      'CN=web',
      ['DNS:web.internal', 'URI:spiffe://example.org/web'],
      'spiffe://example.org/web',
    ],
    ['its common name, when it has two URIs', 'CN=web', ['URI:spiffe://a/b', 'URI:spiffe://c/d'], 'web'],
    ['its host name, before a common name', 'CN=web,O=x', ['DNS:web.internal'], 'web.internal'],
    ['its host name, when it has two URIs', 'CN=web', ['URI:a:b', 'URI:c:d', 'DNS:web.internal'], 'web.internal'],
    ['its e-mail address, before a common name', 'CN=web', ['email:a@example.org'], 'a@example.org'],
    [
      'its first host name, without a common name',
      'O=x',
      ['email:a@example.org', 'DNS:web.internal', 'DNS:b'],
      'web.internal',
    ],
    ['its e-mail address, without a host name', '', ['email:a@example.org'], 'a@example.org'],
    ['its whole name, with two common names', 'CN=admin,CN=eve', [], 'CN=admin,CN=eve'],
    ['its whole name, in a form whose parts are ambiguous', '/O=x/CN=admin', [], '/O=x/CN=admin'],
    ['the next that can name a caller', 'CN=\\ admin', ['DNS:web.internal'], 'web.internal'],
  ])('is %s', (_, name, alternatives, subject) => {
    expect(subjectOf(name, alternatives)).toBe(subject);
  });

  it.each([
    ['', []],
    ['', ['URI:']],
    ['', ['URI:a\nb', 'DNS: x']],
  ])('is nobody for %j and %j', (name, alternatives) => {
    expect(subjectOf(name, alternatives)).toBeNull();
  });
});

describe('identity of a certificate', () => {
  const all: [string, string, string[]][] = [
    ['a URI', 'CN=web,O=one', ['URI:spiffe://prod/admin']],
    ['a common name that looks like that URI', 'CN=spiffe://prod/admin,O=one', []],
    ['the same URI of another subject', 'CN=web,O=two', ['URI:spiffe://prod/admin']],
    ['a host name', 'CN=web,O=one', ['DNS:spiffe://prod/admin']],
    ['an e-mail address', 'CN=web,O=one', ['email:spiffe://prod/admin']],
    ['a common name', 'CN=web,O=one', []],
    ['the same common name of another organisation', 'CN=web,O=two', []],
    ['the same parts in one relative name', 'CN=web+O=one', []],
    ['a common name that holds the other part', 'CN=web\\,O=one', []],
    ['no name at all but the subject', 'O=one', []],
  ];

  it('differs for names of different kinds and for equal names of different subjects', () => {
    const identities = all.map(([, subject, alternatives]) => namesOf(subject, alternatives)?.identity);
    expect(new Set(identities).size).toBe(all.length);
  });

  it.each([
    ['O=one,CN=web'],
    ['CN = web, O = one'],
    ['cn=web,o=one'],
    ['2.5.4.3=web,organizationName=one'],
    ['CN=we\\62,O=one'],
  ])('is the same for CN=web,O=one and %s', (subject) => {
    expect(namesOf(subject)?.identity).toBe(namesOf('CN=web,O=one')?.identity);
  });

  it('is none that a subject of a token can be', () => {
    for (const [, subject, alternatives] of all) expect(namesOf(subject, alternatives)?.identity).toContain('\n');
  });

  it.each(all)('can be written by a person: %s', (_, subject, alternatives) => {
    const identity = namesOf(subject, alternatives)?.identity ?? '';
    expect(certificateIdentity(writtenIdentity(identity))).toBe(identity);
  });

  it('is revoked by its name, by the kind and the name, and by the subject', () => {
    expect(namesOf('O=one,CN=web', ['URI:spiffe://prod/admin'])?.revocable).toEqual([
      'spiffe://prod/admin',
      'URI:spiffe://prod/admin',
      'O=one,CN=web',
      'CN=web,O=one',
    ]);
    expect(namesOf('CN=web,O=one')?.revocable).toEqual(['web', 'CN=web,O=one']);
  });

  it.each(['spiffe://prod/admin', 'alice@example.org'])(
    'is not revoked with another kind of name that its common name imitates: %s',
    (name) => {
      expect(namesOf(`CN=${name},O=one`)?.revocable).not.toContain(name);
    },
  );
});
