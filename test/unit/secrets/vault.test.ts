import { describe, expect, test } from 'vitest';
import { createVaultSecrets, type VaultSettings } from '../../../lib/secrets/vault.ts';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly token: string | null;
  readonly body: unknown;
}

/** Vault's HTTP API as its documentation records it: one login method, renewable sessions, one KV v2 mount. */
function startVault(secrets: Record<string, Record<string, unknown>>, { leaseSeconds = 3600, renewable = true } = {}) {
  const calls: Call[] = [];
  const sessions = new Set<string>(['root']);
  let logins = 0;
  const answers = (call: Call): [number, object] => {
    if (call.path.endsWith('/login')) {
      if ((call.body as { jwt?: string }).jwt !== 'jwt-of-ours') return [403, { errors: ['permission denied'] }];
      const token = `session-${++logins}`;
      sessions.add(token);
      return [200, { auth: { client_token: token, lease_duration: leaseSeconds, renewable } }];
    }
    if (!sessions.has(call.token ?? '')) return [403, { errors: ['permission denied'] }];
    if (call.path === 'auth/token/lookup-self') return [200, { data: { ttl: leaseSeconds, renewable } }];
    if (call.path === 'auth/token/renew-self')
      return renewable
        ? [200, { auth: { client_token: call.token, lease_duration: leaseSeconds, renewable } }]
        : [400, {}];
    const secret = secrets[call.path];
    return secret === undefined ? [404, { errors: [] }] : [200, { data: { data: secret, metadata: { version: 3 } } }];
  };
  let nowMs = 1_000_000;
  const settings = (auth: VaultSettings['auth']): VaultSettings => ({
    url: 'https://vault.example',
    namespace: null,
    auth,
    timeoutMs: 1000,
  });
  const lines: string[] = [];
  return {
    calls,
    sessions,
    lines,
    paths: () => calls.map(({ path }) => path),
    wait: (ms: number) => {
      nowMs += ms;
    },
    reader: (auth: VaultSettings['auth'], more: Partial<VaultSettings> = {}, jwt: string | null = 'jwt-of-ours\n') =>
      createVaultSecrets(
        { ...settings(auth), ...more },
        {
          fetch: async (input, init) => {
            const headers = new Headers(init?.headers);
            const call: Call = {
              method: init?.method ?? 'GET',
              path: new URL(input).pathname.replace('/v1/', ''),
              token: headers.get('x-vault-token'),
              body: init?.body ? JSON.parse(String(init.body)) : null,
            };
            calls.push(call);
            if (headers.get('x-vault-namespace') !== (more.namespace ?? null))
              return Response.json({}, { status: 404 });
            const [status, body] = answers(call);
            return Response.json(body, { status });
          },
          stopwatch: () => nowMs,
          log: (_level, event) => lines.push(event),
          readCredential: async () => {
            if (jwt === null) throw new Error('ENOENT');
            return auth.method === 'token' ? 'root' : jwt;
          },
        },
      ),
  };
}

const kubernetes = { method: 'kubernetes', role: 'tgefd', mount: 'kubernetes' } as const;
const secret = { 'kv/data/tgefd/jwt': { current: 'new', previous: 'old' } };

