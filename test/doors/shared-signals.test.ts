import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { type RedisParts, redisProgram, startRedis } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const SCHEMAS = 'https://schemas.openid.net/secevent';
const sessionRevoked = `${SCHEMAS}/caep/event-type/session-revoked`;
const AUDIENCE = 'https://api.example';

const doors = [
  ['the Node gateway', startNodeDoor],
  ['the Worker', startWorkerDoor],
] as const;

const program = await redisProgram();
/** A line is read by the test a little after the door wrote it. */
const WRITTEN = { timeout: 5000 };

describe.each(doors)('security events pushed to %s', (_, start) => {
  let issuer: Issuer;
  let upstream: Upstream;
  let door: StartedDoor;

  beforeAll(async () => {
    [issuer, upstream] = await Promise.all([startIssuer(), startUpstream()]);
    door = await start({
      ...jwtEnvironment(issuer),
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_METRICS_ENABLED: 'true',
      TGEFD_EVENT_ISSUERS: JSON.stringify([rowFor(issuer)]),
    });
  });
  afterAll(() => Promise.all([door, issuer, upstream].map((part) => part?.stop())));

  const push = (text: string, init: RequestInit = {}) => pushTo(door, text, init);
  const asks = async (token: string) => {
    const response = await fetch(`${door.url}/v1/metrics`, { headers: { authorization: `Bearer ${token}` } });
    await response.body?.cancel();
    return response.status;
  };
  const seconds = () => Math.floor(Date.now() / 1000);

  test('a revoked session ends the tokens that were issued before', async () => {
    const old = await issuer.token({ subject: 'alice', claims: { iat: seconds() - 30 } });
    const bob = await issuer.token({ subject: 'bob', claims: { iat: seconds() - 30 } });
    expect(await asks(old)).toBe(200);
    const events = { [sessionRevoked]: { event_timestamp: seconds() - 5 } };
    const text = await setOf(issuer, { events, sub_id: { format: 'iss_sub', iss: issuer.url, sub: 'alice' } });
    const answer = await push(text);
    expect([answer.status, await answer.text()]).toEqual([202, '']);
    expect([await asks(old), await asks(bob)]).toEqual([401, 200]);
    expect(await asks(await issuer.token({ subject: 'alice', claims: { iat: seconds() - 2 } }))).toBe(200);
    expect((await push(text)).status).toBe(202);

    const ofEvents = () => recordsOf(door).filter(({ event }) => event !== undefined);
    await expect.poll(() => ofEvents().map(({ event }) => event?.effect), WRITTEN).toEqual(['revoked', 'repeated']);
    const records = ofEvents();
    expect(records[0]).toMatchObject({
      ...{
        type: 'audit',
        action: 'events',
        pattern: '/_authorizer/events',
        method: 'POST',
        outcome: 'allowed',
        status: 200,
      },
      event: { types: ['session-revoked'], issuer: issuer.url },
    });
    const refused = recordsOf(door).find(({ reason }) => reason === 'credential_revoked');
    expect(records[0]?.event?.subjects).toEqual([refused?.identity]);
    expect(JSON.stringify(records)).not.toContain('alice');
  });

  test('a disabled account is refused until it is enabled again', async () => {
    const sub_id = { format: 'opaque', id: 'carol' };
    const carol = (age: number) => issuer.token({ subject: 'carol', claims: { iat: seconds() - age } });
    const [before, after] = [await carol(60), await carol(10)];
    const events = (name: string, age: number) => ({
      [`${SCHEMAS}/risc/event-type/${name}`]: { event_timestamp: seconds() - age },
    });
    expect((await push(await setOf(issuer, { events: events('account-disabled', 30), sub_id }))).status).toBe(202);
    expect([await asks(before), await asks(after)]).toEqual([401, 401]);
    expect((await push(await setOf(issuer, { events: events('account-enabled', 5), sub_id }))).status).toBe(202);
    expect([await asks(before), await asks(after)]).toEqual([401, 200]);
  });

  test('one token is revoked by its id, and by nobody who issued another with that id', async () => {
    const token = await issuer.token({ subject: 'dave', claims: { jti: 'token-of-dave' } });
    const other = { format: 'jwt_id', iss: 'https://other.example', jti: 'token-of-dave' };
    const refused = await push(await setOf(issuer, { events: { [sessionRevoked]: {} }, sub_id: other }));
    expect(await refused.json()).toMatchObject({ err: 'invalid_request' });
    expect(await asks(token)).toBe(200);
    const sub_id = { ...other, iss: issuer.url };
    expect((await push(await setOf(issuer, { events: { [sessionRevoked]: {} }, sub_id }))).status).toBe(202);
    expect(await asks(token)).toBe(401);
  });

  test('a verification of the stream and a type that nobody knows are accepted', async () => {
    for (const type of ['ssf/event-type/verification', 'caep/event-type/device-compliance-change']) {
      const text = await setOf(issuer, { events: { [`${SCHEMAS}/${type}`]: {} } });
      expect((await push(text)).status).toBe(202);
    }
    await expect
      .poll(() => recordsOf(door).flatMap(({ event }) => event?.effect ?? []), WRITTEN)
      .toEqual(expect.arrayContaining(['verified', 'ignored']));
  });

  test('what is no security event for us is 400 with an error of RFC 8935', async () => {
    const events = { [sessionRevoked]: {} };
    const sub_id = { format: 'iss_sub', iss: issuer.url, sub: 'erin' };
    const erin = await issuer.token({ subject: 'erin', claims: { iat: seconds() - 30 } });
    const good = await setOf(issuer, { events, sub_id });
    const cases: readonly [string, string, RequestInit?][] = [
      ['invalid_audience', await setOf(issuer, { events, sub_id, aud: 'https://other.example' })],
      ['invalid_issuer', await setOf(issuer, { events, sub_id, iss: 'https://other.example' })],
      ['invalid_request', await issuer.token({ subject: 'erin', audience: AUDIENCE, algorithm: 'ES256' })],
      ['invalid_request', 'no token at all'],
      ['invalid_request', good, { headers: { 'content-type': 'application/jwt' } }],
      ['invalid_request', 'a'.repeat(70_000)],
      ['authentication_failed', `${good.slice(0, -8)}AAAAAAAA`],
    ];
    for (const [err, text, init] of cases) {
      const answer = await push(text, init);
      expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-language')]).toEqual([
        ...[400, 'application/json', 'en'],
      ]);
      expect(await answer.json()).toMatchObject({ err, description: expect.any(String) });
    }
    expect(await asks(erin)).toBe(200);
    const facts = { outcome: 'denied', status: 400, code: 'request_invalid', reason: 'event_refused' };
    await expect.poll(() => recordsOf(door).at(-2), WRITTEN).toMatchObject(facts);
  });

  test('the metrics count events by type and outcome', async () => {
    const page = await fetch(`${door.url}/_authorizer/metrics`, {
      headers: { authorization: `Bearer ${await issuer.token({ subject: 'frank' })}` },
    });
    expect(await page.text()).toMatch(/tgefd_security_events_total\{event="session-revoked",outcome="revoked"\} [1-9]/);
  });

  test('any other method is decided as any other request', async () => {
    expect((await fetch(`${door.url}/_authorizer/events`)).status).toBe(401);
  });
});

