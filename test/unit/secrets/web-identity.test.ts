import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import type { Fetch } from '../../../lib/decision/ports.ts';
import { loadAssertionKey, parseAssertionKey } from '../../../lib/respond/assertion-key.ts';
import {
  createWebIdentityTokens,
  discoveryDocument,
  WEB_IDENTITY_SUBJECT,
} from '../../../lib/respond/assertion-web-identity.ts';
import { createExpiring } from '../../../lib/secrets/expiring.ts';
import { AWS_AUDIENCE, assumeRole, federateWithGoogle } from '../../../lib/secrets/web-identity.ts';

const nowMs = Date.parse('2026-11-24T10:00:00Z');
const issuer = 'https://api.example.com/_authorizer';
async function newKey() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const parsed = parseAssertionKey(JSON.stringify(await exportJWK(privateKey)));
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.key;
}

describe('our own issuer', () => {
  test('a token lives five minutes, names one audience, and verifies by the published key set', async () => {
    const key = await newKey();
    const token = createWebIdentityTokens({ issuer, key }, { clock: () => nowMs, newId: () => 'id-1' });
    const keys = [(await loadAssertionKey(key))?.publicJwk ?? {}];
    const { payload } = await jwtVerify(await token(AWS_AUDIENCE), createLocalJWKSet({ keys }), {
      issuer,
      audience: AWS_AUDIENCE,
      subject: WEB_IDENTITY_SUBJECT,
      currentDate: new Date(nowMs),
    });
    expect([(payload.exp ?? 0) - (payload.iat ?? 0), payload.jti]).toEqual([300, 'id-1']);
  });

  test('its discovery document leads to that key set', async () => {
    expect(discoveryDocument({ issuer, key: await newKey() })).toMatchObject({
      issuer,
      jwks_uri: 'https://api.example.com/_authorizer/jwks.json',
      id_token_signing_alg_values_supported: ['ES256'],
    });
  });
});

