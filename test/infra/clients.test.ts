import { execFile } from 'node:child_process';
import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { CompactSign, decodeJwt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAssertions } from '../../lib/respond/assertion.ts';
import { type AssertionKey, parseAssertionKey } from '../../lib/respond/assertion-key.ts';
import {
  type AssertedVariables,
  createAssertionVerifier,
  createMemoryReplayCache,
  requireAssertionOnExpress as requireOnExpress,
  requireAssertion as requireOnHono,
} from '../../lib/upstream.ts';
import { type Child, freePort, startChild } from '../support/child.ts';
import { ensurePackage, pathOf } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';
import { acceptsConnections } from '../support/listening.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { toolFolder } from '../support/tool-folder.ts';

/* Every verifier behind a real server of its framework, against real assertions and against every way to bend one. */

const AUDIENCE = 'https://api.internal';
const DOWN_URL = 'http://127.0.0.1:1/jwks.json';
const [tools, uvicorn] = await Promise.all([
  toolFolder(),
  ensurePackage('uvicorn', ['uvicorn', 'python3-fastapi', 'python3-jwt', 'python3-cryptography']),
]);

async function assertionKey(algorithm: 'EdDSA' | 'ES256', kid: string) {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(privateKey)), kid };
  const parsed = parseAssertionKey(JSON.stringify(jwk));
  if (!parsed.ok) throw new Error(parsed.problem);
  return { key: parsed.key, privateKey, jwk };
}

const [current, previous, retired] = await Promise.all([
  assertionKey('EdDSA', 'current'),
  assertionKey('ES256', 'previous'),
  assertionKey('EdDSA', 'retired'),
]);
const rsa = await generateKeyPair('RS256', { extractable: true });

const ed448 = generateKeyPairSync('ed448');

function signerOf(keys: readonly [AssertionKey, ...AssertionKey[]]) {
  return createAssertions({ keys, issuer: 'tgefd-authorizer', audience: AUDIENCE, lifetimeSeconds: 30 }, Date.now);
}
const signer = signerOf([current.key, previous.key]);
const transactionSigner = createAssertions(
  {
    ...{ keys: [current.key], issuer: 'tgefd-authorizer', audience: AUDIENCE, lifetimeSeconds: 30 },
    profile: 'txn-token',
  },
  Date.now,
);
const forwarded = { issuer: 'https://id.example', claims: { tenant: 'acme', groups: ['a', 'b'] } };
const facts = {
  decisionId: 'decision-1',
  subject: 'analyst@example.test',
  scopes: ['discover', 'jobs'],
  authMethod: 'jwt' as const,
  method: 'POST',
  path: '/v1/discover',
};

function nowSeconds() {
  return Math.floor(Date.now() / 1000);
}
function goodClaims(): Record<string, unknown> {
  return {
    iss: 'tgefd-authorizer',
    aud: AUDIENCE,
    sub: facts.subject,
    scope: 'discover',
    amr: ['jwt'],
    jti: 'bent',
    iat: nowSeconds(),
    exp: nowSeconds() + 30,
    htm: 'POST',
    htu: `${AUDIENCE}/v1/discover`,
  };
}
const goodHeader = { alg: 'EdDSA', kid: 'current', typ: 'tgefd-assertion+jwt' };
type Header = Record<string, unknown> & { alg: string };

async function sign(
  header: Header,
  claims: unknown,
  key: CryptoKey | Uint8Array = current.privateKey,
): Promise<string> {
  const payload = new TextEncoder().encode(typeof claims === 'string' ? claims : JSON.stringify(claims));
  return new CompactSign(payload)
    .setProtectedHeader(header)
    .sign(key, header.crit === undefined ? {} : { crit: { mine: true } });
}
function bent(change: Record<string, unknown>) {
  return sign(goodHeader, { ...goodClaims(), ...change });
}
function base64url(value: object) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

