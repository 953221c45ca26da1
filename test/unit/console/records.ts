import type { AuditRecord } from '../../../lib/audit/schema.ts';

const COMMON: AuditRecord = {
  type: 'audit',
  version: 2,
  id: '01K0000000000000000000000A',
  request_id: 'r1',
  ts: '2026-11-27T08:00:00.000Z',
  door: 'gateway',
  identity: '0a1b2c3d.aaaaaaaaaaaaaaaaaaaaaa',
  auth_method: 'jwt',
  action: 'jobs',
  method: 'GET',
  pattern: '/v1/jobs/{id}',
  outcome: 'allowed',
  status: 200,
  code: null,
  reason: null,
  reason_detail: null,
  budgets: [],
  degraded: [],
  latency_ms: 1,
  client_address: null,
  key_id: null,
};

/** One audit record; what is not given is that of an allowed request. */
export function record(changes: Partial<AuditRecord> = {}): AuditRecord {
  return { ...COMMON, ...changes };
}
