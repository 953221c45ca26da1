import { afterEach, describe, expect, test } from 'vitest';
import { apis, runtimeName, type StartedApi, startApi } from './lambda-apis.ts';

let api: StartedApi | null = null;
afterEach(async () => {
  await api?.stop();
  api = null;
});

const mtls = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'mtls',
  TGEFD_RBAC_ENABLED: 'true',
  TGEFD_TRUSTED_PROXIES: '198.51.100.7/32',
  TGEFD_MTLS_POLICY: JSON.stringify([
    { subject: 'CN=alice', scopes: ['metrics'] },
    { subject: 'CN=alice,CN=bob', scopes: ['metrics'] },
    { subject: 'CN=alice,O=b', scopes: ['metrics'] },
  ]),
};
const identity = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'none',
  TGEFD_TRUSTED_PROXIES: '198.51.100.7/32',
  TGEFD_IDENTITY_HEADER: 'x-auth-request-user',
};

describe.each(['REST REQUEST', 'HTTP 1.0', 'HTTP 2.0 simple', 'HTTP 2.0 IAM'] as const)(
  `fields that a trusted proxy sent twice, by %s on ${runtimeName}`,
  (name) => {
    const send = async (env: Record<string, string>, headers: readonly (readonly [string, string])[]) => {
      api = await startApi(apis[name], env);
      const { status } = await api.send({ target: '/v1/metrics', headers });
      return status;
    };
    const subject = (value: string) => ['x-ssl-client-subject', value] as const;
    const user = (value: string) => ['x-auth-request-user', value] as const;

    test('the subject of a certificate, once, is believed', async () => {
      expect(await send(mtls, [subject('CN=alice')])).toBe(200);
    });

    test.each([
      ['the subject of a certificate', mtls, [subject('CN=alice'), subject('CN=bob')]],
      ['the same subject', mtls, [subject('CN=alice'), subject('CN=alice')]],
      ['a subject that joins to a name of two parts', mtls, [subject('CN=alice'), subject('O=b')]],
      ['the name of the caller', identity, [user('alice'), user('bob')]],
    ] as const)('%s, is refused', async (_, env, headers) => {
      expect([400, 401, 403]).toContain(await send(env, headers));
      expect(api?.forwarded).toEqual([]);
    });
  },
);
