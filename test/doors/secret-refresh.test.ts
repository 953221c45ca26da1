import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { secretAccessSchema } from '../../lib/audit/schema.ts';
import { freePort } from '../support/child.ts';
import type { StartedDoor } from '../support/door.ts';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const values = ['first', 'second', 'third'].map((word) => `the ${word} secret, of more than 32 bytes`);
const [first = '', second = ''] = values;

let folder: string;
let upstream: Upstream;
let door: StartedDoor | null = null;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-secrets-'));
  upstream = await startUpstream();
});
afterEach(() => door?.stop());
afterAll(() => Promise.all([upstream?.stop(), rm(folder, { recursive: true, force: true })]));

/** Replaces a file as a mount does: never half written. */
async function put(name: string, text: string) {
  await writeFile(join(folder, `${name}.new`), text, { mode: 0o600 });
  await rename(join(folder, `${name}.new`), join(folder, name));
}
function signedWith(secret: string) {
  return new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('5 min')
    .sign(new TextEncoder().encode(secret));
}
async function ask(token: string) {
  return (await fetch(`${door?.url}/v1/metrics`, { headers: { authorization: `Bearer ${token}` } })).status;
}
function said(event: string) {
  return door?.lines.filter((line) => line.includes(`"event":"${event}"`)) ?? [];
}
/** Records of readings of secrets, each of the published form. */
function accesses() {
  return (door?.lines ?? [])
    .filter((line) => line.includes('"type":"secret_access"'))
    .map((line) => secretAccessSchema.parse(JSON.parse(line)));
}
async function until(condition: () => boolean | Promise<boolean>, limitMs = 8_000) {
  const beganMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - beganMs > limitMs) throw new Error(`not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - beganMs;
}

function environment(more: Record<string, string>) {
  return {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_UPSTREAM_URL: upstream.url,
    ...more,
  };
}

describe('secrets in mounted files, on Node', () => {
  const files = () => ({
    TGEFD_JWT_SECRET_FILE: join(folder, 'jwt'),
    TGEFD_JWT_SECRET_PREVIOUS_FILE: join(folder, 'jwt-previous'),
    TGEFD_METRICS_ENABLED: 'true',
  });

  test('an HS256 secret is rotated under load: nobody who should pass is refused, and the old one is dead at the end', async () => {
    await Promise.all([put('jwt', first), put('jwt-previous', '')]);
    door = await startNodeDoor(environment(files()));
    const [old, fresh] = [await signedWith(first), await signedWith(second)];
    expect([await ask(old), await ask(fresh)]).toEqual([200, 401]);

    const seen = { old: new Map<number, number>(), fresh: new Map<number, number>() };
    let phase: 'overlap' | 'after' | 'done' = 'overlap';
    const load = async (name: 'old' | 'fresh', token: string, during: string) => {
      while (phase === during) {
        const status = await ask(token);
        if (phase === during) seen[name].set(status, (seen[name].get(status) ?? 0) + 1);
      }
    };
    const oldLoad = load('old', old, 'overlap');
    await put('jwt-previous', first);
    await put('jwt', second);
    await until(async () => (await ask(fresh)) === 200);
    const freshLoad = load('fresh', fresh, 'overlap');
    await new Promise((resolve) => setTimeout(resolve, 500));
    phase = 'after';
    await Promise.all([oldLoad, freshLoad]);
    const later = load('fresh', fresh, 'after');
    await put('jwt-previous', '');
    const deadMs = await until(async () => (await ask(old)) === 401);
    phase = 'done';
    await later;

    expect([...seen.old.keys()]).toEqual([200]);
    expect([...seen.fresh.keys()]).toEqual([200]);
    expect(await ask(old)).toBe(401);
    expect(said('secrets_renewed').length).toBeGreaterThanOrEqual(2);
    console.log(
      `rotation of an HS256 secret: ${seen.old.get(200)} requests by the old one and ${seen.fresh.get(200)} by the new one passed; the old one dead ${Math.round(deadMs)} ms after it was taken away`,
    );
    expect(door.lines.join('\n')).not.toContain('secret, of more than');
    const readings = accesses().filter(({ variable }) => variable === 'TGEFD_JWT_SECRET');
    expect(readings.map(({ outcome, source, component }) => [outcome, source, component])).toEqual([
      ['read', 'file', 'node'],
      ['read', 'file', 'node'],
    ]);
    expect(new Set(readings.map(({ key_id }) => key_id)).size).toBe(2);
  });

  test('no counter of the metrics page falls back when a secret is another', async () => {
    await Promise.all([put('jwt', first), put('jwt-previous', '')]);
    const metricsPort = await freePort();
    door = await startNodeDoor(environment({ ...files(), TGEFD_METRICS_PORT: `${metricsPort}` }));
    const counters = async () => {
      const page = await (await fetch(`http://127.0.0.1:${metricsPort}/_authorizer/metrics`)).text();
      const lines = page
        .split('\n')
        .filter((line) => /_(total|count|sum|bucket)[{ ]/.test(line) && !line.startsWith('#'));
      return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
    };
    const decided = async () => {
      const entries = [...(await counters())].filter(([name]) => name.startsWith('tgefd_decisions_total'));
      return entries.reduce((sum, [, value]) => sum + value, 0);
    };
    const old = await signedWith(first);
    for (let time = 0; time < 20; time++) await ask(old);
    const before = await counters();
    await put('jwt', second);
    let asked = 20;
    await until(async () => {
      asked += 1;
      return (await ask(await signedWith(second))) === 200;
    });
    const after = await counters();
    expect(before.size).toBeGreaterThan(10);
    for (const [name, value] of before) expect(after.get(name), name).toBeGreaterThanOrEqual(value);
    expect(await decided()).toBe(asked);
  });

  test('a value that does not hold together changes nothing, and is said once', async () => {
    await Promise.all([put('jwt', first), put('jwt-previous', '')]);
    door = await startNodeDoor(environment({ ...files(), TGEFD_SECRETS_REFRESH_SEC: '0.3' }));
    const old = await signedWith(first);
    await put('jwt', 'short');
    await until(() => said('secrets_refused').length > 0);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([said('secrets_refused').length, await ask(old)]).toEqual([1, 200]);
    await rm(join(folder, 'jwt'));
    await until(() => said('secrets_not_renewed').length > 0);
    expect(await ask(old)).toBe(200);
    await until(() => accesses().some(({ outcome, key_id }) => outcome === 'failed' && key_id === null));
    await put('jwt', second);
    await until(async () => (await ask(await signedWith(second))) === 200);
    expect(await ask(old)).toBe(401);
  });
});