const REFUSED: readonly (readonly [string, () => Promise<string | null> | string | null])[] = [
  ['no assertion', () => null],
  ['text', () => 'nonsense'],
  ['two assertions in one field', async () => `${await signer.sign(facts)}, ${await signer.sign(facts)}`],
  ['more than 8 KiB', () => bent({ filler: 'x'.repeat(9000) })],
  ['another path', () => signer.sign({ ...facts, path: '/v1/evaluate' })],
  ['a longer path', () => signer.sign({ ...facts, path: '/v1/discover/more' })],
  ['another letter case of the path', () => signer.sign({ ...facts, path: '/v1/Discover' })],
  ['another method', () => signer.sign({ ...facts, method: 'GET' })],
  ['another service as audience', () => bent({ aud: 'https://other.internal' })],
  ['another service in htu', () => bent({ htu: 'https://other.internal/v1/discover' })],
  ['a list of audiences', () => bent({ aud: [AUDIENCE, 'https://other.internal'] })],
  ['another issuer', () => bent({ iss: 'https://issuer.test' })],
  ['an expired one', () => bent({ iat: nowSeconds() - 90, exp: nowSeconds() - 40 })],
  ['one from the future', () => bent({ iat: nowSeconds() + 20, exp: nowSeconds() + 50 })],
  ['a lifetime of 61 seconds', () => bent({ exp: nowSeconds() + 61 })],
  ['an end before the beginning', () => bent({ iat: nowSeconds() + 3, exp: nowSeconds() + 2 })],
  ['times that are text', () => bent({ exp: String(nowSeconds() + 30) })],
  ['an iat that is a boolean', () => bent({ iat: true })],
  ['an empty subject', () => bent({ sub: '' })],
  ['a subject that is a number', () => bent({ sub: 7 })],
  ['scopes as a list', () => bent({ scope: ['discover'] })],
  ['amr as text', () => bent({ amr: 'jwt' })],
  ['an unknown amr', () => bent({ amr: ['pwd'] })],
  ['two amr', () => bent({ amr: ['jwt', 'mtls'] })],
  ['an empty jti', () => bent({ jti: '' })],
  ...['iss', 'aud', 'sub', 'scope', 'amr', 'jti', 'iat', 'exp', 'htm', 'htu'].map(
    (claim) => [`no ${claim}`, () => bent({ [claim]: undefined })] as const,
  ),
  ['claims that are a list', () => sign(goodHeader, '[]')],
  ['claims that are no JSON', () => sign(goodHeader, '{')],
  ['an access token’s typ', () => sign({ ...goodHeader, typ: 'at+jwt' }, goodClaims())],
  ['typ JWT', () => sign({ ...goodHeader, typ: 'JWT' }, goodClaims())],
  ['no typ', () => sign({ alg: 'EdDSA', kid: 'current' }, goodClaims())],
  ['a retired key', () => signerOf([retired.key]).sign(facts)],
  ['a retired key under a current kid', () => sign(goodHeader, goodClaims(), retired.privateKey)],
  ['another key’s kid', () => sign({ ...goodHeader, kid: 'previous' }, goodClaims())],
  ['no kid', () => sign({ alg: 'EdDSA', typ: goodHeader.typ }, goodClaims(), retired.privateKey)],
  [
    'RS256, though the key is published',
    () => sign({ ...goodHeader, alg: 'RS256', kid: 'rsa' }, goodClaims(), rsa.privateKey),
  ],
  [
    'HS256 with the public key as secret',
    () => sign({ ...goodHeader, alg: 'HS256' }, goodClaims(), Buffer.from(String(current.jwk.x), 'base64url')),
  ],
  [
    'EdDSA on Ed448, though the key is published',
    () => {
      const signed = `${base64url({ ...goodHeader, kid: 'ed448' })}.${base64url(goodClaims())}`;
      return `${signed}.${signBytes(null, Buffer.from(signed), ed448.privateKey).toString('base64url')}`;
    },
  ],
  ['alg none', () => `${base64url({ ...goodHeader, alg: 'none' })}.${base64url(goodClaims())}.`],
  ['an unknown critical extension', () => sign({ ...goodHeader, crit: ['mine'], mine: 1 }, goodClaims())],
  [
    'claims changed after signing',
    async () => {
      const [header, , signature] = (await signer.sign(facts)).split('.');
      return `${header}.${base64url({ ...goodClaims(), sub: 'root' })}.${signature}`;
    },
  ],
];

