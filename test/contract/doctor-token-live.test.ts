import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../functions/cli.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';

/* `doctor token` against an issuer that answers: discovery, its key set, and whatever can be wrong with both. */

let folder: string;
let issuer: Issuer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-doctor-'));
  issuer = await startIssuer();
});
afterAll(async () => {
  await issuer?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function doctor(token: string, env: Record<string, string> = {}) {
  const file = join(folder, 'token');
  await writeFile(file, token);
  const lines: string[] = [];
  const add = (line: string) => void lines.push(line);
  const code = await main(['doctor', 'token', '--token-file', file], { env, out: add, err: add });
  return { code, text: lines.join('\n') };
}

describe('doctor token with an issuer that answers', () => {
  it('finds the keys by discovery, verifies the token, and prints settings that accept it', async () => {
    const token = await issuer.token({ subject: 'alice', scope: 'items' });
    const { code, text } = await doctor(token);
    expect(text).toContain(`keys           found by discovery at ${issuer.url}/.well-known/openid-configuration`);
    expect(text).toContain('keys           a key of the issuer verifies the token');
    expect(text).toContain('With them the caller is alice, and holds the scopes: items');
    expect(code).toBe(0);
    const variables = [...text.matchAll(/^ {2}(TGEFD_\w+)=(.*)$/gm)]
      .filter(([, name]) => name !== 'TGEFD_ISSUERS')
      .map(([, name = '', value = '']) => [name, value]);
    const accepted = await doctor(token, {
      ...Object.fromEntries(variables),
      TGEFD_ENV: 'development',
      TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
    });
    expect(accepted.text).toContain('The configuration of this environment accepts the token.');
    expect(accepted.code).toBe(0);
  });

  it('says that no key of the issuer verifies a forged token', async () => {
    const [header, claims] = (await issuer.token()).split('.');
    const { code, text } = await doctor(`${header}.${claims}.${'A'.repeat(342)}`);
    expect(text).toContain('no key of the issuer verifies the token');
    expect(text).toContain('Its signature is refused all the same');
    expect(code).toBe(1);
  });

  it('says that the key set cannot be read', async () => {
    const token = await issuer.token();
    await issuer.setFault({ kind: 'status', status: 503 });
    const { code, text } = await doctor(token);
    await issuer.setFault(null);
    expect(text).toContain(`${issuer.keySetUrl} answered 503`);
    expect(code).toBe(1);
  });

  it('says that the issuer is down, and how to go on', async () => {
    const token = await issuer.token();
    await issuer.setFault({ kind: 'down' });
    const { code, text } = await doctor(token);
    await issuer.setFault(null);
    expect(text).toContain('cannot be reached: the connection was refused');
    expect(text).toContain('name a key set (`keys`, TGEFD_JWKS_URL or TGEFD_JWKS_FILE)');
    expect(text).toContain('A key set is still missing');
    expect(code).toBe(1);
  });
});

describe('doctor token with metadata that cannot be used', () => {
  let server: LoopbackServer;
  let asked: string[];
  let answer: (url: string, response: ServerResponse) => void;
  const base = () => `http://127.0.0.1:${server.port}`;
  beforeAll(async () => {
    server = await listenOnLoopback(
      createServer((request, response) => {
        asked.push(request.url ?? '');
        answer(request.url ?? '', response);
      }),
    );
  });
  afterAll(() => server?.down());

  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const claims = { iss: base(), sub: 'alice', aud: 'api', iat: nowSeconds, exp: nowSeconds + 300 };
    return `${part({ alg: 'RS256', kid: 'k1' })}.${part(claims)}.c2lnbmF0dXJl`;
  };
  const json = (document: () => unknown) => (_: string, response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document()));
  const status =
    (code: number, fields = {}) =>
    (_: string, response: ServerResponse) =>
      void response.writeHead(code, fields).end();

  it.each<[name: string, how: typeof answer, says: string, requests: number]>([
    ['redirects elsewhere', status(302, { location: 'https://evil.example/' }), 'redirects are not followed', 2],
    ['is of another issuer', json(() => ({ issuer: `${base()}/`, jwks_uri: `${base()}/k` })), 'to the last slash', 1],
    ['names keys elsewhere', json(() => ({ issuer: base(), jwks_uri: 'http://evil.example/k' })), 'evil.example', 1],
    ['names no keys', json(() => ({ issuer: base() })), 'it names no key set (`jwks_uri`)', 1],
    ['is a list', json(() => []), 'it is no JSON object', 1],
    ['is not there', status(404), '/.well-known/oauth-authorization-server answered 404', 2],
    ['wants a token', status(401), 'answered 401: it wants a token (`keys_token_file`)', 2],
    ['is broken off', (_, response) => void response.destroy(), 'cannot be reached', 1],
  ])('says that the metadata %s', async (_, how, says, requests) => {
    asked = [];
    answer = how;
    const { code, text } = await doctor(token());
    expect(text).toContain(says);
    expect(text).toContain('Settings under which this token is accepted:');
    expect(text).toContain('A key set is still missing');
    expect(asked).toHaveLength(requests);
    expect(code).toBe(1);
  });
});
