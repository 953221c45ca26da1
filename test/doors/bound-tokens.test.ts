import * as dpop from 'dpop';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { CLIENT, type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { createProvingClient, type ProvingClient } from '../support/proofs.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const resource = 'https://api.example.com/api';

describe('tokens bound to a key', () => {
  let issuer: Issuer;
  let upstream: Upstream;
  let optional: StartedDoor;
  let nonces: StartedDoor;
  let required: StartedDoor;
  let holder: ProvingClient;
  let bound: string;
  let free: string;

  beforeAll(async () => {
    [issuer, upstream, holder] = await Promise.all([startIssuer(), startUpstream(), createProvingClient()]);
    bound = await issuer.token({ subject: 'alice', claims: { cnf: { jkt: holder.thumbprint } } });
    free = await issuer.token({ subject: 'alice' });
    const environment = { ...jwtEnvironment(issuer), TGEFD_UPSTREAM_URL: upstream.url, TGEFD_RESOURCE: resource };
    [optional, nonces, required] = await Promise.all([
      startNodeDoor(environment),
      startNodeDoor({ ...environment, TGEFD_DPOP_NONCE: 'required' }),
      startNodeDoor({ ...environment, TGEFD_DPOP: 'required' }),
    ]);
  });
  afterAll(() => Promise.all([optional, nonces, required, issuer, upstream].map((part) => part?.stop())));

  async function ask(door: StartedDoor, token: string, scheme: string, proof: string | null) {
    const headers: Record<string, string> = { authorization: `${scheme} ${token}` };
    if (proof !== null) headers.dpop = proof;
    const response = await fetch(`${door.url}/v1/metrics`, { headers });
    await response.body?.cancel();
    return response;
  }
  const proofFor = (door: StartedDoor, token = bound) => holder.prove({ uri: `${door.url}/v1/metrics`, token });

  test('pass with a proof, once', async () => {
    const proof = await proofFor(optional);
    expect((await ask(optional, bound, 'DPoP', proof)).status).toBe(200);
    const again = await ask(optional, bound, 'DPoP', proof);
    expect(again.status).toBe(401);
    expect(again.headers.get('www-authenticate')).toMatch(/^DPoP realm="tgefd", error="invalid_dpop_proof", algs="/);
  });

  test('are refused without a proof, and as Bearer, with or without one', async () => {
    expect((await ask(optional, bound, 'DPoP', null)).status).toBe(401);
    for (const proof of [null, await proofFor(optional)]) {
      const answer = await ask(optional, bound, 'Bearer', proof);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  test('are refused with the proof of another key', async () => {
    const other = await createProvingClient();
    const proof = await other.prove({ uri: `${optional.url}/v1/metrics`, token: bound });
    const answer = await ask(optional, bound, 'DPoP', proof);
    expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP .*error="invalid_token"/);
  });

  test('an unbound token is refused as DPoP, and everywhere where binding is required', async () => {
    expect((await ask(optional, free, 'Bearer', null)).status).toBe(200);
    expect((await ask(optional, free, 'DPoP', await proofFor(optional, free))).status).toBe(401);
    expect((await ask(required, free, 'Bearer', null)).status).toBe(401);
    expect((await ask(required, bound, 'DPoP', await proofFor(required))).status).toBe(200);
  });

  test('the metadata of the resource tells what is true, to anybody, and every challenge names it', async () => {
    for (const path of ['', '/api']) {
      const answer = await fetch(`${optional.url}/.well-known/oauth-protected-resource${path}`);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(await answer.json()).toMatchObject({
        resource,
        authorization_servers: [issuer.url],
        scopes_supported: ['discover', 'evaluate', 'jobs', 'metrics'],
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
      });
    }
    const answer = await fetch(`${optional.url}/v1/metrics`);
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer realm="tgefd", scope="metrics", ' +
        'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/api"',
    );
  });

  test('openid-client gets one from the issuer and uses it, also where a nonce is demanded', async () => {
    const insecure = { execute: [client.allowInsecureRequests] };
    const configuration = await client.discovery(
      new URL(issuer.url),
      CLIENT.id,
      CLIENT.secret,
      client.ClientSecretBasic(CLIENT.secret),
      insecure,
    );
    const keyPair = await client.randomDPoPKeyPair();
    const DPoP = client.getDPoPHandle(configuration, keyPair);
    const parameters = { resource: issuer.audience, scope: 'metrics' };
    const { access_token: token } = await client.clientCredentialsGrant(configuration, parameters, { DPoP });
    for (const door of [optional, nonces, required]) {
      for (let i = 0; i < 2; i++) {
        const url = new URL(`${door.url}/v1/metrics`);
        const call = () =>
          client.fetchProtectedResource(configuration, token, url, 'GET', null, new Headers(), { DPoP });
        const answer = await call().catch((error) => {
          if (
            door === nonces &&
            client.WWWAuthenticateChallengeError &&
            error instanceof client.WWWAuthenticateChallengeError
          )
            return call();
          throw error;
        });
        expect(answer.status).toBe(200);
      }
    }
  });

  test('oauth4webapi and dpop make proofs that count', async () => {
    const keyPair = await oauth.generateKeyPair('ES256', { extractable: true });
    const thumbprint = await dpop.calculateThumbprint(keyPair.publicKey);
    const token = await issuer.token({ claims: { cnf: { jkt: thumbprint } } });
    const url = new URL(`${optional.url}/v1/metrics?page=1`);
    const handle = oauth.DPoP({}, keyPair);
    const options = { DPoP: handle, [oauth.allowInsecureRequests]: true };
    const answer = await oauth.protectedResourceRequest(token, 'GET', url, new Headers(), null, options);
    expect(answer.status).toBe(200);
    const proof = await dpop.generateProof(keyPair, url.href, 'GET', undefined, token);
    const headers = { authorization: `DPoP ${token}`, dpop: proof };
    expect((await fetch(url, { headers })).status).toBe(200);
  });
});
