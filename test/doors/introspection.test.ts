import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { CF_FIELD, startWorkerDoor } from '../support/worker-door.ts';

const AUDIENCE = 'urn:tgefd:api';
const CALLER = { id: 'caller', secret: 'caller-secret' };

/** The caller's address, as Cloudflare tells it. */
const EDGE = { [CF_FIELD]: '{"colo":"TEST"}', 'cf-connecting-ip': '192.0.2.7' };

interface OpaqueIssuer {
  readonly url: string;
  /** Paths that were asked for, in their order. */
  readonly asked: string[];
  token(): Promise<string>;
  revoke(token: string): Promise<void>;
  /** What answers instead of the issuer; null: the issuer. */
  instead: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  stop(): Promise<void>;
}

/** A real issuer whose access tokens only it can read. */
async function startOpaqueIssuer(signs: boolean): Promise<OpaqueIssuer> {
  const asked: string[] = [];
  let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  const front = await listenOnLoopback(
    createServer((request, response) => {
      asked.push(request.url ?? '');
      (issuer.instead ?? answer)(request, response);
    }),
    0,
  );
  const url = `http://127.0.0.1:${front.port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: 'rs256-1', alg: 'RS256', use: 'sig' };
  const client = (id: string, further: object) => ({
    ...{ client_id: id, client_secret: `${id}-secret`, redirect_uris: [], response_types: [] },
    ...{ grant_types: ['client_credentials'], ...further },
  });
  answer = new Provider(url, {
    clients: [client(CALLER.id, {}), client('api', signs ? { introspection_signed_response_alg: 'RS256' } : {})],
    scopes: ['metrics', 'discover'],
    jwks: { keys: [jwk] },
    cookies: { keys: ['no cookie is ever set'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      jwtIntrospection: { enabled: signs },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: () => ({
          ...{ scope: 'metrics discover', audience: AUDIENCE, accessTokenTTL: 300, accessTokenFormat: 'opaque' },
        }),
      },
    },
  }).callback();
  const post = (path: string, body: Record<string, string>) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${CALLER.id}:${CALLER.secret}`)}` },
      body: new URLSearchParams(body),
    });
  const issuer: OpaqueIssuer = {
    ...{ url, asked, instead: null },
    async token() {
      const response = await post('/token', { grant_type: 'client_credentials', resource: AUDIENCE, scope: 'metrics' });
      const { access_token: token } = (await response.json()) as { access_token?: string };
      if (token === undefined) throw new Error('the issuer refused');
      return token;
    },
    async revoke(token) {
      await post('/token/revocation', { token });
    },
    stop: () => front.down(),
  };
  return issuer;
}

describe.each([
  ['the Node gateway, a plain answer', startNodeDoor, false],
  ['the Node gateway, a signed answer (RFC 9701)', startNodeDoor, true],
  ['the Worker, a signed answer', startWorkerDoor, true],
] as const)('opaque tokens at %s', (_, start, signs) => {
  let issuer: OpaqueIssuer;
  let upstream: Upstream;
  let door: StartedDoor;

  beforeAll(async () => {
    [issuer, upstream] = await Promise.all([startOpaqueIssuer(signs), startUpstream()]);
    door = await start({
      ...{ TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'jwt', TGEFD_UPSTREAM_URL: upstream.url },
      ...{
        TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE: '20',
        TGEFD_REVOCATION_MAX_DELAY_SEC: '1',
        TGEFD_JWKS_TIMEOUT_SEC: '1',
      },
      TGEFD_ISSUERS: JSON.stringify([
        {
          ...{ issuer: issuer.url, audience: AUDIENCE, subject: ['sub', 'client_id'] },
          introspection: {
            ...{ url: `${issuer.url}/token/introspection`, client_id: 'api', client_secret: 'api-secret' },
          },
        },
      ]),
    });
  });
  afterAll(() => Promise.all([door, issuer, upstream].map((part) => part?.stop())));

  const ask = async (token: string) => {
    const response = await fetch(`${door.url}/v1/metrics`, { headers: { authorization: `Bearer ${token}`, ...EDGE } });
    const body = await response.text();
    return { status: response.status, code: response.status === 200 ? null : JSON.parse(body).code };
  };
  const questions = () => issuer.asked.filter((path) => path === '/token/introspection').length;

  test('pass while they are active, and are asked about once in a while', async () => {
    const token = await issuer.token();
    const before = questions();
    for (let i = 0; i < 5; i++) expect((await ask(token)).status).toBe(200);
    expect(questions() - before).toBeLessThanOrEqual(2);
    await issuer.revoke(token);
    await expect.poll(() => ask(token), { timeout: 3_000, interval: 100 }).toMatchObject({ status: 401 });
  });

  test('that nobody issued are refused', async () => {
    expect(await ask('a-token-that-nobody-issued')).toEqual({ status: 401, code: 'credentials_invalid' });
  });

  test('an answer that is none is 503, never the caller’s 401', async () => {
    const html = (response: ServerResponse) => response.setHeader('content-type', 'text/html').end('<html>');
    const json = (response: ServerResponse, text: string) =>
      response.setHeader('content-type', 'application/json').end(text);
    const faults: readonly ((response: ServerResponse) => void)[] = [
      html,
      (response) => void response.writeHead(500).end(),
      (response) => void response.destroy(),
      (response) => void json(response, `{"active":true,"padding":"${'x'.repeat(100_000)}"}`),
      (response) => void json(response, '{"active":'),
      () => {},
    ];
    for (const fault of faults) {
      const token = await issuer.token();
      issuer.instead = (_request, response) => fault(response);
      expect(await ask(token)).toEqual({ status: 503, code: 'keys_unavailable' });
      issuer.instead = null;
      expect((await ask(token)).status).toBe(200);
    }
  });

  test('what is a JWS or no token at all is refused unasked, though the issuer would call anything active', async () => {
    issuer.instead = (_request, response) =>
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ active: true, sub: 'x', aud: AUDIENCE, scope: 'metrics' }));
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = part({ iss: issuer.url, sub: 'x', aud: AUDIENCE });
    const before = questions();
    for (const token of [
      `${part({ alg: 'none' })}.${claims}.`,
      `${part({ alg: 'RS256' })}=.${claims}.AAAA=`,
      'two words',
      '{"payload":"e30"}',
    ])
      expect(await ask(token)).toEqual({ status: 401, code: 'credentials_invalid' });
    expect(questions()).toBe(before);
    expect((await ask('1|id.with/all+its~signs:-_=')).status).toBe(200);
    issuer.instead = null;
  });

  test('an answer whose `active` is a text is no word for the token', async () => {
    const token = await issuer.token();
    issuer.instead = (_request, response) =>
      response.setHeader('content-type', 'application/json').end(`{"active":"true","sub":"x","aud":"${AUDIENCE}"}`);
    expect((await ask(token)).status).toBe(401);
    issuer.instead = null;
  });

  test('a flood of unknown ones of one address is 429 soon, costs few questions, and keeps nobody else out', async () => {
    const token = await issuer.token();
    expect((await ask(token)).status).toBe(200);
    const before = questions();
    const statuses = [];
    for (let i = 0; i < 40; i++) statuses.push((await ask(`unknown-${i}`)).status);
    expect(statuses.slice(-10)).toEqual(Array(10).fill(429));
    expect(questions() - before).toBeLessThanOrEqual(21);
    expect((await ask(token)).status).toBe(200);
  });

  test('an issuer of opaque tokens is not asked for its metadata, unless its answers are signed', () => {
    const paths = issuer.asked.filter((path) => path !== '/token' && !path.startsWith('/token/'));
    if (!signs) expect(paths).toEqual([]);
    else expect(new Set(paths)).toEqual(new Set(['/.well-known/openid-configuration', '/jwks']));
  });
});
