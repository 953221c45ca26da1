import { beforeAll, describe, expect, it } from 'vitest';
import { createKeySets, type KeySetParts, type KeySetSettings } from '../../../../lib/authenticate/jwks/key-sets.ts';
import { keySetAt } from '../../../../lib/authenticate/jwks/key-source.ts';
import type { KeyAnswer } from '../../../../lib/authenticate/jwt/keys.ts';
import { EgressRefused } from '../../../../lib/decision/egress-refused.ts';
import { type IssuerKey, keySetText, makeKey } from '../issuer-keys.ts';
import {
  answers,
  type Behaviour,
  createContext,
  createScriptedIssuer,
  createScriptedTime,
  hangs,
  refusesConnections,
  sendsMuch,
  stallsInTheBody,
} from './scripted-issuer.ts';

const issuerUrl = 'https://issuer.example';
const url = 'https://issuer.example/jwks';

let one: IssuerKey;
let two: IssuerKey;

beforeAll(async () => {
  [one, two] = await Promise.all([makeKey('one'), makeKey('two')]);
});

function publishes(...keys: readonly IssuerKey[]): Behaviour {
  return answers(keySetText(...keys.map(({ jwk }) => jwk)));
}

function world(
  behaviour: Behaviour,
  { settings = {}, parts = {} }: { settings?: Partial<KeySetSettings>; parts?: Partial<KeySetParts> } = {},
) {
  const time = createScriptedTime();
  const issuer = createScriptedIssuer(behaviour);
  const lines: { level: string; event: string; facts: Record<string, unknown> }[] = [];
  const context = createContext();
  const keySets = createKeySets(
    {
      issuer: issuerUrl,
      algorithms: ['ES256'],
      uses: ['sig'],
      ttlSeconds: 300,
      maxStaleSeconds: 3600,
      timeoutSeconds: 3,
      maxAttempts: 3,
      backoffSeconds: 0.2,
      maxBackoffSeconds: 2,
      ...settings,
    },
    {
      source: keySetAt(url, { fetch: issuer.fetch, sleep: time.sleep }, null),
      clock: time.clock,
      sleep: time.sleep,
      random: () => 0,
      log: (level, event, facts = {}) => void lines.push({ level, event, facts }),
      sharePromises: true,
      ...parts,
    },
  );
  const ask = (keyId: string | null = 'one', mayFetch = true) =>
    keySets.find({ keyId, algorithm: 'ES256' }, context, mayFetch);
  return {
    time,
    issuer,
    lines,
    context,
    keySets,
    ask,
    find: (...query: Parameters<typeof ask>) => time.finish(ask(...query)),
  };
}

function key(stale = false) {
  return expect.objectContaining({ found: 'keys', stale });
}
const unknown = { found: 'none', reason: { reason: 'token_key_unknown' } };
function unavailable(retryAfterSeconds: unknown = expect.any(Number)) {
  return { found: 'unavailable', retryAfterSeconds };
}
function repeat<T>(times: number, act: (index: number) => T): T[] {
  return Array.from({ length: times }, (_, index) => act(index));
}

