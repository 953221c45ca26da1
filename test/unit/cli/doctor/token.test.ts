import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { main } from '../../../../functions/cli.ts';
import { guessProvider } from '../../../../lib/authenticate/providers/guess.ts';
import { type ProviderName, providerNames } from '../../../../lib/authenticate/providers/provider.ts';
import { settingsFor } from '../../../../lib/cli/doctor/token-settings.ts';
import type { JsonObject } from '../../../../lib/codec/strict-json.ts';
import { providerTokens } from '../../../doors/providers/table.ts';
import { signProviderTokens } from '../../../doors/providers/tokens.ts';

const { environment, cases } = await signProviderTokens();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-doctor-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(token: string, env: Record<string, string> = {}) {
  const file = join(folder, 'token');
  await writeFile(file, `${token}\n`);
  const lines: string[] = [];
  const code = await main(['doctor', 'token', '--token-file', file, '--offline'], {
    env,
    out: (line) => void lines.push(line),
    err: (line) => void lines.push(line),
  });
  return { code, text: lines.join('\n') };
}

function tokenOf(claims: object, header: object = { alg: 'RS256', kid: 'k1' }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.c2lnbmF0dXJl`;
}

describe('guessing a provider', () => {
  it.each(providerNames.map((name) => [name]))('%s is known by its token', (name: ProviderName) => {
    expect(guessProvider(providerTokens[name].claims)).toBe(name);
  });

  it.each([{}, { iss: 'https://id.example' }, { iss: 3 }, { sub: 'alice' }])('nobody is guessed from %j', (claims) => {
    expect(guessProvider(claims)).toBeNull();
  });
});

describe('the settings of a token', () => {
  function rowOf(claims: JsonObject, header: JsonObject = { alg: 'RS256' }) {
    return settingsFor({ header, claims });
  }
  const base = { iss: 'https://id.example', sub: 'a', aud: 'api', iat: 0, exp: 300 };

  it('are the least that differ from the defaults', () => {
    expect(rowOf({ ...base, scope: 'read' }).row).toEqual({ issuer: ['https://id.example'], audience: ['api'] });
  });

  it.each<[name: string, claims: JsonObject, header: JsonObject, row: object]>([
    ['a long life', { exp: 90_000 }, { alg: 'RS256' }, { max_ttl_sec: 90_000 }],
    ['another algorithm', {}, { alg: 'ES256' }, { algorithms: ['ES256'] }],
    ['another type', {}, { alg: 'RS256', typ: 'jwt+x' }, { types: ['jwt+x'] }],
    ['another subject', { sub: '', client_id: 'bot' }, { alg: 'RS256' }, { subject: ['client_id'] }],
    ['permissions', { permissions: ['x'] }, { alg: 'RS256' }, { scopes: ['permissions'] }],
    ['groups', { groups: ['x'] }, { alg: 'RS256' }, { roles: ['groups'], role_scopes: { x: [] } }],
    ['scopes and roles', { scope: 'a', roles: ['admin'] }, { alg: 'RS256' }, { grants: 'union' }],
  ])('name %s', (_, claims, header, row) => {
    expect(rowOf({ ...base, ...claims }, header).row).toMatchObject(row);
  });

  it('leave out audiences that every token of the provider has', () => {
    const { claims } = providerTokens.auth0;
    expect(rowOf(claims as JsonObject).row.audience).toEqual(['https://api.example']);
  });

  it.each([
    ['one tenant', '11111111-2222-4333-8444-555555555555', 'This issuer is one tenant'],
    ['personal accounts', '9188040d-6c67-4c5b-b112-36a304b66dad', 'anybody may get its tokens'],
  ])('of Entra for %s require no `tid`, and say who may get tokens', (_, tid, says) => {
    const iss = `https://login.microsoftonline.com/${tid}/v2.0`;
    const { row, remarks } = rowOf({ ...base, iss, tid });
    expect(row.require).toBeUndefined();
    expect(remarks.join('\n')).toContain(says);
    expect(remarks.join('\n')).not.toContain('keeps strangers out');
  });

  it('say what production refuses', () => {
    const { remarks } = rowOf({ sub: 'a' }, { alg: 'HS256' });
    for (const says of ['no issuer', 'no `aud`', 'HS256', 'never expires']) expect(remarks.join('\n')).toContain(says);
  });
});

