import { randomBytes } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import { expect } from 'vitest';
import { ingressFields } from '../../lib/request/field-names.ts';
import { signIngressProof } from '../../lib/request/ingress-proof.ts';
import { startIssuer } from '../support/issuer.ts';
import {
  bearer,
  behindProxy,
  home,
  made,
  newValueBound,
  type Play,
  passes,
  recordsIn,
  revocationBound,
  thief,
  withIssuer,
} from './incident.ts';

/** What leaks and is carried by requests, by the headings of docs/guides/secrets.md. */
export const credentialPlays: Readonly<Record<string, Play>> = {
  'A caller’s tokens': async (scene) => {
    const door = await scene.openDoor(withIssuer(scene));
    const stolen = bearer(await scene.issuer.token({ subject: 'alice' }));
    expect(await passes(door, stolen, home)).toBe(true);
    return {
      attempt: () => passes(door, stolen),
      goesOn: async () => passes(door, bearer(await scene.issuer.token({ subject: 'alice' })), home),
      variables: { NAME: 'alice', ADDRESS: thief },
      boundMs: revocationBound,
      detected: (printed) => {
        expect(new Set(recordsIn(printed).map((record) => record.client_address)).size).toBe(2);
      },
    };
  },

  'A token signing key': async (scene) => {
    const issuer = await startIssuer(); // Its own, since it goes on with other keys.
    scene.atEnd(() => issuer.stop());
    await issuer.rotate({ keepOld: false }); // No other issuer of the drill has a key by the name that is revoked.
    const door = await scene.openDoor(withIssuer({ issuer }));
    const jwk = issuer.signingKeys.find(({ alg }) => alg === 'RS256') ?? {};
    const KID = jwk.kid ?? '';
    const forged = await new SignJWT({ scope: 'metrics', client_id: 'x' })
      .setProtectedHeader({ alg: 'RS256', kid: KID, typ: 'at+jwt' })
      .setIssuer(issuer.url)
      .setAudience(issuer.audience)
      .setSubject('whoever-i-like')
      .setIssuedAt()
      .setJti('forged')
      .setExpirationTime('10 min')
      .sign(await importJWK(jwk, 'RS256'));
    let next = false;
    return {
      attempt: () => passes(door, bearer(forged)),
      async goesOn() {
        // The old key stays published: what stops the thief is the revocation alone.
        if (!next) await issuer.rotate({ keepOld: true });
        next = true;
        return passes(door, bearer(await issuer.token({ subject: 'bob' })), home);
      },
      variables: { KID },
      boundMs: revocationBound,
      detected: (printed) => expect(recordsIn(printed).length).toBeGreaterThan(0),
    };
  },

  'The HS256 secret': async (scene) => {
    const leaked = 'the HS256 secret that leaks, of 32 bytes or more';
    const path = await scene.mount('jwt-secret', leaked);
    const door = await scene.openDoor({ ...behindProxy, TGEFD_AUTH_MODE: 'jwt', TGEFD_JWT_SECRET_FILE: path });
    const signed = (subject: string, secret: string) =>
      new SignJWT({ scope: 'metrics' })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(subject)
        .setExpirationTime('5 min')
        .sign(new TextEncoder().encode(secret));
    const forged = bearer(await signed('invented', leaked));
    return {
      attempt: () => passes(door, forged),
      goesOn: async () => passes(door, bearer(await signed('dora', await made(scene))), home),
      variables: { NAME: 'invented' },
      byHand: [async () => scene.mount('jwt-secret', await made(scene))],
      boundMs: newValueBound,
      detected: (printed) => expect(recordsIn(printed).length).toBeGreaterThan(0),
    };
  },

  'An API key': async (scene) => {
    const path = await scene.mount('api-key', 'laptop:the-key-that-leaks');
    const door = await scene.openDoor({ ...behindProxy, TGEFD_AUTH_MODE: 'api_key', TGEFD_API_KEY_FILE: path });
    return {
      attempt: () => passes(door, { 'x-api-key': 'the-key-that-leaks' }),
      goesOn: async () => passes(door, { 'x-api-key': (await made(scene)).replace('desktop:', '') }, home),
      variables: { ID: 'laptop', ID2: 'desktop' },
      byHand: [async () => scene.mount('api-key', await made(scene))],
      boundMs: revocationBound,
      detected: (printed) => expect(recordsIn(printed).length).toBeGreaterThan(0),
    };
  },

  'A client certificate': async (scene) => {
    const [stolen, other] = [randomBytes(32), randomBytes(32)];
    const policy = [stolen, other].map((each) => ({ thumbprint: each.toString('hex'), scopes: ['metrics'] }));
    const door = await scene.openDoor({
      ...behindProxy,
      TGEFD_AUTH_MODE: 'mtls',
      TGEFD_MTLS_POLICY: JSON.stringify(policy),
    });
    const shown = (thumbprint: Buffer) => ({
      'x-forwarded-client-cert': `Hash=${thumbprint.toString('hex')};Subject="CN=machine"`,
    });
    return {
      attempt: () => passes(door, shown(stolen)),
      goesOn: () => passes(door, shown(other), home),
      variables: {
        SHA256: stolen.toString('hex').toUpperCase().match(/../g)?.join(':') ?? '',
        KID: stolen.toString('base64url'),
      },
      boundMs: revocationBound,
      detected: (printed) => expect(recordsIn(printed).length).toBeGreaterThan(0),
    };
  },

  'The ingress proof': async (scene) => {
    const leaked = 'the ingress secret that leaks, of 32 bytes or more';
    const path = await scene.mount('ingress-secret', leaked);
    const subject = 'x-ssl-client-subject';
    const names = ['CN=root', 'CN=clerk'];
    const door = await scene.openDoor({
      TGEFD_AUTH_MODE: 'mtls',
      TGEFD_INGRESS_SECRET_FILE: path,
      TGEFD_MTLS_POLICY: JSON.stringify(names.map((name) => ({ subject: name, scopes: ['metrics'] }))),
    });
    const ask = async (name: string, secret: string) => {
      const fields = { 'x-forwarded-for': thief, [subject]: name };
      const headers = new Headers({ host: `127.0.0.1:${door.port}`, ...fields });
      const request = { method: 'GET', target: '/v1/metrics', headers };
      const nonce = randomBytes(9).toString('base64url');
      const proof = await signIngressProof(
        secret,
        request,
        ingressFields([subject]),
        Math.floor(Date.now() / 1000),
        nonce,
      );
      return passes(door, { ...fields, 'x-tgefd-ingress-proof': proof });
    };
    return {
      attempt: () => ask('CN=root', leaked),
      goesOn: async () => ask('CN=clerk', await made(scene)),
      variables: { NAME: 'CN=root' },
      byHand: [async () => scene.mount('ingress-secret', await made(scene))],
      boundMs: newValueBound,
      detected: (printed) => expect(recordsIn(printed).length).toBeGreaterThan(0),
    };
  },
};