/** Serves the key set, and in it two keys that must never be used. */
const keySet = await listenOnLoopback(
  createServer(async (_, response) => {
    const { keys } = await signer.jwks();
    const others = [
      { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256', use: 'sig' },
      { ...ed448.publicKey.export({ format: 'jwk' }), kid: 'ed448', alg: 'EdDSA', use: 'sig' },
    ];
    response
      .writeHead(200, { 'content-type': 'application/jwk-set+json' })
      .end(JSON.stringify({ keys: [...keys, ...others] }));
  }),
);
const jwksUrl = `http://127.0.0.1:${keySet.port}/_authorizer/jwks.json`;
afterAll(() => keySet.down());

const verifiers = {
  any: createAssertionVerifier({ audience: AUDIENCE, keys: new URL(jwksUrl) }),
  once: createAssertionVerifier({ audience: AUDIENCE, keys: new URL(jwksUrl), replayCache: createMemoryReplayCache() }),
  txn: createAssertionVerifier({ audience: AUDIENCE, keys: new URL(jwksUrl), profile: 'txn-token' }),
  down: createAssertionVerifier({ audience: AUDIENCE, keys: new URL(DOWN_URL) }),
};

function honoApp(report: (why: string) => void): RequestListener {
  const app = new Hono<{ Variables: AssertedVariables }>();
  app.use('/once', requireOnHono(verifiers.once, report));
  app.use('/txn', requireOnHono(verifiers.txn, report));
  app.use('/down', requireOnHono(verifiers.down, report));
  app.use(async (c, next) =>
    /^\/(once|down|txn)$/.test(c.req.path) ? next() : requireOnHono(verifiers.any, report)(c, next),
  );
  app.all('*', (c) => c.json(c.get('caller')));
  return getRequestListener(app.fetch);
}

function expressApp(report: (why: string) => void): RequestListener {
  const express = createRequire(join(pathOf(tools), 'package.json'))('express');
  const app = express();
  const router = express.Router(); // Mounted: the middleware must look at the path as received.
  app.post(
    '/once',
    requireOnExpress(
      createAssertionVerifier({ audience: AUDIENCE, keys: new URL(jwksUrl), replayCache: createMemoryReplayCache() }),
      report,
    ),
  );
  app.post('/txn', requireOnExpress(verifiers.txn, report));
  app.post('/down', requireOnExpress(verifiers.down, report));
  router.use(requireOnExpress(verifiers.any, report));
  app.use((request: { path: string }, response: unknown, next: () => void) =>
    /^\/(once|down|txn)$/.test(request.path) ? next() : router(request, response, next),
  );
  app.use('/v1', router);
  app.use((_: unknown, response: { locals: { caller: object }; json(body: object): void }) =>
    response.json(response.locals.caller),
  );
  return app;
}

interface Service {
  readonly port: number;
  readonly reported: () => readonly string[];
  stop(): Promise<void>;
}

async function startNodeService(app: (report: (why: string) => void) => RequestListener): Promise<Service> {
  const reported: string[] = [];
  const loopback = await listenOnLoopback(createServer(app((why) => reported.push(why))));
  return { port: loopback.port, reported: () => reported, stop: loopback.down };
}

async function startFastApi(): Promise<Service> {
  const port = await freePort();
  const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const child: Child = await startChild({
    command: pathOf(uvicorn),
    args: ['fastapi_app:app', '--host', '127.0.0.1', '--port', String(port), '--log-level', 'warning'],
    env: {
      PYTHONPATH: `${folder('clients')}:${folder('../../infra/clients/python')}`,
      PYTHONDONTWRITEBYTECODE: '1',
      AUDIENCE,
      JWKS_URL: jwksUrl,
      DOWN_URL,
    },
    ready: () => acceptsConnections(port),
  });
  return {
    port,
    reported: () => child.lines.flatMap((line) => /^refused (\S+)$/.exec(line)?.[1] ?? []),
    stop: child.stop,
  };
}

const services = [
  { name: 'Hono', programs: [], start: () => startNodeService(honoApp) },
  { name: 'Express', programs: [tools], start: () => startNodeService(expressApp) },
  { name: 'FastAPI', programs: [uvicorn], start: startFastApi },
];

for (const { name, programs, start } of services) {
  describeWith(programs, `the ${name} verifier`, () => {
    let service: Service;
    beforeAll(async () => {
      service = await start();
    });
    afterAll(() => service?.stop());

    const send = (assertion: string | null, path = '/v1/discover', method = 'POST') =>
      fetch(`http://127.0.0.1:${service.port}${path}`, {
        method,
        headers: assertion === null ? {} : { 'x-tgefd-assertion': assertion },
      });

    test('takes a real assertion and tells who calls', async () => {
      const response = await send(await signer.sign(facts), '/v1/discover?query=is-not-covered');
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        subject: 'analyst@example.test',
        idp: null,
        claims: {},
        scopes: ['discover', 'jobs'],
        authMethod: 'jwt',
        decisionId: 'decision-1',
        expiresAtSeconds: expect.closeTo(nowSeconds() + 30, -1),
      });
    });

    test('tells the issuer of the caller and the claims that are forwarded', async () => {
      const assertion = await signer.sign({ ...facts, ...forwarded });
      expect(await (await send(assertion)).json()).toMatchObject({ idp: forwarded.issuer, claims: forwarded.claims });
    });

    test('takes a Transaction Token where that is the form, and each form only there', async () => {
      const request = { ...facts, ...forwarded, path: '/txn' };
      const response = await send(await transactionSigner.sign(request), '/txn');
      expect([response.status, await response.json()]).toMatchObject([
        200,
        { subject: facts.subject, scopes: facts.scopes, authMethod: 'jwt', decisionId: facts.decisionId },
      ]);
      expect((await send(await signer.sign(request), '/txn')).status).toBe(401);
      expect((await send(await transactionSigner.sign(facts))).status).toBe(401);
      expect((await send(await transactionSigner.sign(facts), '/txn')).status).toBe(401);
    });

    test.each(['txn', 'sub', 'scope', 'req_wl', 'tctx', 'rctx', 'iat', 'exp', 'aud', 'iss'])(
      'refuses a Transaction Token without %s',
      async (claim) => {
        const whole = decodeJwt(await transactionSigner.sign({ ...facts, path: '/txn' }));
        const header = { ...goodHeader, typ: 'txntoken+jwt' };
        expect((await send(await sign(header, whole), '/txn')).status).toBe(200);
        expect((await send(await sign(header, { ...whole, [claim]: undefined }), '/txn')).status).toBe(401);
      },
    );

    test('takes one signed by the previous key, without scopes, on an encoded path', async () => {
      const path = '/v1/jobs/a%20b%C3%A9';
      const assertion = await signerOf([previous.key]).sign({
        ...facts,
        method: 'GET',
        path,
        scopes: [],
        authMethod: 'mtls',
      });
      const response = await send(assertion, path, 'GET');
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ scopes: [], authMethod: 'mtls' });
    });

    test.each(REFUSED)('refuses %s with a 401 that does not say why', async (_, make) => {
      const before = service.reported().length;
      const response = await send(await make());
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual({ detail: 'unauthorized' });
      await expect.poll(() => service.reported().length, { interval: 5 }).toBe(before + 1);
      expect(service.reported().at(-1)).not.toBe('keys_unavailable');
    });

    test('an assertion serves once where a replay cache stands', async () => {
      const assertion = await signer.sign({ ...facts, path: '/once', decisionId: 'once' });
      expect((await send(assertion, '/once')).status).toBe(200);
      expect((await send(assertion, '/once')).status).toBe(401);
      await expect.poll(() => service.reported().at(-1), { interval: 5 }).toBe('replayed');
    });

    test('an authorizer that is down is a 503, not the caller’s 401', async () => {
      const response = await send(await signer.sign({ ...facts, path: '/down' }), '/down');
      expect(response.status).toBe(503);
      await expect.poll(() => service.reported().at(-1), { interval: 5 }).toBe('keys_unavailable');
    });
  });
}

describeWith([uvicorn], 'the Python key set', () => {
  test('is fetched, kept and dropped as documented', async () => {
    const run = promisify(execFile);
    const env = {
      ...process.env,
      PYTHONPATH: fileURLToPath(new URL('../../infra/clients/python', import.meta.url)),
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const script = fileURLToPath(new URL('clients/remote_keys_test.py', import.meta.url));
    const { stderr } = await run('/usr/bin/python3', [script], { env });
    expect(stderr).toMatch(/Ran 8 tests.*OK/s);
  });
});