describeWith([program], 'security events in Redis', () => {
  let issuer: Issuer;
  let upstream: Upstream;
  let redis: RedisParts;
  let [receiving, deciding, leased]: StartedDoor[] = [];

  beforeAll(async () => {
    [issuer, upstream, redis] = await Promise.all([startIssuer(), startUpstream(), startRedis(program)]);
    const environment = {
      ...jwtEnvironment(issuer),
      ...{ TGEFD_UPSTREAM_URL: upstream.url, TGEFD_REDIS_URL: redis.url, TGEFD_REDIS_TOKEN: redis.token },
      ...{ TGEFD_AUDIT_PSEUDONYM_KEY: 'p'.repeat(32), TGEFD_REVOCATION_MAX_DELAY_SEC: '1' },
      TGEFD_EVENT_ISSUERS: JSON.stringify([rowFor(issuer)]),
    };
    [receiving, deciding, leased] = await Promise.all([
      startNodeDoor(environment),
      startNodeDoor({ ...environment, TGEFD_RATE_LIMIT_MODE: 'exact' }),
      startWorkerDoor(environment),
    ]);
  });
  afterAll(() => Promise.all([receiving, deciding, leased, issuer, upstream, redis].map((part) => part?.stop())));

  test('an event that one process receives holds in all, within the bound', async () => {
    if (!receiving || !deciding || !leased) throw new Error('no door');
    const iat = Math.floor(Date.now() / 1000) - 30;
    const token = await issuer.token({ subject: 'alice', claims: { iat, jti: 'token-1' } });
    const ask = async (door: StartedDoor) => {
      const response = await fetch(`${door.url}/v1/metrics`, { headers: { authorization: `Bearer ${token}` } });
      await response.body?.cancel();
      return response.status;
    };
    for (const door of [deciding, leased]) expect(await ask(door)).toBe(200);
    const sub_id = { format: 'jwt_id', iss: issuer.url, jti: 'token-1' };
    expect((await pushTo(receiving, await setOf(issuer, { events: { [sessionRevoked]: {} }, sub_id }))).status).toBe(
      202,
    );
    expect(await ask(deciding)).toBe(401);
    await expect.poll(() => ask(leased as StartedDoor), { timeout: 2_500, interval: 100 }).toBe(401);
    expect((await redis.client.keys('*')).join(' ')).not.toContain('token-1');
  });

  test('while Redis is out of reach an event is 503, and is applied when it comes again', async () => {
    if (!receiving) throw new Error('no door');
    const sub_id = { format: 'iss_sub', iss: issuer.url, sub: 'bob' };
    const text = await setOf(issuer, { events: { [sessionRevoked]: {} }, sub_id });
    await redis.setFault({ kind: 'refuse' });
    const answer = await pushTo(receiving, text);
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'revocation_unavailable' }]);
    await redis.setFault(null);
    const pushes = async () => (await pushTo(receiving as StartedDoor, text)).status;
    await expect.poll(pushes, { timeout: 5_000, interval: 250 }).toBe(202);
  });

  test('while the transmitter’s keys are out of reach an event is 503, never the sender’s fault', async () => {
    const other = await startIssuer();
    const door = await startNodeDoor({
      ...jwtEnvironment(issuer),
      TGEFD_UPSTREAM_URL: upstream.url,
      TGEFD_JWKS_MAX_ATTEMPTS: '1',
      TGEFD_EVENT_ISSUERS: JSON.stringify([{ ...rowFor(other), subject_issuers: issuer.url }]),
    });
    const text = await setOf(other, { events: { [sessionRevoked]: {} } });
    await other.stop();
    const answer = await pushTo(door, text);
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'keys_unavailable' }]);
    await door.stop();
  });
});

