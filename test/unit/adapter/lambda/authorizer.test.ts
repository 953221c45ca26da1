import fc from 'fast-check';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { AuthorizerError } from '../../../../lib/adapter/lambda/answer.ts';
import { createLambdaDoor } from '../../../../lib/adapter/lambda/authorizer.ts';
import { createUlids } from '../../../../lib/codec/ulid.ts';
import { compose } from '../../../../lib/compose/authorizer.ts';
import { loadConfig } from '../../../../lib/config/load.ts';
import { createEgressWatch } from '../../../../lib/egress/watch.ts';
import http1 from '../../functions/events/http-1.json' with { type: 'json' };
import http2 from '../../functions/events/http-2.json' with { type: 'json' };
import restRequest from '../../functions/events/rest-request.json' with { type: 'json' };
import restToken from '../../functions/events/rest-token.json' with { type: 'json' };

const SECRET = 'a secret of the tests, 32 bytes or more';

function doorWith(env: Readonly<Record<string, string>> = {}, clock = () => Date.now()) {
  const logged: string[] = [];
  const log = (_level: string, event: string, facts?: object) => void logged.push(JSON.stringify({ event, ...facts }));
  const loaded = loadConfig(
    {
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_JWT_SECRET: SECRET,
      TGEFD_RBAC_ENABLED: 'true',
      TGEFD_AUDIT_LOG: 'false',
      ...env,
    },
    { platform: 'lambda', role: 'gateway', upstreamBinding: false, bucketBinding: false },
  );
  if (!loaded.ok) throw new Error('the configuration of this test does not hold');
  const composed = compose(loaded.config, {
    clock,
    newId: createUlids(clock),
    log,
    fetch: () => Promise.reject(new Error('no network in unit tests')),
    egressWatch: createEgressWatch(log),
    random: () => 0.5,
    sleep: async () => {},
    sharePromises: true,
    sharedKeySets: null,
    readFile: null,
    upstream: null,
    auditLine: null,
    spill: null,
    redisExchange: null,
  });
  return { door: createLambdaDoor(composed, { log, metrics: { count: () => {}, flush: () => {} } }), logged };
}
function token(claims: Readonly<Record<string, unknown>>) {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject('alice')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));
}
function eventWith(bearer: string) {
  return { ...http2, headers: { ...http2.headers, authorization: `Bearer ${bearer}` } };
}
function permits(answer: unknown): boolean {
  return /"isAuthorized":true|"Allow"/.test(JSON.stringify(answer) ?? '');
}

