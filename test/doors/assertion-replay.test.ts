import { createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AssertedVariables,
  createAssertionVerifier,
  requireAssertionOnExpress as requireOnExpress,
  requireAssertion as requireOnHono,
} from '../../lib/upstream.ts';
import { freePort, startChild } from '../support/child.ts';
import { ensurePackage, type Program, pathOf } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { acceptsConnections } from '../support/listening.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { toolFolder } from '../support/tool-folder.ts';

/*
 * Assertions as a real door signs them and a real service checks them: taken down on the way, and used again for everything
 * that they were not made for. (Every way to bend one: test/infra/clients.test.ts.)
 */

interface Service {
  readonly port: number;
  stop(): Promise<void>;
}
interface Trust {
  readonly audience: string;
  readonly jwksUrl: string;
}

const [tools, uvicorn] = await Promise.all([
  toolFolder(),
  ensurePackage('uvicorn', ['uvicorn', 'python3-fastapi', 'python3-jwt', 'python3-cryptography']),
]);

async function listening(listener: RequestListener): Promise<Service> {
  const loopback = await listenOnLoopback(createServer(listener));
  return { port: loopback.port, stop: loopback.down };
}
function verifier({ audience, jwksUrl }: Trust) {
  return createAssertionVerifier({ audience, keys: new URL(jwksUrl) });
}
function unreported() {}

const services: readonly { name: string; programs: readonly Program[]; start(trust: Trust): Promise<Service> }[] = [
  {
    name: 'Hono',
    programs: [],
    start(trust) {
      const app = new Hono<{ Variables: AssertedVariables }>();
      app.use(requireOnHono(verifier(trust), unreported));
      app.all('*', (c) => c.json(c.get('caller')));
      return listening(getRequestListener(app.fetch));
    },
  },
  {
    name: 'Express',
    programs: [tools],
    start(trust) {
      const app = createRequire(join(pathOf(tools), 'package.json'))('express')();
      app.use(requireOnExpress(verifier(trust), unreported));
      app.use((_: unknown, response: { locals: { caller: object }; json(body: object): void }) =>
        response.json(response.locals.caller),
      );
      return listening(app);
    },
  },
  {
    name: 'FastAPI',
    programs: [uvicorn],
    async start({ audience, jwksUrl }) {
      const port = await freePort();
      const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
      const child = await startChild({
        command: pathOf(uvicorn),
        args: ['fastapi_app:app', '--host', '127.0.0.1', '--port', String(port), '--log-level', 'warning'],
        env: {
          PYTHONPATH: `${folder('../infra/clients')}:${folder('../../infra/clients/python')}`,
          PYTHONDONTWRITEBYTECODE: '1',
          AUDIENCE: audience,
          JWKS_URL: jwksUrl,
          DOWN_URL: 'http://127.0.0.1:1/jwks.json',
        },
        ready: () => acceptsConnections(port),
      });
      return { port, stop: child.stop };
    },
  },
];

async function newKey(kid: string, algorithm: 'EdDSA' | 'ES256') {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return JSON.stringify({ ...(await exportJWK(privateKey)), kid });
}
const [first, second] = await Promise.all([newKey('first', 'EdDSA'), newKey('second', 'ES256')]);

