import { boolean, document, integer, oneOf, path } from '../../kinds.ts';
import { secret, setting, settingByEnvironment } from '../../variable.ts';

/** Chapter “Audit” of the configuration. */
export const audit = {
  auditMode: settingByEnvironment({
    name: 'TGEFD_AUDIT_MODE',
    kind: oneOf('strict', 'relaxed', 'off'),
    fallback: {
      production: 'strict' as 'strict' | 'relaxed',
      development: 'relaxed' as 'strict' | 'relaxed',
    },
    meaning:
      '`strict`: no answer leaves before its record is durable. `relaxed`: recorded after the answer. `off`: development only.',
  }),
  auditLog: settingByEnvironment({
    name: 'TGEFD_AUDIT_LOG',
    kind: boolean,
    fallback: {
      production: false as boolean,
      development: true as boolean,
    },
    meaning: 'Whether each record is also written to stdout as one JSON line.',
  }),
  auditLogPath: setting({
    name: 'TGEFD_AUDIT_LOG_PATH',
    only: 'node',
    kind: path,
    fallback: null,
    meaning:
      'File that each record is also appended to. It is opened again on SIGHUP, and within 5 s after it was renamed. While it cannot be written, up to 10,000 lines are kept and tried again.',
  }),
  auditPseudonymKey: secret({
    name: 'TGEFD_AUDIT_PSEUDONYM_KEY',
    kind: document('at least 32 bytes'),
    meaning:
      'HMAC key of the pseudonyms in records and Redis keys; at least 32 bytes. Development makes one per process; if processes share a store, it derives one from TGEFD_REDIS_TOKEN.',
  }),
  auditTimeoutMs: setting({
    name: 'TGEFD_AUDIT_TIMEOUT_MS',
    kind: integer(5, 10_000, 'milliseconds'),
    fallback: 1000,
    meaning:
      'Hard deadline of one append to the outbox, besides TGEFD_REDIS_TIMEOUT_MS of the decision. If the append fails and there is a bucket, the record goes to the bucket, which may take 5 s more.',
  }),
  auditStreamMaximum: setting({
    name: 'TGEFD_AUDIT_STREAM_MAX',
    kind: integer(100, 100_000_000),
    fallback: 1_000_000,
    meaning: 'Records that the outbox may hold. With more it counts as unavailable; it is never trimmed.',
  }),
} as const;
