import { describe, expect, test } from 'vitest';
import { ALICE, CAEP, createSignals, eventOf, NOW_SECONDS, RISC, TOKENS, TRANSMITTER } from './security-events.ts';

const sessionRevoked = `${CAEP}/session-revoked`;
const at = (seconds: number) => ({ event_timestamp: NOW_SECONDS + seconds });

describe('what an event revokes', () => {
  test.each([sessionRevoked, `${CAEP}/credential-change`, `${RISC}/sessions-revoked`])(
    '%s: tokens that were issued before it',
    async (uri) => {
      const signals = await createSignals();
      expect(await signals.push(eventOf(uri, at(-10)))).toMatchObject({ effect: 'revoked' });
      expect(signals.refuses(NOW_SECONDS - 11)).toBe(true);
      expect(signals.refuses(null)).toBe(true);
      expect(signals.refuses(NOW_SECONDS - 10)).toBe(false);
      expect(signals.refuses(NOW_SECONDS - 11, 'bob')).toBe(false);
      expect(signals.refuses(NOW_SECONDS - 11, 'alice', TRANSMITTER)).toBe(false);
    },
  );

  test('the event’s time counts, else that of the token, else when it was issued', async () => {
    const claims = { toe: NOW_SECONDS - 20, iat: NOW_SECONDS - 5 };
    const cutOffOf = async (payload: object, changed: Record<string, unknown>) => {
      const signals = await createSignals();
      await signals.push(eventOf(sessionRevoked, payload), { claims: changed });
      return [-30, -20, -5].find((seconds) => !signals.refuses(NOW_SECONDS + seconds));
    };
    expect(await cutOffOf(at(-30), claims)).toBe(-30);
    expect(await cutOffOf({}, claims)).toBe(-20);
    expect(await cutOffOf({}, { iat: claims.iat })).toBe(-5);
    expect(await cutOffOf({ event_timestamp: (NOW_SECONDS - 30) * 1000 }, claims)).toBe(-30);
  });

  test('a fraction of a second counts as the second after it', async () => {
    const signals = await createSignals();
    await signals.push(eventOf(sessionRevoked, at(-9.5)));
    expect([-10, -9].map((seconds) => signals.refuses(NOW_SECONDS + seconds))).toEqual([true, false]);
  });

  test.each([
    ['in the future', at(3600)],
    ['a text', { event_timestamp: 'now' }],
    ['negative', { event_timestamp: -1 }],
  ])('an event whose time is %s is refused', async (_, payload) => {
    const signals = await createSignals();
    expect(await signals.push(eventOf(sessionRevoked, payload))).toMatchObject({ check: 'event_timestamp' });
  });
});

describe('whom an event is about', () => {
  const push = async (subject: unknown, payload: object = {}) => {
    const signals = await createSignals();
    const received = await signals.push(eventOf(sessionRevoked, payload), { claims: { sub_id: subject } });
    return { signals, received };
  };

  test('a subject of the transmitter, by an opaque id', async () => {
    const { signals } = await push({ format: 'opaque', id: 'alice' });
    expect(signals.refuses(NOW_SECONDS - 1, 'alice', TRANSMITTER)).toBe(true);
    expect(signals.refuses(NOW_SECONDS - 1)).toBe(false);
  });

  test('one token, by its id at its issuer', async () => {
    const { signals } = await push({ format: 'jwt_id', iss: TOKENS, jti: 'token-1' });
    expect(signals.refusesToken('token-1')).toBe(true);
    expect(signals.refusesToken('token-1', TRANSMITTER)).toBe(false);
    expect(signals.refusesToken('token-2')).toBe(false);
  });

  test('a user among aliases, and the user of a complex subject', async () => {
    const aliases = { format: 'aliases', identifiers: [{ format: 'email', email: 'a@b.example' }, ALICE] };
    const complex = { format: 'complex', user: ALICE, session: { format: 'opaque', id: 'session-1' } };
    const early = { user: ALICE, tenant: { format: 'opaque', id: 'tenant-1' } };
    for (const subject of [aliases, complex, early]) {
      const { signals } = await push(subject);
      expect(signals.refuses(NOW_SECONDS - 1)).toBe(true);
    }
  });

  test('a subject inside the event, as earlier drafts and Google write it', async () => {
    const subject = { subject_type: 'iss-sub', iss: TOKENS, sub: 'alice' };
    const { signals } = await push(undefined, { subject });
    expect(signals.refuses(NOW_SECONDS - 1)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['no subject', undefined],
    ['an email address', { format: 'email', email: 'alice@example.com' }],
    ['a format that nobody knows', { format: 'account', uri: 'acct:alice@example.com' }],
    ['a complex subject without a user', { format: 'complex', session: { format: 'opaque', id: 's' } }],
    ['aliases that name nobody', { format: 'aliases', identifiers: [{ format: 'email', email: 'a@b.example' }] }],
    ['aliases within aliases', { format: 'aliases', identifiers: [{ format: 'aliases', identifiers: [ALICE] }] }],
    ['an empty subject', { ...ALICE, sub: '' }],
    ['a subject with a line break', { ...ALICE, sub: 'alice\nbob' }],
    ['an issuer with a line break', { ...ALICE, iss: `${TOKENS}\nalice` }],
    ['a number', 7],
    ['a list', [ALICE]],
  ])('%s is refused', async (_, subject) => {
    expect((await push(subject)).received).toMatchObject({ outcome: 'refused', check: 'subject' });
  });

  test('a subject of an issuer that the transmitter may not speak for is refused, wherever it stands', async () => {
    const stranger = { ...ALICE, iss: 'https://other.example' };
    for (const subject of [
      stranger,
      { format: 'jwt_id', iss: stranger.iss, jti: 'token-1' },
      { format: 'aliases', identifiers: [ALICE, stranger] },
    ]) {
      const { signals, received } = await push(subject);
      expect(received).toMatchObject({ error: 'invalid_request', check: 'subject_issuer' });
      expect(signals.refuses(NOW_SECONDS - 1)).toBe(false);
    }
  });
});

describe('a token with several events', () => {
  test('is applied whole or not at all', async () => {
    const signals = await createSignals();
    const events = { [sessionRevoked]: {}, [`${RISC}/account-disabled`]: { event_timestamp: 'never' } };
    expect(await signals.push(events)).toMatchObject({ outcome: 'refused' });
    expect(signals.refuses(NOW_SECONDS - 1)).toBe(false);
  });
});

describe('an event that revokes nothing', () => {
  test.each([
    ['https://schemas.openid.net/secevent/ssf/event-type/verification', 'verified'],
    [`${RISC}/verification`, 'verified'],
    [`${CAEP}/token-claims-change`, 'ignored'],
    [`${CAEP}/device-compliance-change`, 'ignored'],
    ['https://events.example/anything', 'ignored'],
    ['__proto__', 'ignored'],
    ['constructor', 'ignored'],
  ])('%s is accepted, whatever its subject: %s', async (uri, effect) => {
    const signals = await createSignals();
    const events = JSON.parse(`{${JSON.stringify(uri)}: {"state": "x"}}`);
    expect(await signals.push(events, { claims: { sub_id: { format: 'opaque', id: 'stream' } } })).toMatchObject({
      effect,
    });
    expect((await signals.revocations.list(null)) as unknown).toMatchObject({ value: { entries: [] } });
  });
});
