import { beforeAll, describe, expect, it } from 'vitest';
import { readCopy, type SharedCopy, writeCopy } from '../../../../lib/authenticate/jwks/key-set-copy.ts';
import { createKeySets } from '../../../../lib/authenticate/jwks/key-sets.ts';
import { keySetAt } from '../../../../lib/authenticate/jwks/key-source.ts';
import { type IssuerKey, keySetText, makeKey } from '../issuer-keys.ts';
import {
  answers,
  createContext,
  createScriptedIssuer,
  createScriptedTime,
  refusesConnections,
} from './scripted-issuer.ts';

const url = 'https://issuer.example/jwks';

let one: IssuerKey;
let two: IssuerKey;

beforeAll(async () => {
  [one, two] = await Promise.all([makeKey('one'), makeKey('two')]);
});

/** Several instances of the authorizer in one place, each with a memory of its own. */
function place() {
  const time = createScriptedTime();
  const issuer = createScriptedIssuer((signal) => answers(keySetText(one.jwk))(signal));
  const kept: { text: string | null; ttlSeconds: number } = { text: null, ttlSeconds: 0 };
  const shared: SharedCopy = {
    read: async () => kept.text,
    write: async (text, ttlSeconds) => void Object.assign(kept, { text, ttlSeconds }),
  };
  const instance = (copy: SharedCopy = shared, wallClock = time.clock) => {
    const keySets = createKeySets(
      {
        issuer: null,
        algorithms: ['ES256'],
        uses: ['sig'],
        ttlSeconds: 300,
        maxStaleSeconds: 3600,
        timeoutSeconds: 3,
        maxAttempts: 1,
        backoffSeconds: 0.2,
        maxBackoffSeconds: 2,
      },
      {
        source: keySetAt(url, { fetch: issuer.fetch, sleep: time.sleep }, null),
        clock: time.clock,
        wallClock,
        sleep: time.sleep,
        random: () => 0,
        log: () => undefined,
        sharePromises: false,
        shared: copy,
      },
    );
    return (keyId: string) => time.finish(keySets.find({ keyId, algorithm: 'ES256' }, createContext(), true));
  };
  return { time, issuer, kept, instance };
}

function key(stale = false) {
  return expect.objectContaining({ found: 'keys', stale });
}

describe('a key set left for other instances', () => {
  it('spares the issuer: ten new instances cost one fetch', async () => {
    const { issuer, instance, kept } = place();
    for (let count = 0; count < 10; count++) expect(await instance()('one')).toEqual(key());
    expect(issuer.fetches).toBe(1);
    expect(kept.ttlSeconds).toBe(3900);
  });

  it('tells its age by the wall clock, to instances whose own clocks began at other times', async () => {
    const { issuer, instance, time } = place();
    const wallClock = () => time.clock() + 7_000_000;
    await instance(undefined, wallClock)('one');
    await time.pass(260_000);
    const find = instance(undefined, wallClock);
    expect(await find('one')).toEqual(key());
    expect(issuer.fetches).toBe(1);
    await time.pass(41_000);
    await find('one');
    expect(issuer.fetches).toBe(2);
  });

  it('is as old as its fetch, not as its reading', async () => {
    const { issuer, instance, time } = place();
    await instance()('one');
    await time.pass(260_000);
    const find = instance();
    expect(await find('one')).toEqual(key());
    expect(issuer.fetches).toBe(1);
    await time.pass(41_000);
    await find('one');
    expect(issuer.fetches).toBe(2);
  });

  it('serves stale for a new instance while the issuer is down, but only after the issuer was asked', async () => {
    const { issuer, instance, time } = place();
    await instance()('one');
    issuer.behaviour = refusesConnections;
    await time.pass(400_000);
    expect(await instance()('one')).toEqual(key(true));
    expect(issuer.fetches).toBe(2);
    await time.pass(3_600_000);
    expect(await instance()('one')).toMatchObject({ found: 'unavailable' });
  });

  it('lets an instance follow a rotation that another has seen', async () => {
    const { issuer, instance, time } = place();
    const [first, second] = [instance(), instance()];
    await first('one');
    await second('one');
    issuer.behaviour = answers(keySetText(two.jwk));
    await time.pass(5_000);
    expect(await first('two')).toEqual(key());
    await time.pass(5_000);
    expect(await second('two')).toEqual(key());
    expect(issuer.fetches).toBe(2);
  });

  it('is not asked instead of the issuer when it is older than what an instance holds', async () => {
    const { issuer, instance, kept, time } = place();
    await instance()('one');
    await time.pass(400_000);
    const find = instance({ read: async () => kept.text, write: async () => undefined });
    await find('one');
    issuer.behaviour = answers(keySetText(two.jwk));
    await time.pass(301_000);
    expect(await find('one')).toMatchObject({ found: 'none' });
    expect(issuer.fetches).toBe(3);
  });

  it('does not hide a rotation that nobody has seen', async () => {
    const { issuer, instance, time } = place();
    await instance()('one');
    issuer.behaviour = answers(keySetText(two.jwk));
    await time.pass(5_000);
    expect(await instance()('two')).toEqual(key());
    expect(issuer.fetches).toBe(2);
  });

  it('makes a flood of unknown kids in a whole place cost one fetch a second at most', async () => {
    const { issuer, instance, time } = place();
    await instance()('one');
    await time.pass(5_000);
    for (let count = 0; count < 20; count++)
      expect(await instance()(`bogus-${count}`)).toMatchObject({ found: 'none' });
    expect(issuer.fetches).toBe(2);
  });

  it.each<[string, SharedCopy]>([
    ['fails', { read: () => Promise.reject(new Error('x')), write: () => Promise.reject(new Error('x')) }],
    [
      'throws',
      {
        read() {
          throw new Error('x');
        },
        write() {
          throw new Error('x');
        },
      },
    ],
    ['hangs', { read: () => new Promise(() => undefined), write: () => new Promise(() => undefined) }],
  ])('is done without when its place %s', async (_, broken) => {
    const { issuer, instance, time } = place();
    const before = time.clock();
    expect(await instance(broken)('one')).toEqual(key());
    expect(issuer.fetches).toBe(1);
    expect(time.clock() - before).toBeLessThanOrEqual(250);
  });

  it.each<[string, (now: number) => string]>([
    ['is no JSON', () => '<html>'],
    ['is no copy', () => '[]'],
    ['has a time that is no number', () => JSON.stringify({ url, fetchedAtMs: '0', text: '{}' })],
    ['holds no key set', (now) => writeCopy({ url, fetchedAtMs: now, text: '{"keys":[]}' })],
    ['is for another key set', (now) => writeCopy({ url: `${url}2`, fetchedAtMs: now, text: keySetText(two.jwk) })],
    ['is from the future', (now) => writeCopy({ url, fetchedAtMs: now + 1, text: keySetText(two.jwk) })],
  ])('is not believed when it %s', async (_, planted) => {
    const { issuer, instance, kept, time } = place();
    kept.text = planted(time.clock());
    expect(await instance()('one')).toEqual(key());
    expect(issuer.fetches).toBe(1);
  });

  it('reads back what was written', () => {
    const copy = { url, fetchedAtMs: 7, text: '{"keys":[]}' };
    expect(readCopy(writeCopy(copy), url, 7)).toEqual(copy);
  });
});