describe.each([
  ['promises shared between requests', true],
  ['no promise shared between requests (Workers)', false],
])('key sets, %s', (_, sharePromises) => {
  const start = (behaviour: Behaviour, more: Parameters<typeof world>[1] = {}) =>
    world(behaviour, { ...more, parts: { ...more.parts, sharePromises } });

  describe('while the issuer is well', () => {
    it('a hundred cold requests cost one fetch', async () => {
      const { issuer, ask, time } = start(publishes(one));
      const all = await time.finish(Promise.all(repeat(100, () => ask())));
      expect(all).toEqual(repeat(100, () => key()));
      expect(issuer.fetches).toBe(1);
    });

    it('a fresh set answers without a promise and without a fetch', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      await time.pass(200_000);
      expect(ask()).toEqual(key());
      expect(ask('nobody', false)).toEqual(unknown);
      expect(issuer.fetches).toBe(1);
    });

    it('asks the configured URL, past every cache, and follows no redirect by itself', async () => {
      const { issuer, find } = start(publishes(one));
      await find();
      expect(issuer.requests).toMatchObject([{ url, init: { cache: 'no-store', redirect: 'manual' } }]);
      expect(issuer.requests[0]?.init.method ?? 'GET').toBe('GET');
    });

    it('refreshes in the background before the set ends, once, and nobody waits', async () => {
      const { issuer, ask, find, time, context } = start(publishes(one));
      await find();
      await time.pass(275_000);
      expect(repeat(50, () => ask())).toEqual(repeat(50, () => key()));
      await time.finish(Promise.all(context.deferred));
      expect(issuer.fetches).toBe(2);
      await time.pass(100_000);
      expect(ask()).toEqual(key());
      expect(issuer.fetches).toBe(2);
    });

    it('past its lifetime requests wait for one refresh', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      issuer.behaviour = publishes(two);
      await time.pass(301_000);
      const all = await time.finish(Promise.all(repeat(20, () => ask())));
      expect(all).toEqual(repeat(20, () => unknown));
      expect(issuer.fetches).toBe(2);
    });

    it('a key that a newer set lacks is dead at once', async () => {
      const { issuer, ask, find } = start(publishes(one));
      await find();
      issuer.behaviour = publishes(two);
      expect(await find('two')).toEqual(key());
      expect(ask('one', false)).toEqual(unknown);
    });

    it('the same key is the same object after a refresh', async () => {
      const { issuer, find, time } = start(publishes(one));
      const keyOf = (answer: KeyAnswer) => (answer.found === 'keys' ? answer.keys[0] : null);
      const before = keyOf(await find());
      issuer.behaviour = publishes(two, one);
      await time.pass(301_000);
      const after = keyOf(await find());
      expect(issuer.fetches).toBe(2);
      expect(after).not.toBeNull();
      expect(after).toBe(before);
    });

    it('two issuers with the same kid never answer for each other', async () => {
      const impostor = await makeKey('one');
      const [first, second] = [start(publishes(one)), start(publishes(impostor))];
      const [mine, theirs] = [await first.find(), await second.find()];
      expect(mine).toEqual(key());
      expect(theirs).toEqual(key());
      if (mine.found === 'keys' && theirs.found === 'keys') expect(mine.keys[0]).not.toBe(theirs.keys[0]);
    });

    it('a set in which no key is usable any more is no reason to forget the good one', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      issuer.behaviour = answers('{"keys":[]}');
      await time.pass(301_000);
      expect(await find()).toEqual(key(true));
      expect(ask()).toEqual(key(true));
    });

    it('warms up ahead of the first request', async () => {
      const { issuer, ask, keySets, context, time } = start(publishes(one));
      await time.finish(keySets.warm(context));
      expect(ask()).toEqual(key());
      await time.finish(keySets.warm(context));
      expect(issuer.fetches).toBe(1);
      expect(keySets.state()).toEqual({ keys: 1, ageSeconds: 0, lastFailure: null, misconfigured: false });
    });

    it('asks on when the request that began to ask is gone', async () => {
      const { ask, context, time } = start(publishes(one));
      void ask();
      expect(context.deferred).toHaveLength(1);
      await time.finish(Promise.all(context.deferred));
      expect(ask()).toEqual(key());
    });

    it('leaves no timer behind', async () => {
      const { find, time } = start(publishes(one));
      await find();
      expect(time.pendingTimers()).toBe(0);
    });
  });

  describe('attempts', () => {
    it.each<[problem: string, costs: number, lastFailure: string, Behaviour]>([
      ['refuses connections', 3, 'unreachable', refusesConnections],
      ['answers 503', 3, 'status 503', answers('down', { status: 503 })],
      ['answers 404', 1, 'status 404', answers('gone', { status: 404 })],
      ['answers 204', 1, 'status 204', answers(null, { status: 204 })],
      ['answers with a web page', 1, 'not_json', answers('<html></html>')],
      ['answers with bytes that are no text', 1, 'not_utf8', answers(new Uint8Array([0xff, 0xfe]))],
      ['publishes an empty set', 1, 'no_usable_key', answers('{"keys":[]}')],
      ['redirects', 1, 'status 302', answers(null, { status: 302, headers: { location: 'https://evil.example/' } })],
      ['is refused by the egress guard', 1, 'refused', () => Promise.reject(new EgressRefused('evil.example', 'x'))],
      ['never answers', 2, 'timeout', hangs],
      ['stalls in the body', 2, 'timeout', stallsInTheBody],
    ])('an issuer that %s costs fetches: %i', async (_, fetches, lastFailure, behaviour) => {
      const { issuer, find, keySets, time } = start(behaviour);
      const before = time.clock();
      const misconfigured = lastFailure === 'no_usable_key';
      expect(await find()).toEqual(misconfigured ? { found: 'unavailable', retryAfterSeconds: null } : unavailable());
      expect(issuer.fetches).toBe(fetches);
      expect(keySets.state()).toEqual({ keys: 0, ageSeconds: null, lastFailure, misconfigured });
      expect(time.clock() - before).toBeLessThanOrEqual(6_000);
    });

    it('pauses twice as long after each attempt, never longer than allowed', async () => {
      const { find, time } = start(refusesConnections, {
        settings: { maxAttempts: 4, backoffSeconds: 0.5, maxBackoffSeconds: 1 },
      });
      const before = time.clock();
      await find();
      expect(time.clock() - before).toBe(500 + 1000 + 1000);
    });

    it('takes up to half off each pause by chance', async () => {
      const { find, time } = start(refusesConnections, { parts: { random: () => 0.999_999 } });
      const before = time.clock();
      await find();
      expect(time.clock() - before).toBeCloseTo(100 + 200, 1);
    });

    it('is content with the attempt that succeeds', async () => {
      let attempt = 0;
      const flaky: Behaviour = (signal) => (++attempt < 3 ? refusesConnections(signal) : publishes(one)(signal));
      const { issuer, find, lines } = start(flaky);
      expect(await find()).toEqual(key());
      expect(issuer.fetches).toBe(3);
      expect(lines.map(({ event }) => event)).toEqual(['key_set_changed']);
    });

    it('stops reading a 50 MB body at the limit', async () => {
      const sent = { bytes: 0 };
      const { issuer, find, keySets } = start(sendsMuch(50 * 1024 * 1024, sent));
      expect(await find()).toEqual(unavailable());
      expect(sent.bytes).toBeLessThan(1024 * 1024);
      expect(issuer.fetches).toBe(1);
      expect(keySets.state().lastFailure).toBe('too_large');
    });

    it('reads a set of exactly 512 KiB, and not one octet more', async () => {
      const padded = (octets: number) => keySetText(one.jwk).padEnd(octets, ' ');
      expect(await start(answers(padded(512 * 1024))).find()).toEqual(key());
      expect(await start(answers(padded(512 * 1024 + 1))).find()).toEqual(unavailable());
    });
  });

  describe('while the issuer is down from the start', () => {
    it('cold requests cost one round and then neither a fetch nor a wait', async () => {
      const { issuer, ask, time } = start(refusesConnections);
      const all = await time.finish(Promise.all(repeat(50, () => ask())));
      expect(all).toEqual(repeat(50, () => unavailable(2)));
      expect(repeat(50, () => ask())).toEqual(repeat(50, () => unavailable(2)));
      expect(issuer.fetches).toBe(3);
    });

    it('tries again after a rest that doubles up to half a minute', async () => {
      const { issuer, ask, find, time } = start(refusesConnections, { settings: { maxAttempts: 1 } });
      await find();
      const rests: number[] = [];
      for (let round = 0; round < 7; round++) {
        const answer = ask();
        const rest = 'found' in answer && answer.found === 'unavailable' ? (answer.retryAfterSeconds ?? 0) : 0;
        rests.push(rest);
        await time.pass(rest * 1000 - 1);
        expect(ask()).toEqual(unavailable(1));
        await time.pass(1);
        await find();
      }
      expect(rests).toEqual([2, 4, 8, 16, 30, 30, 30]);
      expect(issuer.fetches).toBe(8);
    });

    it('only the request that asks the issuer waits for a later round', async () => {
      const { ask, find, issuer, time } = start(refusesConnections);
      await find();
      issuer.behaviour = hangs;
      await time.pass(2_000);
      const first = ask();
      expect(first).toBeInstanceOf(Promise);
      expect(repeat(10, () => ask())).toEqual(repeat(10, () => unavailable(1)));
      expect(await time.finish(first)).toEqual(unavailable(4));
    });

    it('recovers with the first round that succeeds', async () => {
      const { issuer, find, time, lines, keySets } = start(refusesConnections);
      await find();
      issuer.behaviour = publishes(one);
      await time.pass(2_000);
      expect(await find()).toEqual(key());
      expect(keySets.state().lastFailure).toBeNull();
      expect(lines.map(({ level, event }) => `${level} ${event}`)).toEqual([
        'error key_set_unavailable',
        'info key_set_changed',
        'info key_set_recovered',
      ]);
    });
  });

  describe('while the issuer is down later', () => {
    it('serves the last good set, stale, for as long as allowed, and then nothing', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      issuer.behaviour = refusesConnections;
      await time.pass(301_000);
      expect(await find()).toEqual(key(true));
      await time.pass(3_598_000 - 600);
      expect(await find()).toEqual(key(true));
      await time.pass(1_000);
      expect(await find()).toEqual(unavailable());
      expect(ask()).toEqual(unavailable());
    });

    it('is stale only once its lifetime is over', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      issuer.behaviour = refusesConnections;
      await time.pass(280_000);
      expect(ask()).toEqual(key(false));
      await time.pass(15_000);
      expect(ask()).toEqual(key(false));
      await time.pass(10_000);
      expect(ask()).toEqual(key(true));
    });

    it('one request waits, once; the others of an hour do not, and cost a round per rest', async () => {
      const { issuer, ask, find, time } = start(publishes(one), { settings: { maxAttempts: 1 } });
      await find();
      issuer.behaviour = refusesConnections;
      await time.pass(301_000);
      await find();
      const before = issuer.fetches;
      for (let second = 0; second < 600; second++) {
        expect(ask()).toEqual(key(true));
        await time.pass(1_000);
      }
      expect(issuer.fetches - before).toBeLessThanOrEqual(600 / 30 + 4);
    });

    it('says so once, and once that it is over', async () => {
      const { issuer, find, time, lines } = start(publishes(one));
      await find();
      issuer.behaviour = answers('oops', { status: 500 });
      await time.pass(301_000);
      for (let round = 0; round < 20; round++) {
        await find();
        await time.pass(31_000);
      }
      issuer.behaviour = publishes(one);
      await find();
      await time.pass(1_000);
      await find();
      expect(lines).toEqual([
        { level: 'info', event: 'key_set_changed', facts: expect.objectContaining({ keys: 1, added: 1, removed: 0 }) },
        {
          level: 'warn',
          event: 'key_set_unavailable',
          facts: { issuer: issuerUrl, problem: 'status', status: 500, attempts: 3, last_good_set_serves: true },
        },
        {
          level: 'info',
          event: 'key_set_recovered',
          facts: expect.objectContaining({ failed_rounds: expect.any(Number) }),
        },
      ]);
    });

    it('recovers before the next request needs it, and follows a rotation made meanwhile', async () => {
      const { issuer, find, ask, time, context } = start(publishes(one));
      await find();
      issuer.behaviour = refusesConnections;
      await time.pass(301_000);
      await find();
      issuer.behaviour = publishes(two);
      await time.pass(31_000);
      expect(ask()).toEqual(key(true));
      await time.finish(Promise.all(context.deferred));
      expect(ask('one', false)).toEqual(unknown);
      expect(ask('two')).toEqual(key());
    });

    it('with no stale time allowed, an expired set serves nobody', async () => {
      const { issuer, find, time } = start(publishes(one), { settings: { maxStaleSeconds: 0 } });
      await find();
      issuer.behaviour = refusesConnections;
      await time.pass(299_000);
      expect(await find()).toEqual(key());
      await time.pass(2_000);
      expect(await find()).toEqual(unavailable());
    });

    it('an issuer that is merely slow delays one moment, not every request', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      issuer.behaviour = hangs;
      await time.pass(301_000);
      const before = time.clock();
      const all = await time.finish(Promise.all(repeat(10, () => ask())));
      expect(all).toEqual(repeat(10, () => key(true)));
      expect(time.clock() - before).toBeLessThanOrEqual(6_100);
      expect(ask()).toEqual(key(true));
    });

    it('an unknown kid is our outage while the issuer cannot be asked about it, not the caller’s fault', async () => {
      const { issuer, ask, find } = start(publishes(one));
      await find();
      issuer.behaviour = refusesConnections;
      expect(await find('two')).toEqual(unavailable(2));
      expect(ask('three')).toEqual(unavailable(2));
      expect(ask('one')).toEqual(key());
      expect(ask('three', false)).toEqual(unavailable(2));
    });

    it('a failed refetch is made good in the background, long before the set is due', async () => {
      const { issuer, ask, find, time, context } = start(publishes(one));
      await find();
      issuer.behaviour = refusesConnections;
      await find('two');
      issuer.behaviour = publishes(one, two);
      await time.pass(2_000);
      expect(ask('one')).toEqual(key());
      await time.finish(Promise.all(context.deferred));
      expect(ask('two', false)).toEqual(key());
      expect(ask('three', false)).toEqual(unknown);
    });
  });

  describe('unknown kids', () => {
    it('a flood costs one refetch at once, however many arrive together', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      await time.pass(20_000);
      const all = await time.finish(Promise.all(repeat(500, (index) => ask(`bogus-${index}`))));
      expect(all).toEqual(repeat(500, () => unknown));
      expect(issuer.fetches).toBe(2);
      expect(repeat(500, (index) => ask(`more-${index}`))).toEqual(repeat(500, () => unknown));
      expect(issuer.fetches).toBe(2);
    });

    it('a flood of ten minutes costs one refetch every ten seconds, and never two within one', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      const at: number[] = [];
      const publish = publishes(one);
      issuer.behaviour = (signal) => {
        at.push(time.clock());
        return publish(signal);
      };
      for (let tick = 0; tick < 6_000; tick++) {
        ask(`bogus-${tick}`);
        if (tick % 20 === 0) ask('one');
        await time.pass(100);
      }
      expect(issuer.fetches - 1).toBeLessThanOrEqual(62);
      expect(issuer.fetches - 1).toBeGreaterThan(55);
      expect(at.slice(1).every((ms, index) => ms - (at[index] ?? 0) >= 1_000)).toBe(true);
    }, 30_000);

    it('a stray one does not stand in the way of a rotation a second later', async () => {
      const { issuer, find, time } = start(publishes(one));
      await find();
      await time.pass(60_000);
      expect(await find('stray')).toEqual(unknown);
      issuer.behaviour = publishes(one, two);
      expect(await find('two')).toEqual(unknown);
      await time.pass(1_000);
      expect(await find('two')).toEqual(key());
    });

    it('a rotation in the middle of a flood is followed within ten seconds', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      const flood = async (ticks: number) => {
        for (let tick = 0; tick < ticks; tick++) {
          ask(`bogus-${time.clock()}`);
          await time.pass(100);
        }
      };
      await flood(333);
      issuer.behaviour = publishes(two);
      const rotatedAt = time.clock();
      while ((await find('two')).found !== 'keys') await flood(1);
      expect(time.clock() - rotatedAt).toBeLessThanOrEqual(10_100);
      expect(ask('one', false)).toEqual(unknown);
    });

    it('a flood cannot starve the scheduled refresh', async () => {
      const { issuer, ask, find, time } = start(publishes(one), { settings: { ttlSeconds: 5 } });
      await find();
      let longestGapMs = 0;
      let lastAtMs = time.clock();
      const publish = publishes(one);
      issuer.behaviour = (signal) => {
        longestGapMs = Math.max(longestGapMs, time.clock() - lastAtMs);
        lastAtMs = time.clock();
        return publish(signal);
      };
      for (let tick = 0; tick < 600; tick++) {
        ask(`bogus-${tick}`);
        await time.pass(100);
      }
      expect(longestGapMs).toBeLessThanOrEqual(5_000);
    });

    it('a throttled address never causes a refetch nor waits for one', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      await time.pass(60_000);
      expect(repeat(100, (index) => ask(`bogus-${index}`, false))).toEqual(repeat(100, () => unknown));
      expect(issuer.fetches).toBe(1);
      issuer.behaviour = hangs;
      const waits = ask('bogus');
      expect(waits).toBeInstanceOf(Promise);
      expect(ask('bogus', false)).toEqual(unknown);
      await time.finish(waits);
    });

    it('a throttled address still gets the first load and the scheduled refresh', async () => {
      const { issuer, ask, find, time, context } = start(publishes(one));
      expect(await find('one', false)).toEqual(key());
      await time.pass(280_000);
      expect(ask('one', false)).toEqual(key());
      await time.finish(Promise.all(context.deferred));
      expect(issuer.fetches).toBe(2);
    });

    it('a kid whose key does not fit is not unknown and costs nothing', async () => {
      const { issuer, ask, find } = start(answers(keySetText(one.jwk, { ...two.jwk, use: 'enc' })));
      await find();
      expect(ask('two')).toMatchObject({ found: 'none', reason: { reason: 'token_key_unfit', check: 'use' } });
      expect(issuer.fetches).toBe(1);
    });
  });

  describe('odd clocks and lost rounds', () => {
    it('a clock set back by an hour makes the set due, and opens nothing', async () => {
      const { issuer, find, time } = start(publishes(one));
      await find();
      time.setBack(3_600_000);
      issuer.behaviour = publishes(two);
      expect(await find('one')).toEqual(unknown);
      expect(issuer.fetches).toBe(2);
    });

    it('a clock set back by a second changes nothing', async () => {
      const { issuer, ask, find, time } = start(publishes(one));
      await find();
      time.setBack(1_000);
      expect(ask()).toEqual(key());
      expect(issuer.fetches).toBe(1);
    });

    it('a clock set back during an outage does not lengthen the rest', async () => {
      const { issuer, find, time } = start(refusesConnections);
      await find();
      time.setBack(3_600_000);
      issuer.behaviour = publishes(one);
      expect(await find()).toEqual(key());
    });
  });

  it('nothing of a key, a token or the URL is in a log line', async () => {
    const { lines, find, issuer, time } = start(publishes(one));
    await find();
    issuer.behaviour = answers(keySetText(one.jwk, { kty: 'oct', k: 'c2VjcmV0' }, { ...two.privateJwk, kid: 'two' }));
    await time.pass(301_000);
    await find('secret-kid');
    issuer.behaviour = answers('c2VjcmV0');
    await time.pass(301_000);
    await find('secret-kid');
    const text = JSON.stringify(lines);
    for (const hidden of ['c2VjcmV0', 'secret-kid', url, one.jwk.x, two.privateJwk.d])
      expect(text).not.toContain(hidden);
    expect(lines).toContainEqual({
      level: 'warn',
      event: 'key_set_changed',
      facts: { issuer: issuerUrl, keys: 1, added: 0, removed: 0, ignored: 2, private_keys_refused: 2 },
    });
  });
});