for (const { name, programs, start } of services) {
  describeWith(programs, `an assertion on its way to ${name}`, () => {
    /** Between door and service: takes down what passes, and knows which door's keys count now. */
    let between: LoopbackServer;
    let door: StartedDoor;
    let service: Service;
    const seen: string[] = [];
    const trust = (): Trust => ({
      audience: `http://127.0.0.1:${between.port}`,
      jwksUrl: `http://127.0.0.1:${between.port}/keys-of-the-door`,
    });

    const startDoor = (keys: Readonly<Record<string, string>>) =>
      startNodeDoor({
        TGEFD_ENV: 'development',
        TGEFD_AUTH_MODE: 'api_key',
        TGEFD_API_KEY: 'alice:key-of-alice',
        TGEFD_AUDIT_LOG: 'false',
        TGEFD_UPSTREAM_URL: trust().audience,
        ...keys,
      });

    beforeAll(async () => {
      between = await listenOnLoopback(
        createServer(async (incoming, outgoing) => {
          if (incoming.url === '/keys-of-the-door') {
            const keys = await fetch(`${door.url}/_authorizer/jwks.json`);
            return outgoing.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(await keys.text());
          }
          const assertion = String(incoming.headers['x-tgefd-assertion']);
          seen.push(assertion);
          const answer = await use(assertion, incoming.url ?? '', incoming.method ?? '');
          return outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
        }),
      );
      door = await startDoor({ TGEFD_ASSERTION_KEY: first });
      service = await start(trust());
    });
    afterAll(async () => {
      await Promise.all([door?.stop(), service?.stop(), between?.down()]);
    });

    const use = (assertion: string, path: string, method: string, at: Service = service) =>
      fetch(`http://127.0.0.1:${at.port}${path}`, { method, headers: { 'x-tgefd-assertion': assertion } });
    /** A request through the door, and the assertion that it was sent on with. */
    const ask = async (path = '/v1/discover', method = 'POST') => {
      const answer = await fetch(`${door.url}${path}`, { method, headers: { 'x-api-key': 'key-of-alice' } });
      return { status: answer.status, body: await answer.json(), assertion: seen.at(-1) ?? '' };
    };

    test('is taken from the door, and lives for a minute at most', async () => {
      const { status, body, assertion } = await ask('/v1/jobs/a%20b?query=1', 'GET');
      expect(status).toBe(200);
      expect(body).toMatchObject({ subject: 'alice', authMethod: 'api_key' });
      const { exp = 0, iat = 0, aud } = decodeJwt(assertion);
      expect(exp - iat).toBeGreaterThan(0);
      expect(exp - iat).toBeLessThanOrEqual(60);
      expect(aud).toBe(trust().audience);
    });

    test('serves for its own path and method, and for no other', async () => {
      const { assertion } = await ask();
      expect((await use(assertion, '/v1/discover', 'POST')).status).toBe(200);
      for (const [method, path] of [
        ['POST', '/v1/evaluate'],
        ['POST', '/v1/discover/'],
        ['POST', '/v1/Discover'],
        ['POST', '//v1/discover'],
        ['GET', '/v1/discover'],
        ['DELETE', '/v1/discover'],
      ] as const)
        expect((await use(assertion, path, method)).status, `${method} ${path}`).toBe(401);
    });

    test('is worth nothing at another upstream that trusts the same door', async () => {
      const other = await start({ ...trust(), audience: 'https://other.internal' });
      const { assertion } = await ask();
      expect((await use(assertion, '/v1/discover', 'POST', other)).status).toBe(401);
      await other.stop();
    });

    test('that a caller brings is not passed on', async () => {
      const { assertion } = await ask();
      const answer = await fetch(`${door.url}/v1/jobs/1`, {
        headers: { 'x-api-key': 'key-of-alice', 'x-tgefd-assertion': assertion, x_tgefd_assertion: assertion },
      });
      expect(answer.status).toBe(200);
      expect(seen.at(-1)).not.toBe(assertion);
    });

    test('outlives a rotation of the key while the old one is published, and not its retirement', async () => {
      const { assertion } = await ask();
      await Promise.all([door.stop(), service.stop()]);
      door = await startDoor({ TGEFD_ASSERTION_KEY: second, TGEFD_ASSERTION_KEY_PREVIOUS: first });
      service = await start(trust());
      expect((await use(assertion, '/v1/discover', 'POST')).status).toBe(200);
      expect((await ask()).status).toBe(200);
      await door.stop();
      door = await startDoor({ TGEFD_ASSERTION_KEY: second });
      const retired = await start(trust());
      expect((await use(assertion, '/v1/discover', 'POST', retired)).status).toBe(401);
      expect((await use((await ask()).assertion, '/v1/discover', 'POST', retired)).status).toBe(200);
      await retired.stop();
    });
  });
}
