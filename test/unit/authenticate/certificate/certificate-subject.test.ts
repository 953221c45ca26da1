import { describe, expect, it } from 'vitest';
import { certificateSubject } from '../../../../lib/authenticate/certificate/certificate-subject.ts';

function subjectOf(subject: string, subjectAltNames: string[] = []) {
  return certificateSubject({
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
    ['its common name, before a host name', 'CN=web,O=x', ['DNS:web.internal'], 'web'],
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