describe('a key whose signature failed', () => {
  it('is looked for once more, and found where the issuer gave its kid to another key', async () => {
    const { keySets, issuer, context, find, time } = world(publishes(one));
    const before = await find();
    if (before.found !== 'keys') throw new Error('no key');
    const remade = await makeKey('one');
    issuer.behaviour = publishes(remade);
    const query = { keyId: 'one', algorithm: 'ES256' };
    const after = await time.finish(keySets.findAgain(query, before.keys, context, true));
    expect(after.found === 'keys' && after.keys[0]).not.toBe(before.keys[0]);
    expect(issuer.fetches).toBe(2);
  });

  it('costs fetches out of the budget for unknown keys only, and none of a throttled address', async () => {
    const { keySets, issuer, context, find, time } = world(publishes(one));
    const first = await find();
    const keys = first.found === 'keys' ? first.keys : [];
    const query = { keyId: 'one', algorithm: 'ES256' };
    await time.finish(keySets.findAgain(query, keys, context, false));
    expect(issuer.fetches).toBe(1);
    for (let forged = 0; forged < 100; forged++) {
      await time.finish(keySets.findAgain(query, keys, context, true));
      await time.pass(100);
    }
    // Ten seconds: two at once, and one that was earned meanwhile.
    expect(issuer.fetches - 1).toBeLessThanOrEqual(3);
  });

  it('is not looked for while the issuer is down', async () => {
    const { keySets, issuer, context, find, time } = world(publishes(one));
    const first = await find();
    const keys = first.found === 'keys' ? first.keys : [];
    issuer.behaviour = refusesConnections;
    await time.pass(301_000);
    await find();
    const fetches = issuer.fetches;
    await time.finish(keySets.findAgain({ keyId: 'one', algorithm: 'ES256' }, keys, context, true));
    expect(issuer.fetches).toBe(fetches);
  });
});

