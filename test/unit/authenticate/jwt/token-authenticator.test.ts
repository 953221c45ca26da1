import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CertificateReading } from '../../../../lib/authenticate/certificate/client-certificate.ts';
import type { KeyAnswer, KeySets, VerificationKey } from '../../../../lib/authenticate/jwt/keys.ts';
import { createTokenAuthenticator } from '../../../../lib/authenticate/jwt/token-authenticator.ts';
import type { ClaimGrants } from '../../../../lib/authenticate/jwt/token-issuer.ts';
import type { RequestContext } from '../../../../lib/decision/ports.ts';
import type { Authentication, ClientCertificate } from '../../../../lib/decision/principal.ts';
import type { AccessRequest, Boundary } from '../../../../lib/decision/request.ts';
import {
  context,
  createSigner,
  issuer,
  issuerOf,
  keySetsOf,
  now,
  type OneIssuer,
  type Signer,
  secretOctets,
  signWithSecret,
  tokenOf,
  tokenSettings,
} from '../../../support/tokens.ts';

const settings = {
  header: 'authorization',
  prefix: 'bearer ',
  maximumBytes: 8192,
  cache: { maximumEntries: 100, maximumCharacters: 1_000_000 },
};

function certificateOf(thumbprint: string | null): ClientCertificate {
  return {
    subject: 'CN=web',
    subjectAltNames: [],
    thumbprint,
    notBeforeSeconds: null,
    notAfterSeconds: null,
  };
}

let signer: Signer;
let sets: ReturnType<typeof keySetsOf>;
let reading: CertificateReading | Promise<CertificateReading>;
let read: number;
let clockSeconds: number;

beforeAll(async () => {
  signer = await createSigner('RS256');
});

beforeEach(() => {
  sets = keySetsOf([signer.verification]);
  reading = { found: 'none' };
  read = 0;
  clockSeconds = now;
});

const grants: ClaimGrants = {
  ofClaims: ({ scope }) => ({ scopes: typeof scope === 'string' ? scope.split(' ') : [], roles: [] }),
  ignoredRoles: () => null,
};

function make(
  changes: Partial<OneIssuer> & { readonly header?: string; readonly cache?: typeof settings.cache } = {},
  keySets: KeySets | null = sets,
  secrets: { id: string; octets: Uint8Array<ArrayBuffer> }[] = [],
) {
  return createTokenAuthenticator(
    { ...settings, ...changes, issuers: [issuerOf({ ...tokenSettings, ...changes }, keySets, { grants })] },
    {
      clock: () => clockSeconds * 1000,
      secrets,
      readCertificate: () => {
        read++;
        return reading;
      },
    },
  );
}

function request(field: string, certificate: ClientCertificate | null = null): AccessRequest {
  return {
    door: 'gateway',
    method: 'GET',
    target: '/',
    headers: new Headers({ authorization: field }),
    hop: { peerAddress: null, secure: true, certificate },
  };
}
const boundary = {} as Boundary;
function bearer(token: string, certificate: ClientCertificate | null = null) {
  return request(`Bearer ${token}`, certificate);
}
function principal(authentication: Authentication) {
  return authentication.outcome === 'authenticated' ? authentication.principal : authentication;
}

describe('authentication by token', () => {
  it('gives the principal', async () => {
    const token = await tokenOf(signer, { jti: 't1' });
    expect(await make()(bearer(token), boundary, context, true)).toEqual({
      outcome: 'authenticated',
      degraded: [],
      principal: {
        method: 'jwt',
        subject: 'alice',
        identity: 'alice',
        claims: null,
        issuer,
        scopes: ['discover', 'jobs'],
        roles: [],
        keyId: 'k1',
        tokenId: 't1',
        issuedAtSeconds: now - 10,
        expiresAtSeconds: now + 300,
        thumbprint: null,
      },
    });
  });

  it('refuses without a promise what carries no token', () => {
    expect(make()(request('Basic x'), boundary, context, true)).toEqual({
      outcome: 'refused',
      reason: { reason: 'credentials_missing' },
    });
  });

  it('refuses what the claims check refuses, and never for a scope claim of an odd type', async () => {
    const authenticate = make();
    expect(await authenticate(bearer(await tokenOf(signer, { exp: 1 })), boundary, context, true)).toMatchObject({
      reason: { reason: 'token_expired' },
    });
    expect(await authenticate(bearer(await tokenOf(signer, { scope: 7 })), boundary, context, true)).toMatchObject({
      outcome: 'authenticated',
      principal: { scopes: [] },
    });
  });

  it('names the caller by the token, whatever the ingress says', async () => {
    const believed = { ingressIdentity: 'mallory' } as Boundary;
    expect(principal(await make()(bearer(await tokenOf(signer)), believed, context, true))).toHaveProperty(
      'subject',
      'alice',
    );
  });

  it('does not hold a key set’s outage against the caller', async () => {
    sets.answer = { found: 'unavailable', retryAfterSeconds: 3 };
    expect(await make()(bearer(await tokenOf(signer)), boundary, context, true)).toEqual({
      outcome: 'unavailable',
      reason: 'keys_unavailable',
      retryAfterSeconds: 3,
    });
  });
});

