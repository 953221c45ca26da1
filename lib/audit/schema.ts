import * as z from 'zod/mini';
import type { AuthMethod } from '../decision/principal.ts';
import type { Code, Degradation } from '../decision/reason.ts';
import type { RequestSource } from '../decision/request.ts';
import { RECORD_VERSION } from './version.ts';

/** Version of the records about secrets. */
const ACCESS_VERSION = 1;

const doors = [
  'gateway',
  'library',
  'nginx',
  'traefik',
  'caddy',
  'envoy',
  'lambda_rest_token',
  'lambda_rest_request',
  'lambda_http_1',
  'lambda_http_2',
] as const satisfies readonly RequestSource[];
const authMethods = ['api_key', 'jwt', 'mtls', 'none'] as const satisfies readonly AuthMethod[];
const degradations = [
  'limits_local',
  'limits_open',
  'revocation_open',
  'keys_stale',
  'audit_direct',
] as const satisfies readonly Degradation[];
const codes = [
  'request_invalid',
  'credentials_missing',
  'credentials_invalid',
  'step_up_required',
  'insufficient_scope',
  'insecure_transport',
  'endpoint_unknown',
  'method_not_allowed',
  'body_too_large',
  'request_timeout',
  'rate_limited',
  'upstream_unreachable',
  'upstream_timeout',
  'configuration_invalid',
  'keys_unavailable',
  'revocation_unavailable',
  'limits_unavailable',
  'audit_unavailable',
  'internal_error',
] as const satisfies readonly Code[];

function described<S extends z.ZodMiniType>(schema: S, description: string): S {
  return schema.check(z.meta({ description })) as S;
}
const token = z.string().check(z.regex(/^[A-Za-z0-9._-]{1,128}$/));
const pseudonym = z.string().check(z.regex(/^[0-9a-f]{8}\.[A-Za-z0-9_-]{22}$/));
const word = z.string().check(z.regex(/^[a-z0-9_]{1,64}$/));
const budgetName = z.string().check(z.regex(/^[a-z0-9_-]{1,64}$/));
const printable = z.string().check(z.regex(/^[\x20-\x7e]{0,256}$/));

/** What the record of a security event says beside the decision. */
const eventSchema = z.strictObject({
  effect: described(
    z.enum(['revoked', 'released', 'unchanged', 'repeated', 'verified', 'ignored', 'refused', 'unavailable']),
    'Effect of the event. `unchanged`: a later event said the opposite. `repeated`: the same event came before.',
  ),
  types: described(z.array(z.string().check(z.regex(/^[a-z0-9-]{1,64}$/))), 'Short names of its events.'),
  issuer: described(z.nullable(printable), 'The transmitter as configured; null if it is not configured.'),
  subjects: described(z.array(pseudonym), 'Pseudonyms of the subjects and tokens that it names.'),
  token: described(z.nullable(pseudonym), 'Pseudonym of its `jti`.'),
});

export type EventRecord = z.infer<typeof eventSchema>;

/** One audit record, as the outbox and the log line carry it. Unknown members are refused: what is not listed here is never
 * written. */
export const auditRecordSchema = z.strictObject({
  type: z.literal('audit'),
  version: described(
    z.literal([1, RECORD_VERSION]),
    'Version of this format. Records of version 1 have no `policy`, `build` and `shadow`.',
  ),
  id: described(token, 'Decision id: unique, one record each.'),
  request_id: described(token, 'Request id, as on the answer and in the log.'),
  ts: described(z.iso.datetime({ precision: 3 }), 'When the decision began: RFC 3339, UTC, milliseconds.'),
  door: described(z.enum(doors), 'The way in.'),
  identity: described(z.nullable(pseudonym), 'Pseudonym of the verified caller; null if no caller was verified.'),
  auth_method: described(z.enum(authMethods), 'How callers prove who they are.'),
  action: described(z.nullable(printable), 'Action of the endpoint; null if no row matched.'),
  method: described(printable, 'Request method; `other` if neither the endpoint nor HTTP defines it.'),
  pattern: described(z.nullable(printable), 'Path pattern that matched. Never the path itself, never a query.'),
  outcome: described(
    z.enum(['allowed', 'denied', 'would_deny']),
    'The decision. `would_deny`: the request passed because of TGEFD_SHADOW_UNTIL; code and reason are those of the denial.',
  ),
  status: described(
    z.nullable(z.int().check(z.minimum(100), z.maximum(599))),
    'Status of the decision: 200 if it was allowed. The status of the upstream is not known yet. Null in records of old versions.',
  ),
  code: described(z.nullable(z.enum(codes)), 'Code of a denial, as the caller sees it.'),
  reason: described(z.nullable(word), 'Reason of a denial, for the operator.'),
  reason_detail: described(z.nullable(printable), 'A fact about the reason: a check, a claim name, a scope.'),
  budgets: described(
    z.array(z.strictObject({ name: budgetName, remaining: z.int().check(z.minimum(0)) })),
    'Budgets that were checked, with the whole tokens left after the decision. Each spends one token, unless the reason is budget_exhausted.',
  ),
  degraded: described(z.array(z.enum(degradations)), 'Guarantees that were weaker than usual for this decision.'),
  latency_ms: described(z.number().check(z.minimum(0)), 'Milliseconds from the start of the decision to this record.'),
  client_address: described(z.nullable(pseudonym), 'Pseudonym of the caller’s address.'),
  key_id: described(
    z.nullable(printable),
    'Key that authenticated the caller: kid, API key id or certificate thumbprint (never key material).',
  ),
  policy: z.optional(
    described(
      z.nullable(z.string().check(z.regex(/^[0-9a-f]{32}$/))),
      'Hash of the endpoint table, issuers, grants and budgets that decided, as `policy hash` prints it.',
    ),
  ),
  build: z.optional(described(printable, 'Version and commit of the code that decided.')),
  shadow: z.optional(
    described(
      z.strictObject({ outcome: z.enum(['allowed', 'denied']), code: z.nullable(z.enum(codes)) }),
      'Decision of the table in TGEFD_SHADOW_ENDPOINTS; only if it differs.',
    ),
  ),
  event: z.optional(described(eventSchema, 'Only for a security event: its content and its effect.')),
});

