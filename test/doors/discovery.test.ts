import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';
import { apis, startApi } from './lambda-apis.ts';

/* Keys that are found by the metadata of the issuer alone, through real ways in, and metadata that must not be believed. */

const SERVICE_ACCOUNT_TOKEN = 'token-of-the-service-account';

let upstream: Upstream;
let folder: string;
beforeAll(async () => {
  upstream = await startUpstream();
  folder = await mkdtemp(join(tmpdir(), 'tgefd-discovery-'));
});
afterAll(async () => {
  await upstream?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function statusAt(door: StartedDoor, token: string): Promise<number> {
  const answer = await requestRaw(door.port, 'GET /metrics HTTP/1.1', [
    'Host: a.example',
    `Authorization: Bearer ${token}`,
  ]);
  return answer.status;
}

function environment(issuers: readonly object[]): Record<string, string> {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_JWKS_MAX_ATTEMPTS: '1',
    TGEFD_ISSUERS: JSON.stringify(issuers),
  };
}

describe('an issuer that is found by its metadata', () => {
  let issuer: Issuer;
  beforeAll(async () => {
    issuer = await startIssuer();
  });
  afterAll(() => issuer?.stop());
  const rows = () => [{ issuer: issuer.url, audience: issuer.audience }];

  test.each([
    ['Node', startNodeDoor],
    ['a Worker', startWorkerDoor],
  ] as const)('opens %s to its tokens', async (_, start) => {
    const door = await start(environment(rows()));
    try {
      expect(await statusAt(door, await issuer.token())).toBe(200);
      expect(await statusAt(door, await issuer.token({ audience: 'urn:other' }))).toBe(401);
    } finally {
      await door.stop();
    }
  });

  test('decides a token of 16 KB with thousands of roles in no more time than others, where such are allowed', async () => {
    const roles = Array.from({ length: 3000 }, (_, index) => index.toString(36)).join(' ');
    const key = issuer.signingKeys.find(({ alg }) => alg === 'RS256');
    if (key?.kid === undefined) throw new Error('no key');
    const token = await new SignJWT({ iss: issuer.url, sub: 'alice', aud: issuer.audience, roles: `${roles} reader` })
      .setProtectedHeader({ alg: 'RS256', kid: key.kid })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(await importJWK(key));
    expect(token.length).toBeGreaterThan(14_000);
    for (const [most, status] of [
      ['16384', 200],
      ['8192', 400],
    ] as const) {
      const door = await startNodeDoor({ ...environment(rows()), TGEFD_JWT_MAX_BYTES: most });
      try {
        await statusAt(door, await issuer.token());
        const before = performance.now();
        expect(await statusAt(door, token)).toBe(status);
        expect(performance.now() - before).toBeLessThan(1000);
      } finally {
        await door.stop();
      }
    }
  });

  test('opens API Gateway to its tokens', async () => {
    const api = await startApi(apis['HTTP 2.0 simple'], environment(rows()));
    try {
      const headers = [['authorization', `Bearer ${await issuer.token()}`]] as const;
      expect((await api.send({ target: '/metrics', headers })).status).toBe(200);
    } finally {
      await api.stop();
    }
  });
});

describe('two issuers on one server, with one key id and one subject', () => {
  let server: LoopbackServer;
  let asked: Pick<IncomingMessage, 'url' | 'headers'>[];
  let pages: Record<string, object>;
  let privateKeys: { readonly a: CryptoKey; readonly b: CryptoKey };
  let published: { readonly a: JWK; readonly b: JWK };
  const base = () => `http://127.0.0.1:${server.port}`;

  beforeAll(async () => {
    const [a, b] = await Promise.all([
      generateKeyPair('RS256', { extractable: true }),
      generateKeyPair('RS256', { extractable: true }),
    ]);
    privateKeys = { a: a.privateKey, b: b.privateKey };
    const publish = async (key: CryptoKey): Promise<JWK> => ({ ...(await exportJWK(key)), kid: 'k', alg: 'RS256' });
    published = { a: await publish(a.publicKey), b: await publish(b.publicKey) };
    server = await listenOnLoopback(
      createServer((request, response) => {
        asked.push({ url: request.url, headers: request.headers });
        const page = pages[request.url ?? ''];
        const wantsToken = request.url?.startsWith('/cluster') && request.headers.authorization === undefined;
        if (page === undefined || wantsToken) return void response.writeHead(wantsToken ? 401 : 404).end();
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
      }),
    );
  });
  beforeEach(() => {
    asked = [];
    pages = {
      '/a/.well-known/openid-configuration': { issuer: `${base()}/a`, jwks_uri: `${base()}/a/keys` },
      '/b/.well-known/openid-configuration': { issuer: `${base()}/b`, jwks_uri: `${base()}/b/keys` },
      '/a/keys': { keys: [published.a] },
      '/b/keys': { keys: [published.b] },
    };
  });
  afterAll(() => server?.down());

  const signed = (iss: unknown, by: 'a' | 'b') =>
    new SignJWT({ iss, sub: 'alice', aud: 'api' } as object as Record<string, never>)
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKeys[by]);
  const bothRows = () => ['a', 'b'].map((name) => ({ issuer: `${base()}/${name}`, audience: 'api' }));
  async function served<T>(rows: readonly object[], use: (door: StartedDoor) => Promise<T>): Promise<T> {
    const door = await startNodeDoor(environment(rows));
    return use(door).finally(() => door.stop());
  }

  test('keep their keys apart: each key opens for its own issuer only', async () => {
    await served(bothRows(), async (door) => {
      expect(await statusAt(door, await signed(`${base()}/a`, 'a'))).toBe(200);
      expect(await statusAt(door, await signed(`${base()}/b`, 'b'))).toBe(200);
      expect(await statusAt(door, await signed(`${base()}/a`, 'b'))).toBe(401);
      expect(await statusAt(door, await signed(`${base()}/b`, 'a'))).toBe(401);
    });
  });

  test('refuse a token that claims both issuers', async () => {
    await served(bothRows(), async (door) => {
      expect(await statusAt(door, await signed([`${base()}/a`, `${base()}/b`], 'a'))).toBe(401);
      expect(await statusAt(door, await signed(`${base()}/a ${base()}/b`, 'a'))).toBe(401);
    });
  });

  test('metadata that names itself as another issuer lends its keys to nobody', async () => {
    pages['/a/.well-known/openid-configuration'] = { issuer: `${base()}/b`, jwks_uri: `${base()}/b/keys` };
    await served(bothRows(), async (door) => {
      expect(await statusAt(door, await signed(`${base()}/a`, 'b'))).toBe(503);
      expect(await statusAt(door, await signed(`${base()}/b`, 'b'))).toBe(200);
      expect(door.lines.join('\n')).toContain('discovery_issuer_differs');
    });
  });

  test('an issuer that lists another’s key set gets no power over the other', async () => {
    // Issuer b lists the keys of a as its own: then a may sign as b, which is b's own wish, and b still not as a.
    pages['/b/.well-known/openid-configuration'] = { issuer: `${base()}/b`, jwks_uri: `${base()}/a/keys` };
    await served(bothRows(), async (door) => {
      expect(await statusAt(door, await signed(`${base()}/a`, 'b'))).toBe(401);
      expect(await statusAt(door, await signed(`${base()}/b`, 'b'))).toBe(401);
      expect(await statusAt(door, await signed(`${base()}/a`, 'a'))).toBe(200);
    });
  });

  test.each([
    ['at another host', 'http://127.0.0.2:1/keys'],
    ['at the address of a cloud’s metadata', 'http://169.254.169.254/latest'],
    ['in a file', 'file:///etc/passwd'],
  ])('metadata that points %s is followed nowhere', async (_, location) => {
    pages['/a/.well-known/openid-configuration'] = { issuer: `${base()}/a`, jwks_uri: location };
    await served(bothRows(), async (door) => {
      expect(await statusAt(door, await signed(`${base()}/a`, 'a'))).toBe(503);
      expect(door.lines.join('\n')).toMatch(/discovery_(host_refused|without_keys)/);
      expect(asked.map(({ url }) => url)).not.toContain('/a/keys');
    });
  });

  test('a cluster gets the token of the service account with its first request and with every other', async () => {
    const file = join(folder, 'token');
    await writeFile(file, `${SERVICE_ACCOUNT_TOKEN}\n`);
    pages['/cluster/.well-known/openid-configuration'] = {
      issuer: `${base()}/cluster`,
      jwks_uri: `${base()}/cluster/k`,
    };
    pages['/cluster/k'] = { keys: [published.a] };
    const row = { issuer: `${base()}/cluster`, audience: 'api', keys_token_file: file };
    await served([row], async (door) => {
      expect(await statusAt(door, await signed(`${base()}/cluster`, 'a'))).toBe(200);
      expect(asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
        ['/cluster/.well-known/openid-configuration', `Bearer ${SERVICE_ACCOUNT_TOKEN}`],
        ['/cluster/k', `Bearer ${SERVICE_ACCOUNT_TOKEN}`],
      ]);
      expect(door.lines.join('\n')).not.toContain(SERVICE_ACCOUNT_TOKEN);
    });
  });
});
