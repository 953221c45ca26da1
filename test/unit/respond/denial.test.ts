import { describe, expect, test } from 'vitest';
import type { AuthMethod } from '../../../lib/decision/principal.ts';
import type { Reason } from '../../../lib/decision/reason.ts';
import { challengeOf, codeOf, denialAnswer, statusOf } from '../../../lib/respond/denial.ts';

const told = { requestId: 'r-1', authMethod: 'jwt' as AuthMethod };
function field(reason: Reason, name: string) {
  return denialAnswer(reason, told).headers.find(([each]) => each === name)?.[1] ?? null;
}

describe('a denial on the wire', () => {
  test.each<[Reason, number, string, string]>([
    [{ reason: 'path_ambiguous', problem: 'dot_segment' }, 400, 'request_invalid', 'bad request'],
    [{ reason: 'credentials_duplicated' }, 400, 'request_invalid', 'bad request'],
    [{ reason: 'credentials_oversized' }, 400, 'request_invalid', 'bad request'],
    [{ reason: 'host_invalid' }, 400, 'request_invalid', 'bad request'],
    [{ reason: 'forwarded_invalid', field: 'x-forwarded-for' }, 400, 'request_invalid', 'bad request'],
    [{ reason: 'credentials_missing' }, 401, 'credentials_missing', 'unauthorized'],
    [{ reason: 'token_expired', secondsAgo: 5 }, 401, 'credentials_invalid', 'unauthorized'],
    [{ reason: 'token_signature_invalid' }, 401, 'credentials_invalid', 'unauthorized'],
    [{ reason: 'credential_revoked', by: 'jti' }, 401, 'credentials_invalid', 'unauthorized'],
    [{ reason: 'request_stalled' }, 408, 'request_timeout', 'request timeout'],
    [{ reason: 'step_up_needed', acr: ['mfa'], maximumAgeSeconds: null }, 401, 'step_up_required', 'unauthorized'],
    [{ reason: 'scope_missing', scope: 'discover' }, 403, 'insufficient_scope', 'forbidden'],
    [{ reason: 'transport_insecure' }, 403, 'insecure_transport', 'forbidden'],
    [{ reason: 'endpoint_unknown' }, 404, 'endpoint_unknown', 'not found'],
    [{ reason: 'method_unknown', allow: ['GET', 'HEAD'] }, 405, 'method_not_allowed', 'method not allowed'],
    [{ reason: 'body_too_large', limitBytes: 1 }, 413, 'body_too_large', 'request too large'],
    [{ reason: 'budget_exhausted', budget: 'heavy', retryAfterSeconds: 3 }, 429, 'rate_limited', 'too many requests'],
    [{ reason: 'authentication_throttled', retryAfterSeconds: 3 }, 429, 'rate_limited', 'too many requests'],
    [{ reason: 'upstream_unreachable' }, 502, 'upstream_unreachable', 'bad gateway'],
    [{ reason: 'upstream_timeout' }, 504, 'upstream_timeout', 'gateway timeout'],
    [{ reason: 'configuration_invalid' }, 503, 'configuration_invalid', 'service unavailable'],
    [{ reason: 'keys_unavailable', retryAfterSeconds: 2 }, 503, 'keys_unavailable', 'service unavailable'],
    [{ reason: 'revocation_unavailable', retryAfterSeconds: 2 }, 503, 'revocation_unavailable', 'service unavailable'],
    [{ reason: 'limits_unavailable', retryAfterSeconds: 2 }, 503, 'limits_unavailable', 'service unavailable'],
    [{ reason: 'audit_unavailable', retryAfterSeconds: 2 }, 503, 'audit_unavailable', 'service unavailable'],
    [{ reason: 'internal_error' }, 503, 'internal_error', 'service unavailable'],
  ])('%o is %i %s', (reason, status, code, detail) => {
    const answer = denialAnswer(reason, told);
    expect(answer.status).toBe(status);
    expect(statusOf(reason)).toBe(status);
    expect(codeOf(reason)).toBe(code);
    expect(JSON.parse(answer.body ?? '')).toMatchObject({
      status,
      code,
      detail,
      request_id: 'r-1',
      type: expect.stringMatching(/^(urn|https):/),
      title: expect.stringMatching(/\w/),
    });
    expect(field(reason, 'content-type')).toBe('application/problem+json');
    expect(field(reason, 'cache-control')).toBe('no-store');
    expect(field(reason, 'x-request-id')).toBe('r-1');
  });

  test('RFC 6750 §3.1: no error code when nothing was sent', () => {
    expect(field({ reason: 'credentials_missing' }, 'www-authenticate')).toBe('Bearer realm="tgefd"');
  });

  test('every failed check of a credential looks the same from outside', () => {
    const reasons: Reason[] = [
      { reason: 'token_expired', secondsAgo: 9 },
      { reason: 'token_signature_invalid' },
      { reason: 'token_key_unknown' },
      { reason: 'token_claim_invalid', claim: 'aud' },
      { reason: 'credential_revoked', by: 'sub' },
    ];
    expect(new Set(reasons.map((reason) => JSON.stringify(denialAnswer(reason, told)))).size).toBe(1);
    expect(field({ reason: 'token_expired', secondsAgo: 9 }, 'www-authenticate')).toBe(
      'Bearer realm="tgefd", error="invalid_token"',
    );
  });

  test('a missing scope is named in challenge and problem', () => {
    const reason: Reason = { reason: 'scope_missing', scope: 'discover' };
    expect(challengeOf(reason, { authMethod: 'jwt' })).toBe(
      'Bearer realm="tgefd", error="insufficient_scope", scope="discover"',
    );
    expect(JSON.parse(denialAnswer(reason, told).body ?? '').scope).toBe('discover');
  });

  test('RFC 9110 §15.5.6: 405 lists the methods', () => {
    expect(field({ reason: 'method_unknown', allow: ['GET', 'HEAD'] }, 'allow')).toBe('GET, HEAD');
  });

  test('Retry-After is whole seconds, at least one, and on every 503', () => {
    expect(field({ reason: 'budget_exhausted', budget: 'general', retryAfterSeconds: 0.2 }, 'retry-after')).toBe('1');
    expect(field({ reason: 'keys_unavailable', retryAfterSeconds: 7 }, 'retry-after')).toBe('7');
    expect(field({ reason: 'internal_error' }, 'retry-after')).toBe('5');
    expect(field({ reason: 'endpoint_unknown' }, 'retry-after')).toBeNull();
  });
});