describe('secrets in Vault, served as its HTTP API is documented, on Node', () => {
  let vault: LoopbackServer;
  let data = { current: first, previous: '' };
  let down = false;
  const asked: string[] = [];
  beforeAll(async () => {
    await put('sa-token', 'a projected service-account token\n');
    vault = await listenOnLoopback(
      createServer(async (incoming, outgoing) => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk);
        asked.push(`${incoming.method} ${incoming.url}`);
        const answer = (status: number, body: object) =>
          outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        if (down) return answer(503, { errors: ['Vault is sealed'] });
        if (incoming.url === '/v1/auth/kubernetes/login') {
          const { role, jwt } = JSON.parse(Buffer.concat(chunks).toString());
          if (role !== 'tgefd' || jwt !== 'a projected service-account token') return answer(403, { errors: [] });
          return answer(200, { auth: { client_token: 'hvs.session', lease_duration: 1, renewable: true } });
        }
        if (incoming.headers['x-vault-token'] !== 'hvs.session') return answer(403, { errors: ['permission denied'] });
        if (incoming.url === '/v1/auth/token/renew-self')
          return answer(200, { auth: { client_token: 'hvs.session', lease_duration: 1, renewable: true } });
        return answer(200, { data: { data, metadata: { version: 1 } } });
      }),
    );
  });
  afterAll(() => vault?.down());

  test('are read at the start, renewed in time, and kept while Vault is sealed', async () => {
    door = await startNodeDoor(
      environment({
        TGEFD_JWT_SECRET: 'vault:kv/tgefd/jwt#current',
        TGEFD_JWT_SECRET_PREVIOUS: 'vault:kv/tgefd/jwt#previous',
        TGEFD_VAULT_URL: `http://127.0.0.1:${vault.port}`,
        TGEFD_VAULT_ROLE: 'tgefd',
        TGEFD_VAULT_JWT_FILE: join(folder, 'sa-token'),
        TGEFD_SECRETS_REFRESH_SEC: '1.1',
      }),
    );
    const [old, fresh] = [await signedWith(first), await signedWith(second)];
    expect([await ask(old), await ask(fresh)]).toEqual([200, 401]);
    down = true;
    await until(() => said('secrets_not_renewed').length > 0);
    expect(await ask(old)).toBe(200);
    down = false;
    data = { current: second, previous: first };
    await until(async () => (await ask(fresh)) === 200);
    expect(await ask(old)).toBe(200);
    data = { current: second, previous: '' };
    await until(async () => (await ask(old)) === 401);
    expect(await ask(fresh)).toBe(200);
    expect(asked.filter((line) => line.includes('/data/')).every((line) => line === 'GET /v1/kv/data/tgefd/jwt')).toBe(
      true,
    );
    expect(door.lines.join('\n')).not.toMatch(/secret, of more than|hvs\.session|service-account token/);
  });

  test('cannot be read at the start: the process says which, and does not listen', async () => {
    down = true;
    await expect(
      startNodeDoor(
        environment({
          TGEFD_JWT_SECRET: 'vault:kv/tgefd/jwt#current',
          TGEFD_VAULT_URL: `http://127.0.0.1:${vault.port}`,
          TGEFD_VAULT_ROLE: 'tgefd',
          TGEFD_VAULT_JWT_FILE: join(folder, 'sa-token'),
        }),
      ),
    ).rejects.toThrow('TGEFD_JWT_SECRET: found status 503 from Vault for the login');
    down = false;
  });

  test('a reference without Vault is no secret', async () => {
    await expect(
      startNodeDoor(environment({ TGEFD_JWT_SECRET: 'vault:kv/tgefd/a-very-long-path#current' })),
    ).rejects.toThrow('a reference `vault:` without its store');
  });
});

