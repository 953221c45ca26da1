import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect } from 'vitest';
import { ingressFields } from '../../lib/request/field-names.ts';
import { INGRESS_PROOF_FIELD, signIngressProof } from '../../lib/request/ingress-proof.ts';
import type { DoorEnv } from '../support/door.ts';
import type { Caller } from '../support/load.ts';
import { pause, type RotatedDoor, type Stage } from '../support/rotation.ts';

/** A rotation as it is played: what a human does for each step that `rotate` prints, in its order. */
export type Play = (stage: Stage) => Promise<readonly (() => Promise<unknown>)[]>;

/** How long callers are watched in one state. */
export const WATCH_MS = 400;
/** When the old value of a mounted file is dead, as `rotate` prints. */
const FILE_BOUND_MS = 2_000;

export async function statusOf(door: RotatedDoor, headers: Readonly<Record<string, string>>, init: RequestInit = {}) {
  const response = await fetch(`${door.url}/v1/metrics`, { headers, ...init });
  await response.arrayBuffer();
  return response.status;
}
export function bearer(token: string) {
  return { authorization: `Bearer ${token}` };
}
export function tokenOf(secret: string, subject: string) {
  return new SignJWT({ sub: subject })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime('5 min')
    .sign(new TextEncoder().encode(secret));
}

/** A secret that callers show: two values count, then one. */
function shown(kind: {
  readonly env: DoorEnv;
  readonly old: string;
  readonly next: (stage: Stage) => Promise<string>;
  readonly stranger: string;
  /** Status of an answer to somebody who shows this value of the secret. */
  readonly ask: (door: RotatedDoor, value: string) => () => Promise<number>;
  readonly refused: number;
  readonly nobody?: number;
}): Play {
  return async (stage) => {
    const { load, check } = stage;
    const door = await stage.openDoor(kind.old, kind.env);
    const next = await kind.next(stage);
    let old = load.enter('old', 200, kind.ask(door, kind.old));
    const fresh = load.enter('new', kind.refused, kind.ask(door, next));
    load.enter('stranger', kind.refused, kind.ask(door, kind.stranger));
    await pause(WATCH_MS);
    return [
      async () => {
        await door.put({ previous: kind.old });
        await pause(WATCH_MS);
      },
      async () => {
        fresh.expect(null);
        await door.put({ current: next });
        fresh.expect(200);
        await pause(WATCH_MS);
      },
      async () => {
        const { code, out } = await check(door);
        expect(out).toMatch(/ [1-9]\d* uses of the old value, [1-9]\d* of the new one\nthe old value is still in use/);
        expect(code).toBe(1);
        old.leave();
        await pause(100);
      },
      async () => {
        const { code, out } = await check(door);
        expect(out).toMatch(/ 0 uses of the old value, [1-9]\d* of the new one\nnobody uses the old value any more/);
        expect(code).toBe(0);
      },
      async () => {
        old = load.enter('old', null, kind.ask(door, kind.old));
        await dies(stage, old, kind.refused, () => door.put({ previous: '' }));
      },
    ];
  };
}

/** Holds the old value to its bound: it may pass until then, and never again. */
async function dies(stage: Stage, old: Caller, refused: number, retire: () => Promise<void>) {
  const retiredMs = Date.now();
  await retire();
  await pause(Math.max(0, retiredMs + FILE_BOUND_MS - Date.now()));
  old.expect(refused);
  await pause(WATCH_MS);
  console.log(
    `rotation of ${stage.variable}: the old value passed for the last time ${Math.max(0, old.lastSentMs(200) - retiredMs)} ms after it was taken away; bound ${FILE_BOUND_MS} ms`,
  );
}

const IDENTITY = 'x-ingress-user';

/** The ingress itself: signs a proof for every request, of a new nonce each. */
function proven(door: RotatedDoor, secret: string) {
  return async () => {
    const fields = { 'x-forwarded-for': '198.51.100.7', [IDENTITY]: 'alice' };
    const headers = new Headers({ host: `127.0.0.1:${door.port}`, ...fields });
    const request = { method: 'GET', target: '/v1/metrics', headers };
    const nonce = randomBytes(9).toString('base64url');
    const atSeconds = Math.floor(Date.now() / 1000);
    const proof = await signIngressProof(secret, request, ingressFields([IDENTITY]), atSeconds, nonce);
    return statusOf(door, { ...fields, [INGRESS_PROOF_FIELD]: proof });
  };
}

const values = ['old', 'stranger'].map((word) => `the ${word} value of the secret, of 32 bytes or more`);
const [old = '', stranger = ''] = values;

export const credentialPlays: Readonly<Record<string, Play>> = {
  'jwt-secret': shown({
    env: { TGEFD_AUTH_MODE: 'jwt' },
    old,
    stranger,
    next: (stage) => stage.nextValue(),
    ask: (door, value) => {
      const token = tokenOf(value, 'alice');
      return async () => statusOf(door, bearer(await token));
    },
    refused: 401,
  }),

  'api-key': shown({
    env: { TGEFD_AUTH_MODE: 'api_key' },
    old: 'alice:the-key-of-alice-until-now',
    stranger: 'alice:a-key-that-nobody-has',
    next: (stage) => stage.nextValue('--id', 'alice'),
    ask: (door, entry) => () => statusOf(door, { 'x-api-key': entry.slice(entry.indexOf(':') + 1) }),
    refused: 401,
  }),

  'ingress-secret': shown({
    env: { TGEFD_AUTH_MODE: 'none', TGEFD_IDENTITY_HEADER: IDENTITY },
    old,
    stranger,
    next: (stage) => stage.nextValue(),
    ask: proven,
    refused: 400,
  }),

  'redis-token': async (stage) => {
    const { load, redis, check } = stage;
    const [before, after] = [redis.token, 'the Redis token that is new'];
    stage.atEnd(async () => redis.setToken(before));
    const door = await stage.openDoor(before, {
      TGEFD_AUTH_MODE: 'api_key',
      TGEFD_API_KEY: 'alice:a-key-of-alice',
      TGEFD_RATE_LIMIT_MODE: 'exact',
      TGEFD_RATE_LIMIT_PER_MINUTE: '1000000',
    });
    load.enter('caller', 200, () => statusOf(door, { 'x-api-key': 'a-key-of-alice' }));
    load.enter('stranger', 401, () => statusOf(door, { 'x-api-key': 'a-key-of-nobody' }));
    const redisTakes = async (token: string) =>
      (await fetch(redis.url, { method: 'POST', headers: bearer(token), body: '["PING"]' })).status;
    await pause(WATCH_MS);
    return [
      async () => {
        await door.put({ previous: before });
        await pause(WATCH_MS);
      },
      // Made there, and not in force yet: the old one is what Redis takes.
      async () => expect([await redisTakes(before), await redisTakes(after)]).toEqual([200, 401]),
      async () => {
        await door.put({ current: after });
        const { code, out } = await check(door);
        expect(out).toMatch(/ [1-9]\d* uses of the old value, 0 of the new one\nthe old value is still in use/);
        expect(code).toBe(1);
      },
      async () => {
        redis.setToken(after, before);
        await pause(WATCH_MS);
        redis.setToken(after);
        await pause(WATCH_MS);
        expect([await redisTakes(before), await redisTakes(after)]).toEqual([401, 200]);
      },
      async () => {
        const { code, out } = await check(door);
        expect(out).toContain('nobody uses the old value any more');
        expect(code).toBe(0);
        await door.put({ previous: '' });
        await pause(WATCH_MS);
      },
    ];
  },
};
