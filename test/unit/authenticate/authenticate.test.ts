import { describe, expect, it } from 'vitest';
import { type AuthenticatorSettings, createAuthenticator } from '../../../lib/authenticate/authenticate.ts';
import type { AccessRequest, Boundary } from '../../../lib/decision/request.ts';
import { context, createSigner, issuerOf, keySetsOf, now, tokenOf, tokenSettings } from '../../support/tokens.ts';

const signer = await createSigner('RS256');
function make(settings: AuthenticatorSettings) {
  return createAuthenticator(settings, {
    clock: () => now * 1000,
    secrets: [],
    grants: { ofLists: () => ({ scopes: [], roles: [] }) },
    readCertificate: (_, { certificate }) =>
      certificate ? { found: 'certificate', certificate, scopes: null, roles: null } : { found: 'none' },
  });
}

const certificate = {
  subject: 'CN=web',
  subjectAltNames: [],
  thumbprint: 'thumb',
  notBeforeSeconds: null,
  notAfterSeconds: null,
};
async function everything(): Promise<AccessRequest> {
  return {
    door: 'gateway',
    method: 'GET',
    target: '/?access_token=abc',
    headers: new Headers({ authorization: `Bearer ${await tokenOf(signer)}`, 'x-api-key': 'k-alice' }),
    hop: { peerAddress: null, secure: true, certificate },
  };
}
const nothing: AccessRequest = {
  ...(await everything()),
  headers: new Headers(),
  hop: { peerAddress: null, secure: true, certificate: null },
};
const direct = { trustedHop: false, ingressIdentity: null } as Boundary;
const behindIngress = { trustedHop: true, ingressIdentity: 'carol' } as Boundary;

const modes = {
  jwt: {
    mode: 'jwt',
    issuers: [issuerOf(tokenSettings, keySetsOf([signer.verification]))],
    maximumBytes: 8192,
    header: 'authorization',
    prefix: 'bearer ',
    cache: { maximumEntries: 10, maximumCharacters: 10_000 },
  },
  mtls: { mode: 'mtls', policy: null },
  api_key: { mode: 'api_key', keys: [{ id: 'alice', secret: 'k-alice', slot: 'current' }], scopes: ['discover'] },
  none: { mode: 'none' },
} as const satisfies Record<string, AuthenticatorSettings>;

describe('authentication', () => {
  it.each([
    ['jwt', 'alice', 'alice'],
    ['mtls', 'web', 'web'],
    ['api_key', 'alice', 'carol'],
    ['none', '', 'carol'],
  ] as const)('by %s names the caller %s, behind an ingress that names carol %s', async (mode, alone, behind) => {
    const authenticate = make(modes[mode]);
    expect(await authenticate(await everything(), direct, context, true)).toMatchObject({
      principal: { method: mode, subject: alone },
    });
    expect(await authenticate(await everything(), behindIngress, context, true)).toMatchObject({
      principal: { subject: behind },
    });
  });

  it.each(['jwt', 'mtls', 'api_key'] as const)(
    'by %s refuses a request without credentials, whatever the ingress says',
    async (mode) => {
      expect(await make(modes[mode])(nothing, behindIngress, context, true)).toEqual({
        outcome: 'refused',
        reason: { reason: 'credentials_missing' },
      });
    },
  );

  it('takes a credential of another mode for nothing', async () => {
    const request = await everything();
    const onlyKey = { ...request, headers: new Headers({ 'x-api-key': 'k-alice' }) };
    const onlyToken = {
      ...request,
      headers: new Headers({ authorization: request.headers.get('authorization') ?? '' }),
    };
    const missing = { reason: { reason: 'credentials_missing' } };
    expect(await make(modes.jwt)(onlyKey, direct, context, true)).toMatchObject(missing);
    expect(await make(modes.api_key)(onlyToken, direct, context, true)).toMatchObject(missing);
  });

  it('by API key gives the configured scopes and the key’s id', async () => {
    expect(await make(modes.api_key)(await everything(), behindIngress, context, true)).toEqual({
      outcome: 'authenticated',
      degraded: [],
      principal: {
        method: 'api_key',
        subject: 'carol',
        identity: 'carol',
        claims: null,
        issuer: null,
        scopes: ['discover'],
        roles: [],
        keyId: 'alice',
        tokenId: null,
        issuedAtSeconds: null,
        expiresAtSeconds: null,
        thumbprint: null,
      },
    });
    expect(await make(modes.api_key)(await everything(), direct, context, true)).toMatchObject({
      principal: { thumbprint: 'thumb' },
    });
  });

  it('by API key refuses an unknown one', async () => {
    const request = { ...nothing, headers: new Headers({ 'x-api-key': 'k-alic' }) };
    expect(await make(modes.api_key)(request, direct, context, true)).toEqual({
      outcome: 'refused',
      reason: { reason: 'api_key_unknown' },
    });
  });

  it('by none answers at once and grants `*`', () => {
    expect(make(modes.none)(nothing, direct, context, true)).toMatchObject({
      principal: { subject: '', scopes: ['*'], keyId: null },
    });
  });

  it.each(Object.keys(modes) as (keyof typeof modes)[])(
    'by %s explains itself without the credential',
    async (mode) => {
      const told: unknown[][] = [];
      const request = await everything();
      await make(modes[mode])(
        request,
        direct,
        { ...context, explain: (...args: unknown[]) => void told.push(args) },
        true,
      );
      expect(told.length).toBeGreaterThan(0);
      const text = JSON.stringify(told);
      expect(text).not.toContain('k-alice');
      expect(text).not.toContain(request.headers.get('authorization')?.slice(-40));
    },
  );
});