describe('a token verified before', () => {
  let token: string;
  let authenticate: ReturnType<typeof make>;
  const present = (which = token, mayFetch = true, ask: RequestContext = context) =>
    authenticate(bearer(which), boundary, ask, mayFetch);

  beforeEach(async () => {
    token = await tokenOf(signer, { nbf: now - 5 });
    authenticate = make();
    await present();
    await present();
  });

  it('is answered without a promise and with the same frozen principal', () => {
    const first = present();
    expect(first).not.toBeInstanceOf(Promise);
    expect(present()).toBe(first);
    expect(Object.isFrozen(principal(first as Authentication))).toBe(true);
  });

  it('is found whatever the letter case of the scheme, and only in full', async () => {
    expect(authenticate(request(`BEARER ${token}`), boundary, context, true)).not.toBeInstanceOf(Promise);
    const [header, body, tail] = token.split('.');
    const forged = `${header}.${Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body ?? '', 'base64url').toString()), sub: 'root' })).toString('base64url')}.${tail}`;
    expect(await present(forged)).toEqual({ outcome: 'refused', reason: { reason: 'token_signature_invalid' } });
  });

  it('dies with its exp, skew included (CVE-2026-107719)', async () => {
    clockSeconds = now + 300 + 59.999;
    expect(present()).toMatchObject({ outcome: 'authenticated' });
    clockSeconds = now + 300 + 60;
    expect(await present()).toEqual({ outcome: 'refused', reason: { reason: 'token_expired', secondsAgo: 60 } });
  });

  it('counts for nothing before its nbf, should the clock go back', async () => {
    clockSeconds = now - 5 - 60;
    expect(present()).toMatchObject({ outcome: 'authenticated' });
    clockSeconds -= 0.001;
    expect(await present()).toMatchObject({ reason: { reason: 'token_not_yet_valid', claim: 'nbf' } });
  });

  it('dies with its key', async () => {
    sets.keys.length = 0;
    expect(present()).toEqual({ outcome: 'refused', reason: { reason: 'token_key_unknown' } });
    sets.keys.push(signer.verification);
    expect(present()).toBeInstanceOf(Promise);
  });

  it('is verified anew when another key has taken the key id', async () => {
    const successor = await createSigner('RS256');
    sets.keys[0] = successor.verification;
    expect(await present()).toEqual({ outcome: 'refused', reason: { reason: 'token_signature_invalid' } });
  });

  it('is verified anew when the same key comes as another object', async () => {
    sets.keys[0] = { ...signer.verification };
    const again = present();
    expect(again).toBeInstanceOf(Promise);
    expect(await again).toMatchObject({ outcome: 'authenticated' });
  });

  it('is asked for by its key id and algorithm, as often as it comes', () => {
    sets.asked.length = 0;
    present();
    present();
    expect(sets.asked).toEqual([
      { keyId: 'k1', algorithm: 'RS256' },
      { keyId: 'k1', algorithm: 'RS256' },
    ]);
  });

  it('tells of stale keys, and no longer when they are fresh again', () => {
    sets.stale = true;
    expect(present()).toMatchObject({ outcome: 'authenticated', degraded: ['keys_stale'] });
    sets.stale = false;
    expect(present()).toMatchObject({ degraded: [] });
  });

  it('does not outlive an outage of the keys', () => {
    sets.answer = { found: 'unavailable', retryAfterSeconds: 9 };
    expect(present()).toEqual({ outcome: 'unavailable', reason: 'keys_unavailable', retryAfterSeconds: 9 });
    sets.answer = null;
    expect(present()).toMatchObject({ outcome: 'authenticated' });
  });

  it('waits for a key set that has to ask first', async () => {
    const answers: KeyAnswer[] = [
      { found: 'keys', keys: [signer.verification], more: false, stale: false },
      { found: 'none', reason: { reason: 'token_key_unknown' } },
    ];
    const find = async () => answers.shift() ?? ({ found: 'unavailable', retryAfterSeconds: 1 } as const);
    authenticate = make({}, { find, findAgain: find });
    answers.unshift(
      ...[1, 2].map(() => ({ found: 'keys', keys: [signer.verification], more: false, stale: false }) as const),
    );
    await present();
    await present();
    expect(await present()).toMatchObject({ outcome: 'authenticated' });
    expect(await present()).toMatchObject({ outcome: 'refused' });
  });

  it('is verified every time until its second sighting, and never kept when refused', async () => {
    const bad = await tokenOf(signer, { sub: 7 });
    for (let sighting = 0; sighting < 3; sighting++) expect(present(bad)).toBeInstanceOf(Promise);
    const fresh = await tokenOf(signer, { jti: 'fresh' });
    await present(fresh);
    const second = present(fresh);
    expect(second).toBeInstanceOf(Promise);
    await second;
    expect(present(fresh)).not.toBeInstanceOf(Promise);
  });

  it('is bound to the authenticator of its issuer', async () => {
    const elsewhere = make({ issuer: 'https://other.example' }, keySetsOf([signer.verification]));
    for (let sighting = 0; sighting < 3; sighting++)
      expect(await elsewhere(bearer(token), boundary, context, true)).toMatchObject({
        reason: { reason: 'token_issuer_unknown' },
      });
  });

  it('says so to whoever asks', () => {
    const told: unknown[][] = [];
    present(token, true, { ...context, explain: (...args: unknown[]) => void told.push(args) });
    expect(told.map(([step]) => step)).toEqual(['credential', 'cache']);
    expect(JSON.stringify(told)).not.toContain(token.slice(-20));
  });

  it('by a shared secret needs no key set', async () => {
    const octets = secretOctets('a secret of thirty-two bytes, ok');
    authenticate = make({ algorithms: ['HS256'] }, null, [{ id: 'current', octets }]);
    token = await signWithSecret(octets, { alg: 'HS256' });
    await present();
    await present();
    expect(present()).toMatchObject({ outcome: 'authenticated', principal: { keyId: 'current' } });
  });
});

