import { describe, expect, test } from 'vitest';
import { createShadow } from '../../../lib/authorize/shadow.ts';
import type { Reason } from '../../../lib/decision/reason.ts';
import type { Endpoint } from '../../../lib/decision/request.ts';
import type { Walk } from '../../../lib/decision/walk.ts';
import { createEndpointTable } from '../../../lib/request/endpoints/table.ts';
import { messageByFields } from '../../../lib/request/mcp/steps.ts';

const row: Endpoint = {
  action: 'items',
  method: 'GET',
  pattern: '/items/{id}',
  scope: 'items',
  budget: 'read',
  own: false,
};

function tableOf(endpoints: readonly Endpoint[]) {
  return { endpoints, route: createEndpointTable(endpoints).route, messageOf: messageByFields };
}

function walkOf(scopes: readonly string[], endpoint: Endpoint = row, atMs = 0): Walk {
  const principal = { method: 'jwt', subject: 'alice', scopes, claims: null, issuer: null };
  const request = { method: 'GET', target: '/items/7' };
  return { atMs, principal, path: '/items/7', request, route: { found: 'endpoint', endpoint } } as unknown as Walk;
}

const forbidden: Reason = { reason: 'scope_missing', scope: 'items' };

describe('the second table', () => {
  const stricter = createShadow({
    table: tableOf([{ ...row, scope: 'items:read' }]),
    rbacEnabled: true,
    untilMs: null,
  });

  test('costs nothing where nothing is tried', () => {
    expect(createShadow({ table: null, rbacEnabled: true, untilMs: null })).toBeNull();
  });

  test('says nothing where both tables decide alike', () => {
    expect(stricter?.compare(walkOf(['items', 'items:read']), null)).toBeNull();
    expect(stricter?.compare(walkOf([]), forbidden)).toBeNull();
  });

  test('names who would lose and who would gain access', () => {
    expect(stricter?.compare(walkOf(['items']), null)).toEqual({
      denial: { reason: 'scope_missing', scope: 'items:read' },
    });
    expect(stricter?.compare(walkOf(['items:read']), forbidden)).toEqual({ denial: null });
  });

  test('finds a row that is gone, and a row for another kind of credentials', () => {
    const empty = createShadow({ table: tableOf([]), rbacEnabled: true, untilMs: null });
    expect(empty?.compare(walkOf(['items']), null)).toEqual({ denial: { reason: 'endpoint_unknown' } });
    const mtls = createShadow({ table: tableOf([{ ...row, auth: ['mtls'] }]), rbacEnabled: true, untilMs: null });
    expect(mtls?.compare(walkOf(['items']), null)).toEqual({ denial: { reason: 'credentials_missing' } });
  });

  test('leaves our own endpoints alone', () => {
    const empty = createShadow({ table: tableOf([]), rbacEnabled: true, untilMs: null });
    expect(empty?.compare(walkOf(['items'], { ...row, own: true }), null)).toBeNull();
  });
});

describe('denials that are only recorded', () => {
  const trial = createShadow({ table: null, rbacEnabled: true, untilMs: 1_000 });

  test.each<[Reason, boolean]>([
    [forbidden, true],
    [{ reason: 'claim_mismatch', claim: 'tenant' }, true],
    [{ reason: 'issuer_not_allowed' }, true],
    [{ reason: 'budget_exhausted', budget: 'heavy', retryAfterSeconds: 3 }, true],
    [{ reason: 'credential_revoked', by: 'jti' }, false],
    [{ reason: 'endpoint_unknown' }, false],
    [{ reason: 'limits_unavailable', retryAfterSeconds: 1 }, false],
    [{ reason: 'audit_unavailable', retryAfterSeconds: 1 }, false],
    [{ reason: 'internal_error' }, false],
  ])('%o is let through: %s', (denial, spared) => {
    expect(trial?.spares(walkOf([]), denial)).toBe(spared);
  });

  test('ends at its instant, and never opens an endpoint of our own', () => {
    expect(trial?.spares(walkOf([], row, 999), forbidden)).toBe(true);
    expect(trial?.spares(walkOf([], row, 1_000), forbidden)).toBe(false);
    expect(trial?.spares(walkOf([], { ...row, own: true }), forbidden)).toBe(false);
  });
});
