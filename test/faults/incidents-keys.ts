import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { CompactSign, importJWK, type JWK } from 'jose';
import { expect } from 'vitest';
import { createAssertionVerifier, type Verifier } from '../../lib/upstream.ts';
import type { Scene } from '../support/incident.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { recordAt } from '../unit/archive/fixtures.ts';
import {
  bearer,
  comesTrue,
  home,
  type Incident,
  made,
  passes,
  pause,
  revocationBound,
  withIssuer,
} from './incident.ts';

const keyOfClerk = 'the-API-key-of-a-clerk-who-goes-on-working';
const withApiKey = { TGEFD_AUTH_MODE: 'api_key', TGEFD_API_KEY: `clerk:${keyOfClerk}` };

/** What leaks and works behind the door, by the headings of docs/guides/secrets.md. */
export const keyPlays = {
  'The assertion key': async (scene: Scene): Promise<Incident> => {
    const leaked = await newKey(scene);
    const path = await scene.mount('assertion-key', JSON.stringify(leaked));
    const service = await startService(scene);
    const door = await scene.openDoor({
      ...withApiKey,
      TGEFD_UPSTREAM_URL: service.url,
      TGEFD_ASSERTION_KEY_FILE: path,
    });
    const verifier = () =>
      createAssertionVerifier({ audience: service.url, keys: new URL(`${door.url}/_authorizer/jwks.json`) });
    service.verifyWith(verifier());
    const key = await importJWK(leaked, 'EdDSA');
    const forge = () => {
      const iat = Math.floor(Date.now() / 1000);
      const claims = {
        iss: 'tgefd-authorizer',
        aud: service.url,
        sub: 'root',
        scope: '*',
        amr: ['jwt'],
        jti: `forged-${randomBytes(6).toString('hex')}`,
        iat,
        exp: iat + 60,
        htm: 'GET',
        htu: `${service.url}/v1/metrics`,
      };
      return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'EdDSA', kid: leaked.kid ?? '', typ: 'tgefd-assertion+jwt' })
        .sign(key);
    };
    const request = { method: 'GET', path: '/v1/metrics' };
    return {
      async attempt() {
        const headers = { 'x-tgefd-assertion': await forge() };
        return (await fetch(`${service.url}/v1/metrics`, { headers })).status === 200;
      },
      goesOn: () => passes(door, { 'x-api-key': keyOfClerk }, home),
      variables: {},
      async evidence(sinceMs) {
        const path = join(scene.folder, 'accepted');
        await writeFile(path, service.accepted.flatMap(({ jti, atMs }) => (atMs >= sinceMs ? [jti] : [])).join('\n'));
        return { ACCEPTED: path };
      },
      byHand: [
        async () => {
          await scene.mount('assertion-key', await made(scene));
          // A verifier that is restarted refuses as soon as the door has the new key; the service's own is not restarted.
          const withdrawn = async () =>
            !(await (await fetch(`${door.url}/_authorizer/jwks.json`)).text()).includes(leaked.kid ?? '');
          expect(await comesTrue(withdrawn)).toBe(true);
          expect(await verifier()(await forge(), request)).toEqual({ outcome: 'refused', refusal: 'key_unknown' });
        },
      ],
      boundMs: () => 10_000,
      detected: (printed) => expect(printed).toContain('line without a record  forged-'),
    };
  },

  'The Redis token': async (scene: Scene): Promise<Incident> => {
    const { redis } = scene;
    const [url, leaked] = [redis.url, redis.token];
    const path = await scene.mount('redis-token', leaked);
    const door = await scene.openDoor({ ...withIssuer(scene), TGEFD_REDIS_TOKEN_FILE: path });
    const command = async (...body: string[]) => {
      const answer = await fetch(url, { method: 'POST', headers: bearer(leaked), body: JSON.stringify(body) });
      return { status: answer.status, text: await answer.text() };
    };
    const banned = bearer(await scene.issuer.token({ subject: 'mallory' }));
    const revoked = await scene.shell('tgefd-authorizer revoke --sub mallory', {});
    await pause(revocationBound(revoked.out));
    expect(await passes(door, banned)).toBe(false);

    const keys = ['', ':changes', ':expiry'].map((suffix) => `tgefd:v1:revocations${suffix}`);
    const held = await Promise.all([command('HGETALL', keys[0] ?? ''), command('XRANGE', 'tgefd:v1:audit', '-', '+')]);
    expect(held.map(({ text }) => text).join()).not.toContain('mallory');
    const [first] = JSON.parse((await command('XREVRANGE', 'tgefd:v1:audit', '+', '-', 'COUNT', '1')).text).result;
    await command('XDEL', 'tgefd:v1:audit', first[0]);
    await command('XADD', 'tgefd:v1:audit', '*', 'r', JSON.stringify(recordAt('made-up', Date.now())));
    return {
      async attempt() {
        await command('DEL', ...keys);
        return passes(door, banned);
      },
      goesOn: async () => passes(door, bearer(await scene.issuer.token({ subject: 'carol' })), home),
      variables: { NAME: 'mallory' },
      evidence: async () => ({ LINES: await scene.writeLines() }),
      byHand: [
        async () => {
          redis.setToken('the Redis token after the reset');
          expect((await command('DEL', ...keys)).status).toBe(401);
          await scene.mount('redis-token', redis.token);
          const renewed = async () => door.lines.some((line) => line.includes('"variables":"TGEFD_REDIS_TOKEN"'));
          expect(await comesTrue(renewed)).toBe(true);
        },
      ],
      boundMs: revocationBound,
      detected: (printed) => {
        expect(printed).toContain('record without a line  made-up');
        expect(printed).toContain('line without a record  ');
        expect(printed).not.toMatch(/^sub {8}/m);
      },
    };
  },
};

/** A service behind the door that believes assertions alone, and writes down what it accepted. */
async function startService(scene: Scene) {
  const accepted: { readonly jti: string; readonly atMs: number }[] = [];
  let verify: Verifier | null = null;
  const server = await listenOnLoopback(
    createServer(async ({ headers, method = '', url: path = '' }, response) => {
      const atMs = Date.now();
      const found = await verify?.(String(headers['x-tgefd-assertion'] ?? ''), { method, path });
      if (found?.outcome === 'verified') accepted.push({ jti: found.caller.decisionId, atMs });
      response.writeHead(found?.outcome === 'verified' ? 200 : 401).end();
    }),
  );
  scene.atEnd(() => server.down());
  const verifyWith = (next: Verifier) => {
    verify = next;
  };
  return { url: `http://127.0.0.1:${server.port}`, accepted, verifyWith };
}

async function newKey({ shell }: Scene, secret = 'assertion-key'): Promise<JWK> {
  return JSON.parse((await shell(`tgefd-authorizer rotate ${secret} --print`, {})).out);
}