describe('a certificate beside a token', () => {
  it('is the platform’s own, read from no header field, where the token is not bound', async () => {
    const token = await tokenOf(signer);
    const authenticate = make();
    const withCertificate = async (thumbprint: string | null) =>
      principal(
        await authenticate(
          bearer(token, thumbprint === null ? null : certificateOf(thumbprint)),
          boundary,
          context,
          true,
        ),
      );
    for (const thumbprint of [null, 'a', 'b', null, 'a'])
      expect(await withCertificate(thumbprint)).toMatchObject({ subject: 'alice', thumbprint });
    expect(read).toBe(0);
  });

  it('is the proxy’s behind a trusted hop, and not the caller’s', async () => {
    const behind = { trustedHop: true } as Boundary;
    const answer = await make()(bearer(await tokenOf(signer), certificateOf('proxy')), behind, context, true);
    expect(principal(answer)).toHaveProperty('thumbprint', null);
  });

  it.each([1, 2, 3])('must be the one that the token is bound to (RFC 8705 §3), at sighting %i', async (sighting) => {
    const token = await tokenOf(signer, { cnf: { 'x5t#S256': 'right' } });
    const authenticate = make();
    const present = () => authenticate(bearer(token), boundary, context, true);
    reading = { found: 'certificate', certificate: certificateOf('right'), scopes: '*', roles: null };
    for (let before = 1; before < sighting; before++) await present();
    expect(principal(await present())).toMatchObject({
      subject: 'alice',
      thumbprint: 'right',
      scopes: ['discover', 'jobs'],
    });
    const mismatch = { outcome: 'refused', reason: { reason: 'token_certificate_mismatch' } };
    for (const thumbprint of ['wrong', null, 'Right', 'right=']) {
      reading = { found: 'certificate', certificate: certificateOf(thumbprint), scopes: null, roles: null };
      expect(await present()).toEqual(mismatch);
    }
    reading = Promise.resolve({ found: 'none' });
    expect(await present()).toEqual(mismatch);
    reading = Promise.resolve({ found: 'refused', reason: { reason: 'certificate_expired' } });
    expect(await present()).toEqual({ outcome: 'refused', reason: { reason: 'certificate_expired' } });
    reading = Promise.resolve({ found: 'certificate', certificate: certificateOf('right'), scopes: null, roles: null });
    expect(await present()).toMatchObject({ outcome: 'authenticated' });
  });
});

describe('many callers at once', () => {
  it('each get their own principal', async () => {
    const authenticate = make();
    const names = Array.from({ length: 40 }, (_, index) => `caller-${index}`);
    const tokens = await Promise.all(names.map((sub) => tokenOf(signer, { sub })));
    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all(tokens.map((token) => authenticate(bearer(token), boundary, context, true)));
      expect(answers.map((answer) => (principal(answer) as { subject: string }).subject)).toEqual(names);
    }
  });

  it('keys of one id but of two algorithms stay apart', async () => {
    const other = await createSigner('PS256');
    const keys: VerificationKey[] = [signer.verification, other.verification];
    const authenticate = make({}, keySetsOf(keys));
    for (let sighting = 0; sighting < 3; sighting++)
      for (const by of [signer, other])
        expect(await authenticate(bearer(await tokenOf(by)), boundary, context, true)).toMatchObject({
          outcome: 'authenticated',
        });
  });
});
