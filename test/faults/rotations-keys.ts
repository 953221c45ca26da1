import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { CompactSign, createRemoteJWKSet, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { expect } from 'vitest';
import { createFolderStore } from '../../lib/platform/node/files/folder-store.ts';
import { listAll } from '../../lib/storage/store.ts';
import { createAssertionVerifier, type Verifier } from '../../lib/upstream.ts';
import { runArchive } from '../support/archive-run.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';
import { pause, type Stage } from '../support/rotation.ts';
import { bearer, type Play, statusOf, tokenOf, WATCH_MS } from './rotations.ts';

const keyed = { TGEFD_AUTH_MODE: 'api_key', TGEFD_API_KEY: 'alice:a-key-of-alice' };
const alice = { 'x-api-key': 'a-key-of-alice' };
/** What a verifier of these tests keeps a key set for; one in the field keeps it for the 60 s that `rotate` speaks of. */
const KEPT_MS = 1_000;

/** Rotations of keys that no caller shows: what they made or will make is looked at. */
export const keyPlays: Readonly<Record<string, Play>> = {
  // Two doors, one renewed after the other; the verifier reads the key set of the later one.
  'assertion-key': async (stage) => {
    const { load } = stage;
    const [old, next, stranger] = [await keyOf(stage), await keyOf(stage), await keyOf(stage)];
    const service = await startService(stage);
    const env = { ...keyed, TGEFD_UPSTREAM_URL: service.url };
    const [first, second] = [await stage.openDoor(old.text, env), await stage.openDoor(old.text, env)];
    const verifier = (clock?: () => Date) =>
      createAssertionVerifier({
        audience: service.url,
        // Never looks again because of a key that it does not know: whoever signs with one is refused.
        keys: createRemoteJWKSet(new URL(`${second.url}/_authorizer/jwks.json`), {
          cacheMaxAge: KEPT_MS,
          cooldownDuration: 600_000,
        }),
        ...(clock ? { clock } : {}),
      });
    service.verifyWith(verifier());
    load.enter('first door', 200, () => statusOf(first, alice));
    load.enter('second door', 200, () => statusOf(second, alice));
    load.enter('forger', 401, async () => service.ask(await forge(stranger, old.kid, service.url)));
    const thief = load.enter('thief', 200, async () => service.ask(await forge(old, old.kid, service.url)));
    await pause(WATCH_MS);
    let last = '';
    return [
      async () => {
        await first.put({ previous: next.text });
        await second.put({ previous: next.text });
      },
      () => pause(KEPT_MS + WATCH_MS),
      async () => {
        await first.put({ current: next.text, previous: old.text });
        await pause(WATCH_MS);
        last = service.lastBy(old.kid);
        await second.put({ current: next.text, previous: old.text });
        await pause(WATCH_MS);
        expect(service.lastBy(next.kid)).not.toBe('');
      },
      async () => {
        expect(await service.ask(last)).toBe(200);
        const inAMinute = verifier(() => new Date(Date.now() + 66_000));
        expect(await inAMinute(last, REQUEST)).toEqual({ outcome: 'refused', refusal: 'expired' });
      },
      async () => {
        thief.expect(null);
        await Promise.all([first.put({ previous: '' }), second.put({ previous: '' })]);
        await pause(KEPT_MS + WATCH_MS);
        thief.expect(401);
        await pause(WATCH_MS);
        expect(await verifier()(await forge(old, old.kid, service.url), REQUEST)).toEqual({
          outcome: 'refused',
          refusal: 'key_unknown',
        });
      },
    ];
  },

  // Two archives, one of which reads its keys later.
  'audit-signing-key': async (stage) => {
    const { load, folder } = stage;
    const [old, next, stranger] = [await keyOf(stage), await keyOf(stage), await keyOf(stage)];
    const door = await stage.openDoor(old.text, {
      ...keyed,
      TGEFD_AUDIT_BUCKET: 'records',
      TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC: '0',
    });
    load.enter('caller', 200, () => statusOf(door, alice));
    load.enter('stranger', 401, () => statusOf(door, { 'x-api-key': 'a-key-of-nobody' }));
    const [place, auditors] = [join(folder, 'archive'), join(folder, 'auditors.json')];
    const store = createFolderStore(place);
    const archive = async (env: Readonly<Record<string, string>>) => {
      await pause(100);
      const outcome = await runArchive(env, store);
      expect(['drained', 'behind']).toContain(outcome);
    };
    const signers = async () => {
      const kids: (string | undefined)[] = [];
      for await (const { key } of listAll(store, 'audit/manifests/')) {
        const [, signature = ''] = new TextDecoder().decode((await store.read(key, 65_536)) ?? undefined).split('\n');
        kids.push(decodeProtectedHeader({ protected: signature.split('.')[0] ?? '', payload: '', signature: '' }).kid);
      }
      return kids;
    };
    const before = await door.env();
    await archive(before);
    let announced = before;
    return [
      async () => {
        await door.put({ previous: next.text });
        announced = await door.env();
        await archive(before);
      },
      async () => {
        const { out } = await stage.operator(['audit', 'keys'], announced);
        await writeFile(auditors, out);
        expect(JSON.parse(out).keys.map(({ kid }: JWK) => kid)).toEqual([old.kid, next.kid]);
      },
      async () => {
        await archive(announced);
        await door.put({ current: next.text, previous: old.text });
        await archive(await door.env());
        await archive(announced);
        expect(await signers()).toEqual([old.kid, old.kid, old.kid, next.kid, old.kid]);
      },
      async () => {
        const verified = await stage.operator(['audit', 'verify', '--folder', place, '--keys', auditors]);
        expect(verified).toMatchObject({ code: 0 });
      },
      async () => {
        const { d: _, ...half } = JSON.parse(old.text);
        await door.put({ previous: JSON.stringify(half) });
        const env = await door.env();
        const { TGEFD_AUDIT_SIGNING_KEY_PREVIOUS: __, ...withoutOld } = env;
        expect(await runArchive(withoutOld, store)).toBe('broken');
        await load.end();
        await archive(env);
        const inPlace = ['--folder', place];
        expect(await stage.operator(['audit', 'verify', ...inPlace], env)).toMatchObject({ code: 0 });
        const { out } = await stage.operator(['audit', 'query', '--json', '--from', '1h', ...inPlace], env);
        expect(out.split('\n').filter((line) => line.startsWith('{')).length).toBe(load.sent());
        await statusOf(door, alice);
        await archive({ ...env, TGEFD_AUDIT_SIGNING_KEY: stranger.text, TGEFD_AUDIT_SIGNING_KEY_PREVIOUS: next.text });
        const forged = await stage.operator(['audit', 'verify', ...inPlace], env);
        expect(forged).toMatchObject({ code: 1, out: expect.stringContaining('forged') });
      },
    ];
  },

  // Two doors, one renewed after the other; revocations are given all the while.
  'pseudonym-key': async (stage) => {
    const { load, folder } = stage;
    const [old, next] = ['the old pseudonym key, of 32 bytes or more', await stage.nextValue()];
    const secret = 'an HS256 secret that stays as it is';
    const env = {
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWT_SECRET: secret,
      TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '1',
      TGEFD_HEAVY_BURST_LIMIT: '3',
    };
    const doors = [await stage.openDoor(old, env), await stage.openDoor(old, env)] as const;
    const [first, second] = doors;
    const enter = async (name: string) => {
      const fields = bearer(await tokenOf(secret, name));
      const callers = doors.map((door, place) =>
        load.enter(`${name} at door ${place + 1}`, 200, () => statusOf(door, fields)),
      );
      return async (environment: Readonly<Record<string, string>>) => {
        for (const caller of callers) caller.expect(null);
        const { code, out, err } = await stage.operator(['revoke', '--sub', name], environment);
        expect(code, err).toBe(0);
        await pause(1_000 * Number(/within (\d+) s/.exec(out)?.[1]) + 200);
        for (const caller of callers) caller.expect(401);
        await pause(WATCH_MS);
      };
    };
    await enter('alice');
    const [revokeMallory, revokeEve, revokeTrudy] = [await enter('mallory'), await enter('eve'), await enter('trudy')];
    const spender = bearer(await tokenOf(secret, 'spender'));
    const spend = async () => {
      const response = await fetch(`${first.url}/v1/evaluate`, { method: 'POST', headers: spender });
      await response.arrayBuffer();
      return response.status;
    };
    await revokeMallory(await first.env());
    expect([await spend(), await spend(), await spend(), await spend()]).toEqual([200, 200, 200, 429]);
    return [
      async () => {
        await first.put({ previous: next });
        await revokeEve(await first.env());
        expect(await spend()).toBe(429);
        await second.put({ previous: next });
        await pause(WATCH_MS);
      },
      async () => {
        await first.put({ current: next, previous: old });
        await revokeTrudy(await first.env());
        await second.put({ current: next, previous: old });
        await pause(WATCH_MS);
        expect(await spend()).toBe(200); // Another name, and so another budget.
      },
      async () => {
        const { out } = await stage.operator(['revocations', 'list'], await first.env());
        expect(out.split('\n').filter((line) => line.startsWith('sub '))).toHaveLength(3);
        await pause(KEPT_MS);
      },
      async () => {
        await load.end();
        const place = join(folder, 'archive');
        const archiveEnv = {
          ...(await first.env()),
          TGEFD_AUDIT_BUCKET: 'records',
          TGEFD_AUDIT_SIGNING_KEY: (await keyOf(stage, 'audit-signing-key')).text,
        };
        await runArchive(archiveEnv, createFolderStore(place));
        const query = ['audit', 'query', '--identity', 'alice', '--from', '1h', '--json', '--folder', place];
        const { out } = await stage.operator(query, archiveEnv);
        const names = new Set(out.split('\n').map((line) => JSON.parse(line).identity));
        expect(names.size).toBe(2);
      },
    ];
  },
};

const REQUEST = { method: 'GET', path: '/v1/metrics' };

interface Key {
  readonly text: string;
  readonly kid: string;
}

async function keyOf(stage: Stage, secret?: string): Promise<Key> {
  const text =
    secret === undefined ? await stage.nextValue() : (await stage.operator(['rotate', secret, '--print'])).out;
  return { text, kid: JSON.parse(text).kid };
}

/** An assertion by whoever has a key, under any key id. */
async function forge(key: Key, kid: string, audience: string): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'tgefd-authorizer',
    aud: audience,
    sub: 'root',
    scope: '*',
    amr: ['jwt'],
    jti: crypto.randomUUID(),
    iat,
    exp: iat + 60,
    htm: REQUEST.method,
    htu: `${audience}${REQUEST.path}`,
  };
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'tgefd-assertion+jwt' })
    .sign(await importJWK(JSON.parse(key.text), 'EdDSA'));
}

/** A service behind the doors that believes assertions alone. */
async function startService(stage: Stage) {
  const last = new Map<string | undefined, string>();
  let verify: Verifier | null = null;
  const server = await listenOnLoopback(
    createServer(async ({ headers, method = '', url: path = '' }, response) => {
      const assertion = String(headers['x-tgefd-assertion'] ?? '');
      const isGood = (await verify?.(assertion, { method, path }))?.outcome === 'verified';
      if (isGood && decodeSubject(assertion) === 'alice') last.set(decodeProtectedHeader(assertion).kid, assertion);
      response.writeHead(isGood ? 200 : 401).end();
    }),
  );
  stage.atEnd(() => server.down());
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    verifyWith(next: Verifier) {
      verify = next;
    },
    /** What the service says of an assertion that reached it past the doors. */
    async ask(assertion: string) {
      const response = await fetch(`${url}${REQUEST.path}`, { headers: { 'x-tgefd-assertion': assertion } });
      await response.arrayBuffer();
      return response.status;
    },
    /** The last assertion of a door by a key. */
    lastBy: (kid: string) => last.get(kid) ?? '',
  };
}

function decodeSubject(assertion: string): unknown {
  return JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()).sub;
}