describe('the door of API Gateway', () => {
  it('lets a caller in who may come in (or the next tests would show nothing)', async () => {
    const { door } = doorWith();
    expect(permits(await door(eventWith(await token({ scope: 'jobs' }))))).toBe(true);
  });

  it.each([
    ['a claim', { scope: 'jobs', tier: 'gold' }, { scope: 'jobs', tier: 'tin' }, { tier: 'gold' }],
    ['another scope', { scope: 'jobs metrics' }, { scope: 'jobs' }, undefined],
  ])('writes a policy for each caller where rows demand %s', async (_, may, mayNot, claims) => {
    const rows = [
      { method: 'GET', path: '/v1/jobs/{id}', scope: 'jobs', budget: 'read' },
      {
        method: 'GET',
        path: '/v1/metrics',
        scope: claims ? 'jobs' : 'metrics',
        budget: 'read',
        ...(claims && { claims }),
      },
    ];
    const { door } = doorWith({ TGEFD_ENDPOINTS: JSON.stringify(rows), TGEFD_AUTHORIZER_RESPONSE: 'iam' });
    const grantsMetrics = async (held: object) =>
      /"Allow"[^}]*GET\/v1\/metrics/.test(JSON.stringify(await door(eventWith(await token({ ...held })))));
    expect([await grantsMetrics(may), await grantsMetrics(mayNot), await grantsMetrics(may)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('drops a row from the policy of a caller whose authentication has become too old for it', async () => {
    const rows = [
      { method: 'GET', path: '/v1/jobs/{id}', scope: 'jobs', budget: 'read' },
      { method: 'GET', path: '/v1/metrics', scope: 'jobs', budget: 'read', max_age_sec: 60 },
    ];
    let nowMs = Date.now();
    const env = { TGEFD_ENDPOINTS: JSON.stringify(rows), TGEFD_AUTHORIZER_RESPONSE: 'iam' };
    const { door } = doorWith(env, () => nowMs);
    const bearer = await token({ scope: 'jobs', auth_time: Math.floor(nowMs / 1000) });
    const granted = async () => {
      const answer = JSON.stringify(await door(eventWith(bearer)));
      return ['v1/jobs/', 'v1/metrics'].filter((path) => new RegExp(`"Allow"[^}]*GET/${path}`).test(answer));
    };
    // A token is remembered from its second sighting on.
    for (let sighting = 1; sighting <= 3; sighting++) expect(await granted()).toEqual(['v1/jobs/', 'v1/metrics']);
    nowMs += 600_000;
    expect(await granted()).toEqual(['v1/jobs/']);
  });

  it('never permits by a mangled event, and fails with a word', async () => {
    const { door } = doorWith();
    const events = [restToken, restRequest, http1, http2].map((event) => JSON.stringify(event));
    const pieces = fc.constantFrom(
      '',
      '"',
      '{}',
      '[]',
      'null',
      'true',
      '*',
      '$default',
      '__proto__',
      'Allow',
      '\\u0000',
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...events), fc.nat(), fc.nat(20), pieces, async (text, at, cut, put) => {
        const place = at % text.length;
        let event: unknown;
        try {
          event = JSON.parse(text.slice(0, place) + put + text.slice(place + cut));
        } catch {
          return;
        }
        const answer: unknown = await door(event).catch((error: unknown) => error);
        if (answer instanceof Error) {
          expect(answer).toBeInstanceOf(AuthorizerError);
          expect(answer.message).toMatch(/^[A-Za-z_]{1,40}$/);
        } else expect(permits(answer)).toBe(false);
      }),
      { seed: 11, numRuns: 2000 },
    );
  });

  it.each([[undefined], [null], [0], ['x'], [[]], [{}], [{ type: 'TOKEN' }], [{ version: '2.0' }]])(
    'fails clearly on %j',
    async (event) => {
      await expect(doorWith().door(event)).rejects.toThrow('event_malformed');
    },
  );

  it('says nothing of an event in its log', async () => {
    const { door, logged } = doorWith();
    await expect(door({ ...http2, headers: { authorization: 4711 } })).rejects.toThrow('event_malformed');
    expect(logged.join()).toContain('headers.authorization');
    expect(logged.join()).not.toContain('4711');
  });

  it('fails clearly where an answer would be larger than API Gateway takes', async () => {
    const { door } = doorWith();
    const scope = ['jobs', ...Array.from({ length: 400 }, (_, number) => `scope-with-a-name-${number}`)];
    const padded = await token({ scope: scope.join(' ') }).catch(() => '');
    expect(padded.length).toBeGreaterThan(8192);
    const { door: patient } = doorWith({ TGEFD_ROLE_ANALYST_SCOPES: scope.join(' ') });
    await expect(patient(eventWith(await token({ role: 'analyst' })))).rejects.toThrow('answer_too_large');
    await expect(door(eventWith(padded))).resolves.toMatchObject({ isAuthorized: false });
  });

  it('fails clearly, and tells the operator which row, where a table does not fit into a policy', async () => {
    const rows = [{ method: 'GET', path: `/v1/${'x'.repeat(480)}`, scope: 'jobs', budget: 'read' }];
    const { door, logged } = doorWith({ TGEFD_ENDPOINTS: JSON.stringify(rows), TGEFD_AUTHORIZER_RESPONSE: 'iam' });
    await expect(door(eventWith(await token({ scope: 'jobs' })))).rejects.toThrow('policy_too_large');
    expect(logged.join()).toMatch(/\/v1\/xxx.*512/);
  });

  it('warns of a table that must not be cached, and of caching', () => {
    const rows = [{ method: 'GET', path: '/v1/jobs/{id}/output', scope: 'jobs', budget: 'read' }];
    const { logged } = doorWith({ TGEFD_ENDPOINTS: JSON.stringify(rows), TGEFD_AUTHORIZER_TTL_SEC: '60' });
    expect(logged.join()).toContain('endpoints_must_not_be_cached');
    expect(logged.join()).toContain('answers_are_kept');
  });
});