describe('with shared promises', () => {
  it('requests that wait need no timers of their own', async () => {
    const { ask, time } = world(hangs);
    const all = Promise.all(repeat(10, () => ask()));
    await time.settle();
    expect(time.pendingTimers()).toBe(1);
    await time.finish(all);
  });
});

describe('without shared promises', () => {
  it('nobody waits for a promise of another request, which may never settle', async () => {
    let isGone = true;
    const time = createScriptedTime();
    const { ask } = world(hangs, {
      parts: {
        sharePromises: false,
        clock: time.clock,
        // The timers of a request that is gone never ring.
        sleep: (...asked) => (isGone ? new Promise(() => undefined) : time.sleep(...asked)),
      },
    });
    void ask();
    await time.settle();
    isGone = false;
    expect(await time.finish(ask())).toEqual(unavailable());
  });

  it('a round whose request vanished is given up, and the next request starts another', async () => {
    const { issuer, ask, time } = world(hangs, { parts: { sharePromises: false } });
    // What the runtime does to a request that is gone: its timers never ring again.
    const gone = world(hangs, { parts: { sharePromises: false, sleep: () => new Promise(() => undefined) } });
    void gone.ask();
    await gone.time.pass(6_001);
    gone.issuer.behaviour = publishes(one);
    expect(await gone.time.finish(gone.ask())).toEqual(key());

    void ask();
    const waiting = ask();
    await time.pass(6_100);
    expect(await time.finish(waiting)).toEqual(unavailable());
    expect(issuer.fetches).toBe(2);
  });

  it('a late round does not replace what a newer one brought', async () => {
    const { issuer, ask, find, time } = world(publishes(one), { parts: { sharePromises: false } });
    let release: (response: Response) => void = () => undefined;
    const {
      issuer: lost,
      ask: askLost,
      time: lostTime,
    } = world(
      () =>
        new Promise((resolve) => {
          release = resolve;
        }),
      { parts: { sharePromises: false, sleep: () => new Promise(() => undefined) } },
    );
    void askLost();
    await lostTime.pass(7_000);
    lost.behaviour = publishes(two);
    expect(await lostTime.finish(askLost('two'))).toEqual(key());
    release(new Response(keySetText(one.jwk)));
    await lostTime.settle();
    expect(askLost('one', false)).toEqual(unknown);
    expect(askLost('two', false)).toEqual(key());
    expect(await find()).toEqual(key());
    expect(issuer.fetches).toBe(1);
    expect(ask()).toEqual(key());
    await time.settle();
  });
});