function rowFor(issuer: Issuer) {
  return { issuer: issuer.url, audience: AUDIENCE, keys: issuer.keySetUrl, algorithms: ['ES256'] };
}

async function setOf(issuer: Issuer, claims: Readonly<Record<string, unknown>>): Promise<string> {
  const jwk = issuer.signingKeys.find(({ alg }) => alg === 'ES256');
  if (jwk === undefined) throw new Error('no key');
  return new SignJWT({ iss: issuer.url, aud: AUDIENCE, jti: crypto.randomUUID(), ...claims })
    .setIssuedAt()
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid ?? '', typ: 'secevent+jwt' })
    .sign(await importJWK(jwk, 'ES256'));
}

function pushTo(door: StartedDoor, body: string, init: RequestInit = {}): Promise<Response> {
  const headers = { 'content-type': 'application/secevent+jwt', accept: 'application/json' };
  return fetch(`${door.url}/_authorizer/events`, { method: 'POST', headers, body, ...init });
}

interface Line {
  readonly type?: string;
  readonly reason?: string | null;
  readonly identity?: string | null;
  readonly event?: { readonly effect: string; readonly subjects: readonly string[] };
}

function recordsOf(door: StartedDoor): readonly Line[] {
  return door.lines
    .filter((line) => line.includes('"type":"audit"'))
    .map((line): Line => JSON.parse(line.slice(line.indexOf('{'))));
}
