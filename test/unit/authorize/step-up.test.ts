import { describe, expect, it } from 'vitest';
import { createAuthorize } from '../../../lib/authorize/authorize.ts';
import type { Principal } from '../../../lib/decision/principal.ts';
import type { Endpoint } from '../../../lib/decision/request.ts';
import { parseEndpointRows } from '../../../lib/request/endpoints/rows.ts';
import { challengeOf } from '../../../lib/respond/challenge.ts';
import { denialAnswer } from '../../../lib/respond/denial.ts';

const nowSeconds = 1_800_000_000;
const time = { clock: () => nowSeconds * 1000, clockSkewSeconds: 10 };

function rowWith(members: object): Endpoint {
  const row = { method: 'GET', path: '/v1/x', scope: null, budget: 'none', action: 'x', ...members };
  const { rows, problems } = parseEndpointRows([row]);
  expect(problems).toEqual([]);
  return { ...(rows[0] as Endpoint), own: false };
}

function decide(endpoint: Endpoint, claims: object | null, at: typeof time | null = time) {
  const principal = { method: 'jwt', scopes: [], claims } as unknown as Principal;
  return createAuthorize([endpoint], true, at)(principal, { found: 'endpoint', endpoint }, '/v1/x')?.reason ?? null;
}

const strong = rowWith({ acr: ['phr', 'phrh'] });
const recent = rowWith({ max_age_sec: 60 });
const both = rowWith({ acr: 'phr', max_age_sec: 60 });

describe('a row that demands an authentication (RFC 9470)', () => {
  it.each<[string, Endpoint, object | null, string | null]>([
    ['the class that is wanted', strong, { acr: 'phrh' }, null],
    ['another class', strong, { acr: 'pwd' }, 'step_up_needed'],
    ['no class', strong, {}, 'step_up_needed'],
    ['a list of classes, which no acr is', strong, { acr: ['phr'] }, 'step_up_needed'],
    ['an inherited class', strong, Object.create({ acr: 'phr' }), 'step_up_needed'],
    ['a recent authentication', recent, { auth_time: nowSeconds - 60 }, null],
    ['one that is old within the skew', recent, { auth_time: nowSeconds - 70 }, null],
    ['one that is older', recent, { auth_time: nowSeconds - 71 }, 'step_up_needed'],
    ['one ahead within the skew', recent, { auth_time: nowSeconds + 10 }, null],
    ['one further ahead', recent, { auth_time: nowSeconds + 11 }, 'step_up_needed'],
    ['no time', recent, {}, 'step_up_needed'],
    ['a time that is text', recent, { auth_time: `${nowSeconds}` }, 'step_up_needed'],
    ['both', both, { acr: 'phr', auth_time: nowSeconds }, null],
    ['the class alone', both, { acr: 'phr', auth_time: 1 }, 'step_up_needed'],
    ['the time alone', both, { acr: 'pwd', auth_time: nowSeconds }, 'step_up_needed'],
    ['a caller without a token', both, null, 'step_up_needed'],
  ])('with %s', (_, endpoint, claims, reason) => {
    expect(decide(endpoint, claims)).toBe(reason);
  });

  it('refuses everybody where no time is known', () => {
    expect(decide(recent, { auth_time: nowSeconds }, null)).toBe('step_up_needed');
  });

  it('comes after the scope', () => {
    expect(decide(rowWith({ scope: 'jobs', acr: 'phr' }), {})).toBe('scope_missing');
  });

  it.each([
    [{ acr: 'a b' }],
    [{ acr: [] }],
    [{ acr: 'a"b' }],
    [{ max_age_sec: -1 }],
    [{ max_age_sec: 1.5 }],
    [{ max_age_sec: '60' }],
  ])('is no row with %j', (members) => {
    const row = { method: 'GET', path: '/v1/x', scope: null, budget: 'none', ...members };
    expect(parseEndpointRows([row]).problems).toHaveLength(1);
  });

  it('tells the caller what to bring', () => {
    const reason = { reason: 'step_up_needed', acr: ['phr', 'phrh'], maximumAgeSeconds: 60 } as const;
    expect(challengeOf(reason, { authMethod: 'jwt' })).toBe(
      'Bearer realm="tgefd", error="insufficient_user_authentication", acr_values="phr phrh", max_age="60"',
    );
    const { status, body } = denialAnswer(reason, { requestId: 'r', authMethod: 'jwt' });
    expect([status, JSON.parse(body ?? '').code]).toEqual([401, 'step_up_required']);
  });
});
