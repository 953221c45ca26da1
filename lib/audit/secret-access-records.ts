import type { Resolved } from '../config/sources.ts';
import type { Clock, Log, NewId } from '../decision/ports.ts';
import type { Outbox } from './outbox.ts';
import type { Pseudonyms } from './pseudonym.ts';
import type { SecretAccessRecord } from './schema.ts';
import { secretAccessRecord } from './secret-access.ts';

/** Who keeps the records of a process: its parts as they are now, or nothing before there are any. */
export interface AccessKeeper {
  readonly outbox: Outbox | null;
  readonly pseudonyms: Pseudonyms;
}

/** Records readings of secrets: the first, each that brings another value, and every failure. */
export type RecordAccesses = (resolved: Resolved, keeper: AccessKeeper | null) => Promise<void>;

/**
 * Makes the recorder of one process. A record goes into the same outbox as those of decisions, and beside it as a line where
 * records do; without an outbox, or when it fails, the line and a count in the log are all there is, for no request waits
 * for it. Never rejects.
 */
export function createAccessRecords(parts: {
  readonly component: SecretAccessRecord['component'];
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly line: ((text: string) => void) | null;
}): RecordAccesses {
  const { component, clock, newId, log, line } = parts;
  const known = new Map<string, string>();

  return async ({ accesses, env }, keeper) => {
    for (const { variable, source, ok } of accesses) {
      const value = env[variable] ?? '';
      if (ok && (typeof value !== 'string' || known.get(variable) === value)) continue;
      const keyId = ok && keeper ? await keeper.pseudonyms.of('token_id', String(value)) : null;
      if (ok && keeper === null) continue;
      if (ok) known.set(variable, String(value));
      const record = secretAccessRecord({ id: newId(), atMs: clock(), component, variable, source, keyId });
      const text = JSON.stringify(record);
      line?.(text);
      if (!keeper?.outbox) continue;
      const appended = await append(keeper.outbox, text);
      if (appended?.outcome !== 'stored') log('warn', 'secret_access_not_recorded', { variable });
    }
  };
}

async function append(outbox: Outbox, text: string) {
  try {
    return await outbox.append(text);
  } catch {
    return null;
  }
}