/** An answer of STS as its documentation records it. */
const assumed = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>tgefd-authorizer</SubjectFromWebIdentityToken>
    <Audience>sts.amazonaws.com</Audience>
    <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/audit/tgefd</Arn><AssumedRoleId>AROA:tgefd</AssumedRoleId></AssumedRoleUser>
    <Credentials>
      <SessionToken>session/token+value==</SessionToken>
      <SecretAccessKey>secret/key</SecretAccessKey>
      <Expiration>2026-11-24T11:00:00Z</Expiration>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId>
    </Credentials>
    <Provider>arn:aws:iam::123456789012:oidc-provider/api.example.com/_authorizer</Provider>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>`;
const role = { arn: 'arn:aws:iam::123456789012:role/audit', region: 'eu-central-1', sessionName: 'tgefd' };
function serving(answer: (url: string, body: string, headers: Headers) => Response) {
  const asked: string[] = [];
  const fetch: Fetch = async (input, init) => {
    asked.push(`${init?.method} ${input}`);
    return answer(input, String(init?.body), new Headers(init?.headers));
  };
  const token = async (audience: string) => `token for ${audience}`;
  return { asked, parts: { fetch, token, clock: () => nowMs, timeoutMs: 1000 } };
}

describe('AssumeRoleWithWebIdentity', () => {
  test('gives the credentials of the role until they end', async () => {
    let form = new URLSearchParams();
    const { asked, parts } = serving((_url, body) => {
      form = new URLSearchParams(body);
      return new Response(assumed);
    });
    const { value, lifeMs } = await assumeRole(role, parts);
    expect(asked).toEqual(['POST https://sts.eu-central-1.amazonaws.com/']);
    expect(Object.fromEntries(form)).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: role.arn,
      WebIdentityToken: 'token for sts.amazonaws.com',
    });
    expect(value).toMatchObject({
      accessKeyId: 'ASIAEXAMPLE',
      secretAccessKey: 'secret/key',
      sessionToken: 'session/token+value==',
    });
    expect(lifeMs).toBe(3_600_000);
  });

  test.each([
    [
      'a refusal',
      403,
      '<ErrorResponse><Error><Code>AccessDenied</Code><Message>hunter2</Message></Error></ErrorResponse>',
      'status 403 from STS (AccessDenied)',
    ],
    ['no XML', 200, 'hunter2', 'an answer of STS without credentials'],
    [
      'two of one element',
      200,
      assumed.replace('</Credentials>', '<AccessKeyId>X</AccessKeyId></Credentials>'),
      'an answer of STS without credentials',
    ],
    ['no end', 200, assumed.replace('2026-11-24T11:00:00Z', 'soon'), 'an answer of STS without credentials'],
  ])('%s rejects without what was answered', async (_, status, body, message) => {
    const { parts } = serving(() => new Response(body, { status }));
    await expect(assumeRole(role, parts)).rejects.toThrow(message);
  });
});

describe('workload identity federation', () => {
  const provider = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/tgefd';
  const answer = (url: string, _body: string, headers: Headers) =>
    url.includes('sts.')
      ? Response.json({ access_token: 'federated', expires_in: 3599, token_type: 'Bearer' })
      : headers.get('authorization') === 'Bearer federated'
        ? Response.json({ accessToken: 'of the account', expireTime: '2026-11-24T10:30:00Z' })
        : new Response('hunter2', { status: 401 });

  test('gives the federated token, or that of a service account', async () => {
    const { parts } = serving(answer);
    expect(await federateWithGoogle({ provider, serviceAccount: null }, parts)).toEqual({
      value: 'federated',
      lifeMs: 3_599_000,
    });
    const own = serving(answer);
    const account = { provider, serviceAccount: 'audit@project.iam.gserviceaccount.com' };
    expect(await federateWithGoogle(account, own.parts)).toEqual({
      value: 'of the account',
      lifeMs: 1_800_000,
    });
    expect(own.asked[1]).toContain('/serviceAccounts/audit%40project.iam.gserviceaccount.com:generateAccessToken');
  });

  test.each([
    ['itself', null, 'https://www.googleapis.com/auth/devstorage.read_write', 1],
    ['as a service account', 'audit@p.iam.gserviceaccount.com', 'https://www.googleapis.com/auth/cloud-platform', 2],
  ])(
    '%s it asks as the documentation says (RFC 8693, in Google’s spelling)',
    async (_, serviceAccount, scope, calls) => {
      const bodies: unknown[] = [];
      const { parts } = serving((url, body, headers) => {
        bodies.push(JSON.parse(body));
        return answer(url, body, headers);
      });
      await federateWithGoogle({ provider, serviceAccount }, parts);
      expect(bodies[0]).toEqual({
        grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
        audience: provider,
        scope,
        requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
        subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
        subjectToken: `token for ${provider}`,
      });
      const account = { scope: ['https://www.googleapis.com/auth/devstorage.read_write'], lifetime: '3600s' };
      expect(bodies.slice(1)).toEqual(calls === 2 ? [account] : []);
    },
  );

  test('a refusal is told by its status and place', async () => {
    const { parts } = serving(() => new Response('{"error":"hunter2"}', { status: 400 }));
    await expect(federateWithGoogle({ provider, serviceAccount: null }, parts)).rejects.toThrow(
      'status 400 from sts.googleapis.com',
    );
  });
});

describe('credentials that end', () => {
  const under = (lifeMs: number, sharePromises = true) => {
    const state = { nowMs, fetches: 0, down: false };
    const get = createExpiring(
      async () => {
        state.fetches++;
        if (state.down) throw new Error('away');
        return { value: state.fetches, lifeMs };
      },
      { stopwatch: () => state.nowMs, sharePromises },
    );
    return { state, get };
  };

  test('are kept until five minutes before their end', async () => {
    const { state, get } = under(3_600_000);
    expect([await get(), await get()]).toEqual([1, 1]);
    state.nowMs += 3_299_999;
    expect(await get()).toBe(1);
    state.nowMs += 1;
    expect(await get()).toBe(2);
  });

  test('of a short life are kept for half of it', async () => {
    const { state, get } = under(60_000);
    await get();
    state.nowMs += 29_999;
    expect(await get()).toBe(1);
    state.nowMs += 1;
    expect(await get()).toBe(2);
  });

  test('are fetched once for all who ask at one time, where promises may be shared', async () => {
    const { state, get } = under(3_600_000);
    await Promise.all([get(), get(), get()]);
    expect(state.fetches).toBe(1);
    const apart = under(3_600_000, false);
    await Promise.all([apart.get(), apart.get()]);
    expect(apart.state.fetches).toBe(2);
  });

  test('serve until their end while none are to be had, and not a moment longer', async () => {
    const { state, get } = under(3_600_000);
    await get();
    state.down = true;
    state.nowMs += 3_599_999;
    expect(await get()).toBe(1);
    state.nowMs += 1;
    await expect(get()).rejects.toThrow('away');
    state.down = false;
    expect(await get()).toBe(4);
  });
});
