import { describe, expect, test } from 'vitest';
import type { Reason } from '../../../lib/decision/reason.ts';
import type { Shadow } from '../../../lib/decision/steps.ts';
import { inShadow } from '../../../lib/decision/verdict.ts';
import type { Walk } from '../../../lib/decision/walk.ts';

const other: Reason = { reason: 'scope_missing', scope: 'other' };
const shadow: Shadow = { compare: () => ({ denial: other }), spares: () => false };
const walk = (refusal: Reason | null, principal: object | null = {}) => ({ refusal, principal }) as unknown as Walk;

describe('the second table is asked about', () => {
  test.each<[string, Reason | null, Reason | null]>([
    ['an allowed request', null, null],
    ['a refusal of the present table', { reason: 'endpoint_unknown' }, { reason: 'endpoint_unknown' }],
    ['a budget that is empty', null, { reason: 'budget_exhausted', budget: 'general', retryAfterSeconds: 1 }],
  ])('%s', (_, refusal, reason) => {
    const told = refusal ?? reason;
    expect(inShadow(shadow, walk(refusal), told)).toMatchObject({ denial: told, shadow: { denial: other } });
  });
});

describe('the second table is not asked about', () => {
  test.each<[string, Reason | null, Reason]>([
    ['a revoked credential', null, { reason: 'credential_revoked', by: 'jti' }],
    ['a revoked credential that also asked for too much', other, { reason: 'credential_revoked', by: 'jti' }],
    ['a proof that was used before', null, { reason: 'proof_replayed' }],
    ['an outage of ours', null, { reason: 'limits_unavailable', retryAfterSeconds: 1 }],
    ['too many requests under way', null, { reason: 'too_many_requests_under_way', retryAfterSeconds: 1 }],
  ])('%s', (_, refusal, reason) => {
    expect(inShadow(shadow, walk(refusal), reason)).toEqual({ denial: reason, wouldDeny: null, shadow: null });
  });

  test('a caller whom nobody knows', () => {
    const reason: Reason = { reason: 'credentials_missing' };
    expect(inShadow(shadow, walk(null, null), reason)).toEqual({ denial: reason, wouldDeny: null, shadow: null });
  });
});
