import { describe, expect, it } from 'vitest';
import { createCertificateAuthenticator } from '../../../../lib/authenticate/certificate/certificate-authenticator.ts';
import type { CertificatePolicy } from '../../../../lib/authenticate/certificate/certificate-policy.ts';
import type { CertificateReading } from '../../../../lib/authenticate/certificate/client-certificate.ts';
import { createGrants } from '../../../../lib/authorize/grants.ts';
import { roleScopes } from '../../../../lib/authorize/roles.ts';
import type { ClientCertificate } from '../../../../lib/decision/principal.ts';
import type { AccessRequest, Boundary } from '../../../../lib/decision/request.ts';
import { context } from '../../../support/tokens.ts';

const certificate: ClientCertificate = {
  subject: 'CN=web,O=Example',
  subjectAltNames: [],
  thumbprint: 'thumb',
  notBeforeSeconds: 1,
  notAfterSeconds: 2,
};
const grants = createGrants(
  roleScopes({ admin: ['*'], analyst: ['discover', 'evaluate'], reader: ['jobs'] }, 'revoke'),
);
const rule = {
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

function authenticate(
  reading: CertificateReading | Promise<CertificateReading>,
  policy: CertificatePolicy | null = null,
) {
  return createCertificateAuthenticator({ policy }, { readCertificate: () => reading, grants })(
    { hop: { certificate: null } } as unknown as AccessRequest,
    { ingressIdentity: 'mallory' } as Boundary,
    context,
    true,
  );
}
function found(scopes: string | null, roles: string | null, of = certificate): CertificateReading {
  return {
    found: 'certificate',
    certificate: of,
    scopes,
    roles,
  };
}
function refused(reason: string) {
  return { outcome: 'refused', reason: { reason } };
}
function granted(scopes: string[], roles: string[] = []) {
  return {
    outcome: 'authenticated',
    principal: { scopes, roles },
  };
}

describe('authentication by certificate', () => {
  it('gives the principal, named by the certificate whatever the ingress says', () => {
    expect(authenticate(found('discover', null))).toEqual({
      outcome: 'authenticated',
      degraded: [],
      principal: {
        method: 'mtls',
        subject: 'web',
        identity: 'certificate\nCN=web,O=Example',
        revocable: ['web', 'CN=web,O=Example'],
        claims: null,
        issuer: null,
        scopes: ['discover'],
        roles: [],
        keyId: 'thumb',
        tokenId: null,
        issuedAtSeconds: null,
        expiresAtSeconds: 2,
        thumbprint: 'thumb',
      },
    });
  });

  it('refuses no certificate, one that the reader refuses, and one that names nobody', async () => {
    expect(authenticate({ found: 'none' })).toEqual(refused('credentials_missing'));
    expect(authenticate({ found: 'refused', reason: { reason: 'certificate_unverified' } })).toEqual(
      refused('certificate_unverified'),
    );
    expect(authenticate(found('*', null, { ...certificate, subject: '' }))).toEqual(refused('certificate_unnamed'));
    expect(await authenticate(Promise.resolve({ found: 'none' }))).toEqual(refused('credentials_missing'));
  });

  const policy: CertificatePolicy = [
    { ...rule, subject: 'CN=web,O=Example', scopes: ['evaluate'] },
    { ...rule, thumbprint: 'thumb', roles: ['Reader'] },
    { ...rule, subject: 'CN=other', scopes: ['*'] },
  ];

  it.each([
    ['the scopes header, before all else', found('discover,jobs', 'admin'), granted(['discover', 'jobs'])],
    ['the scopes header, even if it lists nothing', found('', 'admin'), granted([])],
    [
      'the role header, before the policy',
      found(null, 'Analyst nobody'),
      granted(['discover', 'evaluate'], ['analyst']),
    ],
    ['every rule of the policy that matches', found(null, null), granted(['evaluate', 'jobs'], ['reader'])],
  ])('takes scopes from %s', (_, reading, answer) => {
    expect(authenticate(reading, policy)).toMatchObject(answer);
  });

  it('refuses a certificate that no rule matches, unless a header says what it may', () => {
    const other = { ...certificate, subject: 'CN=eve', thumbprint: 'x' };
    expect(authenticate(found(null, null, other), policy)).toEqual(refused('certificate_unmapped'));
    expect(authenticate(found(null, null, other), [])).toEqual(refused('certificate_unmapped'));
    expect(authenticate(found('discover', null, other), policy)).toMatchObject(granted(['discover']));
  });

  it('knows a certificate and grants it nothing where nothing says what it may', () => {
    expect(authenticate(found(null, null))).toMatchObject(granted([]));
  });
});