describe('secrets in a Secrets Store, on workerd', () => {
  let store: LoopbackServer;
  const held = new Map<string, string>();
  let asked = 0;
  beforeAll(async () => {
    store = await listenOnLoopback(
      createServer((incoming, outgoing) => {
        asked++;
        const text = held.get(incoming.url?.slice(1) ?? '');
        outgoing.writeHead(text === undefined ? 404 : 200).end(text);
      }),
    );
  });
  afterAll(() => store?.down());
  const start = (variables: Record<string, string>, names: readonly string[]) =>
    startWorkerDoor(environment(variables), { secrets: { names, origin: `http://127.0.0.1:${store.port}` } });

  test('a variable that is a binding, and a reference to one, are read again without a deployment', async () => {
    held.set('TGEFD_JWT_SECRET', first).set('JWT', JSON.stringify({ previous: '' }));
    door = await start({ TGEFD_JWT_SECRET_PREVIOUS: 'cf:JWT#previous', TGEFD_SECRETS_REFRESH_SEC: '0.5' }, [
      'TGEFD_JWT_SECRET',
      'JWT',
    ]);
    const [old, fresh] = [await signedWith(first), await signedWith(second)];
    expect(await Promise.all([ask(old), ask(old), ask(fresh)])).toEqual([200, 200, 401]);
    const before = asked;
    expect(await ask(old)).toBe(200);
    expect(asked).toBe(before);

    held.set('TGEFD_JWT_SECRET', second).set('JWT', JSON.stringify({ previous: first }));
    await until(async () => (await ask(fresh)) === 200);
    expect(await ask(old)).toBe(200);
    held.delete('JWT');
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect([await ask(old), await ask(fresh)]).toEqual([200, 200]);
    held.set('JWT', JSON.stringify({ previous: '' }));
    await until(async () => (await ask(old)) === 401);
    expect(await ask(fresh)).toBe(200);
    expect(door.lines.join('\n')).not.toContain('secret, of more than');
  });

  test('one that cannot be read is a configuration that does not hold, until it can be', async () => {
    held.clear();
    door = await start({}, ['TGEFD_JWT_SECRET']);
    expect(await ask(await signedWith(first))).toBe(503);
    await expect
      .poll(() => door?.lines.join('\n'), { timeout: 5000 })
      .toContain('TGEFD_JWT_SECRET: found no answer from the Secrets Store');
    held.set('TGEFD_JWT_SECRET', first);
    const token = await signedWith(first);
    await until(async () => (await ask(token)) === 200);
  });
});
