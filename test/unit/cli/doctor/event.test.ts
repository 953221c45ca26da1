import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../../../functions/cli.ts';

const SCHEMAS = 'https://schemas.openid.net/secevent';
const issuer = 'https://id.example';
const { publicKey, privateKey } = await generateKeyPair('ES256');
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
const row = { issuer, audience: 'https://api.example', keys: { jwks: { keys: [jwk] } }, algorithms: 'ES256' };

const environment = {
  ...{ TGEFD_ENV: 'development', TGEFD_AUTH_MODE: 'jwt', TGEFD_UPSTREAM_URL: 'http://127.0.0.1:1' },
  TGEFD_ISSUERS: JSON.stringify([{ issuer, audience: 'api', keys: row.keys, algorithms: 'ES256' }]),
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-doctor-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(claims: object, header: object = {}, env: Record<string, string> = {}) {
  const all = {
    ...{ iss: issuer, aud: row.audience, jti: 'event-1', iat: Math.floor(Date.now() / 1000) },
    ...{ sub_id: { format: 'iss_sub', iss: issuer, sub: 'alice-1234' } },
    ...{ events: { [`${SCHEMAS}/caep/event-type/session-revoked`]: {} }, ...claims },
  };
  const text = await new SignJWT(all)
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'secevent+jwt', ...header })
    .sign(privateKey);
  const file = join(folder, 'event.jwt');
  await writeFile(file, text);
  const lines: string[] = [];
  const code = await main(['doctor', 'event', '--set-file', file], {
    env: { ...environment, TGEFD_EVENT_ISSUERS: JSON.stringify([row]), ...env },
    out: (line) => void lines.push(line),
    err: (line) => void lines.push(line),
  });
  return { code, text: lines.join('\n'), token: text };
}

describe('doctor event', () => {
  test('tells what an event says and that it would be accepted, without the token or its subject', async () => {
    const { code, text, token } = await run({});
    expect(code).toBe(0);
    expect(text).toContain('session-revoked: revokes tokens that were issued before');
    expect(text).toContain('answer         202 revoked');
    expect(text).not.toContain('alice-1234');
    expect(text).not.toContain(token.split('.')[2]);
  });

  test.each<[string, object, object, string, string]>([
    ['aud', { aud: 'https://other.example' }, {}, 'https://api.example', 'TGEFD_EVENT_ISSUERS[0].audience'],
    ['iss', { iss: 'https://id.example/' }, {}, 'https://id.example', 'TGEFD_EVENT_ISSUERS'],
    ['typ', {}, { typ: 'JWT' }, 'secevent+jwt', 'TGEFD_EVENT_ISSUERS[0].types'],
    ['key', {}, { kid: 'k2' }, 'a signature by a key of the set', 'TGEFD_EVENT_ISSUERS[0].keys'],
    ['subject', { sub_id: { format: 'email', email: 'a@b.example' } }, {}, 'format iss_sub', 'the transmitter'],
    [
      'subject_issuer',
      { sub_id: { format: 'iss_sub', iss: 'https://other.example', sub: 'a' } },
      {},
      'https://id.example',
      'TGEFD_EVENT_ISSUERS[0].subject_issuers',
    ],
    ['iat', { iat: 99_999_999_999 }, {}, 'a valid `iat`', 'the transmitter'],
  ])(
    'tells what was found and wanted, and what sets it, when %s refuses it',
    async (check, claims, header, wanted, setBy) => {
      const { code, text } = await run(claims, header);
      expect(code).toBe(1);
      expect(text).toMatch(new RegExp(`refused +\\w+: ${check}\\n`));
      expect(text).toMatch(new RegExp(`wanted +${wanted.replace(/[.+]/g, '\\$&')}`));
      expect(text).toContain(`set by       ${setBy}`);
    },
  );

  test('says that no transmitter is configured', async () => {
    const { TGEFD_EVENT_ISSUERS: _, ...rest } = { ...environment, TGEFD_EVENT_ISSUERS: '' };
    const lines: string[] = [];
    const code = await main(['doctor', 'event', '--set-file', join(folder, 'event.jwt')], {
      env: rest,
      out: (line) => void lines.push(line),
      err: (line) => void lines.push(line),
    });
    expect([code, lines.at(-1)]).toEqual([1, expect.stringContaining('No transmitter is configured')]);
  });
});
