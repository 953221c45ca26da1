import { describe, expect, it } from 'vitest';
import { parseCertificatePolicy, rulesFor } from '../../../../lib/authenticate/certificate/certificate-policy.ts';

const roles = ['admin', 'analyst', 'reader'];
function parse(value: unknown) {
  return parseCertificatePolicy(typeof value === 'string' ? value : JSON.stringify(value), roles);
}
const hexadecimal = 'ab'.repeat(32);
const thumbprint = Buffer.from(hexadecimal, 'hex').toString('base64url');
const nothing = {
  subject: null,
  subjectAltName: null,
  spiffePrefix: null,
  commonName: null,
  organizationalUnit: null,
  issuer: null,
  thumbprint: null,
  scopes: null,
  roles: null,
};

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
    ['two scopes in one entry', [{ subject: 'a', scopes: ['discover jobs'] }], 'a fault in rule 1, `scopes`'],
    ['a role that does not exist', [{ subject: 'a', roles: ['root'] }], 'a fault in rule 1, `roles`'],
    ['a pattern for scopes', [{ cn: 'a', scopes: ['items:*'] }], 'a fault in rule 1, `scopes`'],
    ['alternatives of scopes', [{ cn: 'a', scopes: 'a|b' }], 'a fault in rule 1, `scopes`'],
    ['a pattern for subjects', [{ subject: 'CN=svc-*' }], 'a fault in rule 1, `subject`'],
    ['a pattern for issuers', [{ issuer: 'O=*' }], 'a fault in rule 1, `issuer`'],
    ['a common name with its type', [{ cn: 'CN=svc' }], 'a fault in rule 1, `cn`'],
    ['a pattern for common names', [{ cn: 'svc-*' }], 'a fault in rule 1, `cn`'],
    ['a pattern for units', [{ ou: '*' }], 'a fault in rule 1, `ou`'],
    ['any SPIFFE ID', [{ san: 'URI:spiffe://*' }], 'a fault in rule 1, `san`'],
    ['a SPIFFE ID that ends inside a segment', [{ san: 'URI:spiffe://td/ns/p*' }], 'a fault in rule 1, `san`'],
    ['a SPIFFE ID with a gap', [{ san: 'URI:spiffe://td/*/sa' }], 'a fault in rule 1, `san`'],
    ['a pattern for other URIs', [{ san: 'URI:https://example.org/*' }], 'a fault in rule 1, `san`'],
    ['a pattern for addresses', [{ san: 'email:*@example.org' }], 'a fault in rule 1, `san`'],
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

  it.each([
    ['another order and spacing', 'O = Example, CN = svc', 'CN=svc,O=Example', true],
    ['names of types written out', 'commonName=svc, organizationName=Example', 'CN=svc,O=Example', true],
    ['an escape written another way', 'CN=a\\,b,O=x', 'O=x,CN=a\\2Cb', true],
    ['several values of one name', 'CN=svc+OU=a,O=x', 'O=x,OU=a+CN=svc', true],
    ['a part more', 'CN=svc,O=Example', 'CN=svc,O=Example,C=DE', false],
    ['a part less', 'CN=svc,O=Example', 'CN=svc', false],
    ['a value in another letter case', 'CN=svc', 'CN=SVC', false],
    ['a value that only looks like two parts', 'CN=svc,O=Example', 'CN=svc\\,O=Example', false],
  ])('compare distinguished names with %s', (_, wanted, subject, answer) => {
    for (const attribute of ['subject', 'issuer'] as const) {
      const { policy, problems } = parse([{ [attribute]: wanted }]);
      expect(problems).toEqual([]);
      const of = { ...certificate, subject: 'CN=other', [attribute]: subject };
      expect(rulesFor(policy, of)).toHaveLength(answer ? 1 : 0);
    }
  });

  const attributes = { ...certificate, subject: 'CN=svc,OU=a,OU=b,O=Example', issuer: 'CN=CA,O=Example' };
  it.each([
    [{ cn: 'svc' }, true],
    [{ cn: 'sv' }, false],
    [{ ou: 'a' }, true],
    [{ ou: 'b' }, true],
    [{ ou: 'Example' }, false],
    [{ issuer: 'O=Example,CN=CA' }, true],
    [{ issuer: 'CN=CA' }, false],
    [{ cn: 'svc', issuer: 'CN=CA' }, false],
    [{ cn: 'svc', ou: 'a', issuer: 'CN=CA, O=Example', san: 'DNS:web' }, true],
  ])('match %j: %s', (written, answer) => {
    expect(rulesFor(parse([written]).policy, attributes)).toHaveLength(answer ? 1 : 0);
  });

  it('with an issuer match no certificate whose issuer is unknown, and with a common name none that has two', () => {
    expect(rulesFor(parse([{ issuer: 'CN=CA' }]).policy, certificate)).toEqual([]);
    expect(rulesFor(parse([{ cn: 'a' }]).policy, { ...certificate, subject: 'CN=a,CN=b' })).toEqual([]);
  });

  it.each([
    ['spiffe://td/ns/prod/sa/web', true],
    ['spiffe://td/ns/prod/x', true],
    ['spiffe://td/ns/prod', false],
    ['spiffe://td/ns/prod/', false],
    ['spiffe://td/ns/production/sa/web', false],
    ['spiffe://td/ns/prod/../dev/web', false],
    ['spiffe://td/ns/prod/./web', false],
    ['spiffe://td/ns/prod//web', false],
    ['spiffe://td/ns/prod/%2e%2e/dev', false],
    ['spiffe://TD/ns/prod/web', false],
    ['https://td/ns/prod/web', false],
  ])('take a SPIFFE ID below a path: %s is %s', (uri, answer) => {
    const { policy } = parse([{ san: 'URI:spiffe://td/ns/prod/*' }]);
    const of = { ...certificate, subjectAltNames: [`URI:${uri}`] };
    expect(rulesFor(policy, of)).toHaveLength(answer ? 1 : 0);
    expect(rulesFor(policy, { ...of, subjectAltNames: [`URI:${uri}`, 'URI:spiffe://td/other'] })).toEqual([]);
  });

  it('take the name of a wildcard certificate literally', () => {
    const { policy } = parse([{ san: 'DNS:*.example.com' }]);
    expect(rulesFor(policy, { ...certificate, subjectAltNames: ['DNS:*.example.com'] })).toHaveLength(1);
    expect(rulesFor(policy, { ...certificate, subjectAltNames: ['DNS:a.example.com'] })).toEqual([]);
  });

  it('with a thumbprint match no certificate whose thumbprint is unknown', () => {
    expect(rulesFor([{ ...nothing, thumbprint }], { ...certificate, thumbprint: null })).toEqual([]);
  });
});
