/**
 * RFC 9457 (problem details), as it binds whoever writes them.
 *
 * | requirement | test |
 * |---|---|
 * | §3 media type `application/problem+json`, a JSON object | "§3" |
 * | §3.1.1 `type` a URI reference, the same for the same kind of problem | "§3.1.1" |
 * | §3.1.2 `status`, if there, as the answer's own | "§3.1.2" |
 * | §3.1.3 `title` does not change from occurrence to occurrence | "§3.1.3" |
 * | §3.1.4 `detail` helps the client, is no debugging information | "§3.1.4": the words of the protected service, nothing of the request |
 * | §3.1.5 `instance` | not used: `request_id` names the occurrence |
 * | §3.2 extension members: names that clients may ignore | "§3.2" |
 * | §4.2 registered problem types | "§4.2": quota-exceeded, from the RateLimit draft |
 * | §5 nothing that helps an attacker | "§5": one answer for every failed check of a credential |
 * | XML form (appendix B) | not offered |
 */
import { describe, expect, it } from 'vitest';
import type { Reason } from '../../lib/decision/reason.ts';
import { denialAnswer } from '../../lib/respond/denial.ts';

const reasons: readonly Reason[] = [
  { reason: 'path_ambiguous', problem: 'encoded_separator' },
  { reason: 'credentials_missing' },
  { reason: 'token_signature_invalid' },
  { reason: 'scope_missing', scope: 'discover' },
  { reason: 'transport_insecure' },
  { reason: 'endpoint_unknown' },
  { reason: 'method_unknown', allow: ['POST'] },
  { reason: 'body_too_large', limitBytes: 10 },
  { reason: 'budget_exhausted', budget: 'heavy', retryAfterSeconds: 7 },
  { reason: 'authentication_throttled', retryAfterSeconds: 7 },
  { reason: 'keys_unavailable', retryAfterSeconds: 7 },
  { reason: 'audit_unavailable', retryAfterSeconds: 7 },
  { reason: 'upstream_timeout' },
  { reason: 'internal_error' },
];
function answer(reason: Reason, requestId = 'r-1') {
  const { status, headers, body } = denialAnswer(reason, { requestId, authMethod: 'jwt' });
  return { status, type: Object.fromEntries(headers)['content-type'], problem: JSON.parse(body ?? '') };
}

describe('RFC 9457', () => {
  it.each(reasons.map((reason) => [reason.reason, reason] as const))('§3, §3.1.1, §3.1.2: %s', (_, reason) => {
    const { status, type, problem } = answer(reason);
    expect(type).toBe('application/problem+json');
    expect(problem.status).toBe(status);
    expect(() => new URL(problem.type)).not.toThrow();
  });

  it.each(reasons.map((reason) => [reason.reason, reason] as const))(
    '§3.1.3: %s has one title and one type',
    (_, reason) => {
      const [one, other] = [answer(reason, 'r-1').problem, answer(reason, 'r-2').problem];
      expect([one.title, one.type]).toEqual([other.title, other.type]);
      expect(one.request_id).not.toBe(other.request_id);
    },
  );

  it('§3.1.4: the detail keeps the words that clients of the service know', () => {
    const details = reasons.map((reason) => answer(reason).problem.detail);
    for (const words of ['unauthorized', 'forbidden', 'too many requests', 'request too large'])
      expect(details).toContain(words);
  });

  it('§3.2: extension members are words that a program can read', () => {
    for (const reason of reasons)
      for (const name of Object.keys(answer(reason).problem)) expect(name).toMatch(/^[a-z][a-z_-]+$/);
  });

  it('§4.2: an exhausted budget has the registered type and names what was violated', () => {
    expect(answer({ reason: 'budget_exhausted', budget: 'heavy', retryAfterSeconds: 7 }).problem).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      'violated-policies': ['heavy'],
    });
  });

  it('§5: no problem tells which check of a credential failed', () => {
    const failed: readonly Reason[] = [
      { reason: 'token_signature_invalid' },
      { reason: 'token_expired', secondsAgo: 1 },
      { reason: 'api_key_unknown' },
      { reason: 'certificate_expired' },
      { reason: 'credential_revoked', by: 'jti' },
    ];
    expect(new Set(failed.map((reason) => JSON.stringify(answer(reason)))).size).toBe(1);
  });
});