export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** One reading of a secret by a process of ours: the first, each that brought another value, and every failure. */
export const secretAccessSchema = z.strictObject({
  type: z.literal('secret_access'),
  version: described(z.literal(ACCESS_VERSION), 'Version of this format.'),
  id: described(token, 'Unique, one record each.'),
  ts: described(z.iso.datetime({ precision: 3 }), 'Time of the reading: RFC 3339, UTC, milliseconds.'),
  component: described(z.enum(['node', 'lambda', 'worker', 'archive']), 'Process that read it.'),
  variable: described(z.string().check(z.regex(/^[A-Z0-9_]{1,64}$/)), 'Variable of the secret.'),
  source: described(word, 'Store of the secret: file, vault, aws_sm, cf.'),
  outcome: z.enum(['read', 'failed']),
  key_id: described(
    z.nullable(pseudonym),
    'Pseudonym of the value: equal values have equal pseudonyms, and it says nothing else. Null if the reading failed.',
  ),
});

export type SecretAccessRecord = z.infer<typeof secretAccessSchema>;

/** One change of a caller's budgets by an operator. */
export const budgetChangeSchema = z.strictObject({
  type: z.literal('budget_change'),
  version: described(z.literal(ACCESS_VERSION), 'Version of this format.'),
  id: described(token, 'Unique, one record each.'),
  ts: described(z.iso.datetime({ precision: 3 }), 'Time of the change: RFC 3339, UTC, milliseconds.'),
  action: z.enum(['reset', 'grant']),
  identity: described(pseudonym, 'Pseudonym of the identity.'),
  budgets: described(z.array(budgetName), 'Names of the budgets.'),
  tokens: described(z.nullable(z.int().check(z.minimum(1))), 'Requests that were granted; null for a reset.'),
});

export type BudgetChangeRecord = z.infer<typeof budgetChangeSchema>;

/** Where a record stands in the archive. */
const position = {
  stream_id: described(z.string().check(z.regex(/^\d{1,20}-[A-Za-z0-9._-]{1,160}$/)), 'Id of the outbox entry.'),
  n: described(z.int().check(z.minimum(1)), 'Position in the batch, from 1 without gaps.'),
};

/** One line of a batch: the record as it was appended, and its position. */
export const archivedRecordSchema = z.extend(auditRecordSchema, position);

export type ArchivedRecord = z.infer<typeof archivedRecordSchema>;

/** One line of a batch about a secret. */
export const archivedAccessSchema = z.extend(secretAccessSchema, position);

export type ArchivedAccess = z.infer<typeof archivedAccessSchema>;

/** One line of a batch about a change of budgets. */
export const archivedBudgetChangeSchema = z.extend(budgetChangeSchema, position);

/** Stands in a batch for an outbox entry that was no record: told by size and hash, never by content. */
export const unreadableEntrySchema = z.strictObject({
  type: z.literal('audit_unreadable'),
  version: z.literal(ACCESS_VERSION),
  bytes: z.int().check(z.minimum(0)),
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  ...position,
});

/** The published JSON Schema (draft 2020-12) of the four kinds of lines in a batch. Records in the outbox and in the log lack
 * `stream_id` and `n`. */
export function recordJsonSchema(): unknown {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Audit record of the edge authorizer',
    anyOf: [archivedRecordSchema, archivedAccessSchema, archivedBudgetChangeSchema, unreadableEntrySchema].map(
      (schema) => {
        const { $schema: _, ...bare } = z.toJSONSchema(schema);
        return bare;
      },
    ),
  };
}
