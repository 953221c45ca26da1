import { describe, expect, test } from 'vitest';
import { auditRecord, type RecordFacts } from '../../../lib/audit/record.ts';
import { auditRecordSchema } from '../../../lib/audit/schema.ts';
import type { Reason } from '../../../lib/decision/reason.ts';
import { decision } from '../archive/fixtures.ts';

const facts: RecordFacts = {
  identity: '0a1b2c3d.AAAAAAAAAAAAAAAAAAAAAA',
  clientAddress: '0a1b2c3d.BBBBBBBBBBBBBBBBBBBBBB',
  status: 200,
  code: null,
  policy: 'a'.repeat(32),
  build: '0.2.0+abc',
  shadow: null,
};

test('an allowed decision, field by field', () => {
  expect(auditRecord(decision(), facts)).toEqual({
    type: 'audit',
    version: 2,
    id: 'd-1',
    request_id: 'r-1',
    ts: '2026-11-24T10:00:00.000Z',
    door: 'gateway',
    identity: '0a1b2c3d.AAAAAAAAAAAAAAAAAAAAAA',
    auth_method: 'jwt',
    action: 'evaluate',
    method: 'POST',
    pattern: '/v1/evaluate',
    outcome: 'allowed',
    status: 200,
    code: null,
    reason: null,
    reason_detail: null,
    budgets: [{ name: 'heavy', remaining: 59 }],
    degraded: [],
    latency_ms: 1.25,
    client_address: '0a1b2c3d.BBBBBBBBBBBBBBBBBBBBBB',
    key_id: 'kid-1',
    policy: 'a'.repeat(32),
    build: '0.2.0+abc',
  });
});

const denials: readonly [Reason, string | null][] = [
  [{ reason: 'credentials_missing' }, null],
  [{ reason: 'token_malformed', part: 'header' }, 'header'],
  [{ reason: 'token_key_unfit', check: 'size' }, 'size'],
  [{ reason: 'token_claim_invalid', claim: 'aud' }, 'aud'],
  [{ reason: 'token_expired', secondsAgo: 5 }, '5 s ago'],
  [{ reason: 'token_not_yet_valid', claim: 'nbf', secondsAhead: 90 }, 'nbf 90 s ahead'],
  [{ reason: 'token_lifetime_too_long', lifetimeSeconds: 7200, maximumSeconds: 3600 }, '7200 s, at most 3600 s'],
  [{ reason: 'path_ambiguous', problem: 'dot_segment' }, 'dot_segment'],
  [{ reason: 'credential_revoked', by: 'jti' }, 'jti'],
  [{ reason: 'scope_missing', scope: 'evaluate' }, 'evaluate'],
  [{ reason: 'budget_exhausted', budget: 'heavy', retryAfterSeconds: 3 }, 'heavy'],
  [{ reason: 'body_too_large', limitBytes: 1024 }, 'at most 1024 bytes'],
  [{ reason: 'keys_unavailable', retryAfterSeconds: 3 }, null],
];

test.each(denials)('denied for %o', (denial, detail) => {
  const record = auditRecord(decision({ denial }), { ...facts, status: 401, code: 'credentials_invalid' });
  expect(record).toMatchObject({ outcome: 'denied', status: 401, reason: denial.reason, reason_detail: detail });
  expect(auditRecordSchema.safeParse(record).success).toBe(true);
});

test('nothing of the caller reaches a record: no path, query, header, subject, issuer, scope or token id', () => {
  const text = JSON.stringify(
    auditRecord(decision({ path: '/v1/jobs/raw-job-id', query: '?q=secret', pattern: '/v1/jobs/{job_id}' }), facts),
  );
  for (const raw of [
    'alice',
    'issuer.example',
    'token-id-1',
    'secret',
    'raw-job-id',
    'raw.token',
    '203.0.113.7',
    'api.example',
  ]) {
    expect(text).not.toContain(raw);
  }
});

describe('log injection', () => {
  test('a key id with line feeds, controls and foreign characters becomes one bounded printable line', () => {
    const { principal } = decision();
    if (principal === null) throw new Error('the fixture has a principal');
    const keyId = `k\n{"type":"audit"}\u0000\u2028é${'x'.repeat(1000)}`;
    const record = auditRecord(decision({ principal: { ...principal, keyId } }), facts);
    expect(record.key_id).toMatch(/^[\x20-\x7e]{1,256}$/);
    expect(JSON.stringify(record)).not.toMatch(/[^\x20-\x7e]/);
    expect(auditRecordSchema.safeParse(record).success).toBe(true);
  });

  test.each(['GET\n', 'eyJhbGciOi.raw.token', 'get', ''])('a method nobody knows (%j) is not repeated', (method) => {
    expect(auditRecord(decision({ method, endpoint: null }), facts).method).toBe('other');
  });

  test('a method that the endpoint table knows is', () => {
    const { endpoint } = decision();
    if (endpoint === null) throw new Error('the fixture has an endpoint');
    expect(auditRecord(decision({ method: 'PURGE', endpoint: { ...endpoint, method: 'PURGE' } }), facts).method).toBe(
      'PURGE',
    );
  });
});

test('the schema refuses a member that it does not list', () => {
  expect(auditRecordSchema.safeParse({ ...auditRecord(decision(), facts), subject: 'alice' }).success).toBe(false);
});

test('says what would have been answered to a request that a trial let through', () => {
  const wouldDeny: Reason = { reason: 'scope_missing', scope: 'evaluate' };
  const record = auditRecord(decision({ wouldDeny }), { ...facts, code: 'insufficient_scope' });
  expect(record).toMatchObject({
    outcome: 'would_deny',
    status: 200,
    code: 'insufficient_scope',
    reason: 'scope_missing',
  });
  expect(auditRecordSchema.safeParse(record).success).toBe(true);
});

test('carries the verdict of the shadow table only where there is one', () => {
  const shadow = { outcome: 'denied', code: 'endpoint_unknown' } as const;
  const record = auditRecord(decision(), { ...facts, shadow });
  expect(record.shadow).toEqual(shadow);
  expect(auditRecordSchema.safeParse(record).success).toBe(true);
  expect('shadow' in auditRecord(decision(), facts)).toBe(false);
});

test('records of version 1 stay readable', () => {
  const { policy: _policy, build: _build, ...old } = auditRecord(decision(), facts);
  expect(auditRecordSchema.safeParse({ ...old, version: 1, status: null }).success).toBe(true);
});
