import type { Settlement } from '../limit/budgets.ts';
import type { RedisConnection } from '../redis/connection.ts';
import { ADMIT } from '../redis/scripts.ts';
import type { RevocationChanges } from '../revoke/changes.ts';
import type { AdmissionFinding, Inquiry, SharedStore } from './shared-store.ts';

/** The shared store in Redis: revocation and all budgets of a decision in one HTTP request, atomically. */
export function createRedisStore(connection: RedisConnection): SharedStore {
  return {
    async ask(inquiry) {
      const { partition, demands, fields, issuedAtSeconds, knownVersion, proof } = inquiry;
      const keys = [connection.keys.revocations, connection.keys.revocationChanges];
      const args: (string | number)[] = [issuedAtSeconds ?? '', knownVersion ?? '-', fields.length];
      for (const { field } of fields) args.push(field);
      for (const { budget, need, want, window, used, left, back } of demands) {
        keys.push(connection.keys.budget(budget.name, partition ?? ''));
        args.push(
          budget.perMinute,
          budget.burst,
          need,
          want,
          window,
          used,
          left,
          back,
          PERIODS[budget.period ?? 'none'],
        );
      }
      if (proof !== undefined) {
        keys.push(connection.keys.proof(proof.key));
        args.push(proof.by, Math.ceil(proof.lifetimeMs));
      }
      // A use or a return that is told twice would free tokens that others hold; a token that is spent twice harms nobody else.
      const repeatable = demands.every(({ used, back }) => used === 0 && back === 0);
      const reply = await connection.run(ADMIT, keys, args, repeatable);
      if (!reply.answered) return { found: 'nothing', retryAfterSeconds: reply.retryAfterSeconds };
      return parseFinding(reply.value, inquiry) ?? { found: 'nothing', retryAfterSeconds: 1 };
    },
  };
}

/** How the script knows periods. */
const PERIODS = { none: 0, day: 1, month: 2 } as const;

/** What the script answered, or null where that is not an answer of ours. */
function parseFinding(value: unknown, { fields, demands }: Inquiry): AdmissionFinding | null {
  if (!Array.isArray(value)) return null;
  const [outcome, second, ...rest]: unknown[] = value;
  if (!isCount(second)) return null;
  if (outcome === 1) {
    const revoking = fields[second - 1];
    return revoking ? { found: 'revoked', by: revoking.kind } : null;
  }
  if (outcome === 3) return { found: 'replayed' };
  if (outcome !== 0 && outcome !== 2) return null;
  const grants: Settlement['grants'][number][] = [];
  for (let i = 0; i < demands.length; i++) {
    const [missing, granted] = [rest[2 * i], rest[2 * i + 1]];
    if (!Number.isSafeInteger(missing) || !isCount(granted)) return null;
    grants.push({ missing: Number(missing), granted });
  }
  const told = rest[2 * demands.length];
  const changes = told === undefined ? null : parseChanges(told);
  if (told !== undefined && changes === null) return null;
  return { found: 'settled', settlement: { allowed: outcome === 0, nowMs: second, grants }, changes };
}

function parseChanges(text: unknown): RevocationChanges | null {
  if (typeof text !== 'string') return null;
  const [head = '', ...lines] = text.split('\n');
  const [mark, version, upTo, replace] = head.split(' ');
  if (mark !== 'v' || version === undefined || upTo === undefined) return null;
  const entries = lines.map((line) => {
    const [field = '', expires = '', before = ''] = line.split(' ');
    return {
      field,
      expiresAtSeconds: expires === '' ? null : Number(expires),
      beforeSeconds: before === '' ? null : Number(before),
    };
  });
  return { version, upTo, replace: replace === '1', entries };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
