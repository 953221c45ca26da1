import { describe, expect, it } from 'vitest';
import { parseCertificatePolicy, rulesFor } from '../../../../lib/authenticate/certificate/certificate-policy.ts';

const roles = ['admin', 'analyst', 'reader'];
function parse(value: unknown) {
  return parseCertificatePolicy(typeof value === 'string' ? value : JSON.stringify(value), roles);
}
const hexadecimal = 'ab'.repeat(32);
const thumbprint = Buffer.from(hexadecimal, 'hex').toString('base64url');
const nothing = { subject: null, subjectAltName: null, thumbprint: null, scopes: null, roles: null };

describe('TGEFD_MTLS_POLICY', () => {
  it('becomes rules', () => {
    expect(
      parse([
        { subject: 'CN=web', scopes: ['discover', '*'] },
        { san: 'URI:spiffe://example.org/web', roles: ['Reader'] },
        { thumbprint },
        { subject: 'CN=web', san: 'DNS:web', thumbprint },
      ]),
    ).toEqual({
      problems: [],
      policy: [
        { ...nothing, subject: 'CN=web', scopes: ['discover', '*'] },
        { ...nothing, subjectAltName: 'URI:spiffe://example.org/web', roles: ['Reader'] },
        { ...nothing, thumbprint },
        { ...nothing, subject: 'CN=web', subjectAltName: 'DNS:web', thumbprint },
      ],
    });
  });

  it.each([hexadecimal, hexadecimal.toUpperCase(), (hexadecimal.match(/../g) ?? []).join(':')])(
    'takes the thumbprint %s too',
    (text) => {
      expect(parse([{ thumbprint: text }]).policy[0]).toHaveProperty('thumbprint', thumbprint);
    },
  );

  it.each([
    ['no JSON', 'CN=web', 'malformed JSON, or a member given twice'],
    ['a member given twice', '[{"subject":"CN=a","subject":"CN=b"}]', 'malformed JSON, or a member given twice'],
    ['no array', { subject: 'CN=web' }, 'something else'],
    ['too many rules', Array.from({ length: 1001 }, () => ({ subject: 'a' })), 'something else'],
    ['a rule without attributes', [{ scopes: ['discover'] }], 'a fault in rule 1'],
    ['a member that nobody knows', [{ subject: 'CN=web' }, { subject: 'CN=x', scope: 'a' }], 'a fault in rule 2'],
    ['__proto__', '[{"__proto__":{"subject":"CN=web"},"subject":"a"}]', 'a fault in rule 1'],
    ['a subject of another type', [{ subject: ['CN=web'] }], 'a fault in rule 1, `subject`'],
    ['an empty subject', [{ subject: '' }], 'a fault in rule 1, `subject`'],
    ['a name without its type', [{ san: 'web.internal' }], 'a fault in rule 1, `san`'],
    ['SHA-1', [{ thumbprint: 'ab'.repeat(20) }], 'a fault in rule 1, `thumbprint`'],
    ['base64 with padding', [{ thumbprint: `${thumbprint}=` }], 'a fault in rule 1, `thumbprint`'],
    ['scopes in one text', [{ subject: 'a', scopes: 'discover' }], 'a fault in rule 1, `scopes`'],
    ['two scopes in one entry', [{ subject: 'a', scopes: ['discover jobs'] }], 'a fault in rule 1, `scopes`'],
    ['a role that does not exist', [{ subject: 'a', roles: ['root'] }], 'a fault in rule 1, `roles`'],
    ['a rule that is null', [null], 'a fault in rule 1'],
  ])('refuses %s', (_, value, found) => {
    const { policy, problems } = parse(value);
    expect(policy).toEqual([]);
    expect(problems.map((problem) => problem.found)).toEqual([found]);
    expect(problems[0]?.accepted).not.toBe('');
  });

  it('gives one problem for each fault', () => {
    expect(parse([{ subject: '' }, { san: 'x' }, { subject: 'a', roles: ['root', 'toor'] }]).problems).toHaveLength(4);
  });
});

describe('rules for a certificate', () => {
  const certificate = {
    subject: 'CN=web',
    subjectAltNames: ['DNS:web', 'URI:spiffe://example.org/web'],
    thumbprint,
    notBeforeSeconds: null,
    notAfterSeconds: null,
  };
  const matches = (rule: object, of = certificate) => rulesFor([{ ...nothing, ...rule }], of).length === 1;

  it('match every attribute they give, character for character', () => {
    expect(matches({ subject: 'CN=web' })).toBe(true);
    expect(matches({ subject: 'CN=WEB' })).toBe(false);
    expect(matches({ subject: 'CN=we' })).toBe(false);
    expect(matches({ subjectAltName: 'DNS:web' })).toBe(true);
    expect(matches({ subjectAltName: 'web' })).toBe(false);
    expect(matches({ thumbprint })).toBe(true);
    expect(matches({ subject: 'CN=web', thumbprint: 'x' })).toBe(false);
    expect(matches({ subject: 'CN=web', subjectAltName: 'DNS:web', thumbprint })).toBe(true);
  });

  it('with a thumbprint match no certificate whose thumbprint is unknown', () => {
    expect(rulesFor([{ ...nothing, thumbprint }], { ...certificate, thumbprint: null })).toEqual([]);
  });
});