describe('doctor token', () => {
  test.each(providerNames.map((name) => [name]))('finds settings for a token of %s', async (name) => {
    const ordinary = cases.find(({ title }) => title === `${name}: an ordinary token`);
    const { code, text } = await run(ordinary?.token ?? '');
    expect(text).toContain(`(${name})`);
    expect(text).toContain(`With them the caller is ${ordinary?.user}`);
    expect(code).toBe(0);
    for (const part of ordinary?.token.split('.') ?? []) expect(text).not.toContain(part);
  });

  it('tells what of a configuration refuses the token', async () => {
    const near = cases.find(({ title }) => title === 'keycloak: an ID token');
    const { code, text } = await run(near?.token ?? '', environment);
    expect(code).toBe(1);
    expect(text).toMatch(/found {3}typ: ID\n {2}wanted {2}Bearer or DPoP\n {2}set by {2}TGEFD_ISSUERS\[8\]\.require/);
  });

  it('tells that a configuration accepts the token, and with which scopes', async () => {
    const ordinary = cases.find(({ title }) => title === 'okta: an ordinary token');
    const { code, text } = await run(ordinary?.token ?? '', environment);
    expect(text).toContain('accepts the token.\n  scopes  openid probe');
    expect(code).toBe(0);
  });

  it.each([
    ['an opaque token', 'abc', 'no JWT (shape)'],
    ['a token of five parts', 'a.b.c.d.e', 'no JWT (shape)'],
    ['an expired token', tokenOf({ iss: 'https://id.example', sub: 'a', aud: 'x', iat: 1, exp: 2 }), 'expired'],
    ['control characters', tokenOf({ iss: 'https://id.example\u001b[2J', sub: 'a', exp: 2 }), '\\u001b[2J'],
  ])('is not misled by %s', async (_, token, says) => {
    const { code, text } = await run(token);
    expect(code).toBe(1);
    expect(text).toContain(says);
    expect(text).not.toContain('\u001b');
  });
});

test('a token that is bound to a key is told how to be sent', async () => {
  const claims = { iss: 'https://id.example', sub: 'a', aud: 'api', iat: 0, exp: 300 };
  const bound = await run(`DPoP ${tokenOf({ ...claims, cnf: { jkt: 'x'.repeat(43) } })}`);
  expect(bound.text).toContain('to a key (cnf.jkt): send it with the scheme DPoP');
  expect((await run(tokenOf(claims))).text).not.toContain('cnf.jkt');
});

describe('what is printed for a shell', () => {
  const claims = { sub: 'a', aud: 'api', iat: 0, exp: 300 };

  it.each([
    ['an audience', { iss: 'https://id.example', aud: '$(touch /tmp/owned)' }],
    ['an issuer', { iss: 'https://id.example/;touch' }],
    ['a required claim', { iss: 'https://accounts.google.com', hd: "acme.example'; touch /tmp/owned; '" }],
  ])('is one word for each value, whatever is in %s of the token', async (_, more) => {
    const { text } = await run(tokenOf({ ...claims, ...more }));
    const lines = text.split('\n').filter((line) => /^ +TGEFD_[A-Z_]+=/.test(line));
    expect(lines.length).toBeGreaterThan(3);
    // Outside of single quotes nothing is left that a shell would act on.
    for (const line of lines) expect(line.replace(/'[^']*'|\\'/g, '')).toMatch(/^ +TGEFD_[A-Z_]+=[\w.,:/@%+-]*$/);
  });

  it('says in which field Cloudflare Access sends its token, and which claim names a service', async () => {
    const access = {
      iss: 'https://acme.cloudflareaccess.com',
      sub: '',
      common_name: 'svc.access',
      aud: ['a'.repeat(64)],
    };
    const { text } = await run(tokenOf({ ...claims, ...access }));
    expect(text).toContain('  TGEFD_JWT_HEADER=cf-access-jwt-assertion\n  TGEFD_JWT_BEARER_PREFIX=\n');
    expect(text).toMatch(/subject +common_name: svc\.access/);
  });
});