describe('secrets in Vault', () => {
  test('logs in with the token of the service account and reads one field of a KV v2 secret', async () => {
    const vault = startVault(secret);
    expect(await vault.reader(kubernetes)('kv/tgefd/jwt#current')).toBe('new');
    expect(vault.calls).toEqual([
      { method: 'POST', path: 'auth/kubernetes/login', token: null, body: { role: 'tgefd', jwt: 'jwt-of-ours' } },
      { method: 'GET', path: 'kv/data/tgefd/jwt', token: 'session-1', body: null },
    ]);
  });

  test('a JWT method mounted elsewhere, in a namespace', async () => {
    const vault = startVault(secret);
    const read = vault.reader({ method: 'jwt', role: 'tgefd', mount: 'jwt/cluster-1' }, { namespace: 'team' });
    expect(await read('kv/tgefd/jwt#previous')).toBe('old');
    expect(vault.paths()[0]).toBe('auth/jwt/cluster-1/login');
  });

  test('two fields asked for together come from one reading; later ones from a new one', async () => {
    const vault = startVault(secret);
    const read = vault.reader(kubernetes);
    await read('kv/tgefd/jwt#current');
    await read('kv/tgefd/jwt#previous');
    expect(vault.paths()).toHaveLength(2);
    vault.wait(1_000);
    await read('kv/tgefd/jwt#current');
    expect(vault.paths()).toHaveLength(3);
  });

  test('renews its lease at two thirds, and not before', async () => {
    const vault = startVault(secret, { leaseSeconds: 300 });
    const read = vault.reader(kubernetes);
    await read('kv/tgefd/jwt#current');
    vault.wait(199_000);
    await read('kv/tgefd/jwt#current');
    expect(vault.paths()).not.toContain('auth/token/renew-self');
    vault.wait(2_000);
    await read('kv/tgefd/jwt#current');
    expect(vault.paths().filter((path) => path === 'auth/token/renew-self')).toHaveLength(1);
    vault.wait(198_000);
    await read('kv/tgefd/jwt#current');
    expect(vault.paths().filter((path) => path.endsWith('/login'))).toHaveLength(1);
  });

  test('logs in anew when the lease is over or cannot be renewed', async () => {
    const over = startVault(secret, { leaseSeconds: 300 });
    const read = over.reader(kubernetes);
    await read('kv/tgefd/jwt#current');
    over.wait(301_000);
    await read('kv/tgefd/jwt#current');
    expect(over.paths()).not.toContain('auth/token/renew-self');
    expect(over.calls.at(-1)?.token).toBe('session-2');

    const batch = startVault(secret, { leaseSeconds: 300, renewable: false });
    const again = batch.reader(kubernetes);
    await again('kv/tgefd/jwt#current');
    batch.wait(250_000);
    await again('kv/tgefd/jwt#current');
    expect(batch.calls.at(-1)?.token).toBe('session-2');
  });

  test('a session that was revoked is replaced once', async () => {
    const vault = startVault(secret);
    const read = vault.reader(kubernetes);
    await read('kv/tgefd/jwt#current');
    vault.sessions.delete('session-1');
    vault.wait(1_000);
    expect(await read('kv/tgefd/jwt#current')).toBe('new');
    expect(vault.calls.at(-1)?.token).toBe('session-2');
  });

  test('a configured token is looked up for its lease and renewed', async () => {
    const vault = startVault(secret, { leaseSeconds: 300 });
    const read = vault.reader({ method: 'token' });
    expect(await read('kv/tgefd/jwt#current')).toBe('new');
    vault.wait(250_000);
    await read('kv/tgefd/jwt#current');
    expect(vault.paths()).toEqual([
      'auth/token/lookup-self',
      'kv/data/tgefd/jwt',
      'auth/token/renew-self',
      'kv/data/tgefd/jwt',
    ]);
  });

  test.each([
    ['a secret that is not there', 'kv/nowhere#x', 'status 404 from Vault for a secret'],
    ['a field that is not there', 'kv/tgefd/jwt#nothing', 'a secret without the field asked for'],
    ['a reference without a path', 'kv#x', 'a reference that is not mount/path#field'],
    ['a reference that climbs', 'kv/../sys/seal#x', 'a reference that is not mount/path#field'],
    ['a reference with an empty segment', 'kv/a//b#x', 'a reference that is not mount/path#field'],
  ])('%s is told without a value', async (_, reference, message) => {
    await expect(startVault(secret).reader(kubernetes)(reference)).rejects.toThrow(message);
  });

  test('a login that Vault refuses, and no token to show', async () => {
    const refused = startVault(secret).reader(kubernetes, {}, 'another');
    await expect(refused('kv/tgefd/jwt#current')).rejects.toThrow('status 403 from Vault for the login');
    const nothing = startVault(secret).reader(kubernetes, {}, null);
    await expect(nothing('kv/tgefd/jwt#current')).rejects.toThrow('no token of ours to show to Vault');
  });
});
