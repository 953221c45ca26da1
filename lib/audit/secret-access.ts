import type { SecretAccessRecord } from './schema.ts';

/** One reading of a secret, as the record tells it; all of it worked out by the caller. */
export interface SecretAccessFacts {
  readonly id: string;
  readonly atMs: number;
  readonly component: SecretAccessRecord['component'];
  /** Name of the variable, never a value. */
  readonly variable: string;
  readonly source: string;
  /** Pseudonym of the value, so that two readings can be compared; null where nothing was read. */
  readonly keyId: string | null;
}

/**
 * Builds the record of one reading of a secret. A failure is a reading without a value. Says nothing of the value, its
 * length, the reference or the message of a store.
 */
export function secretAccessRecord(facts: SecretAccessFacts): SecretAccessRecord {
  return {
    type: 'secret_access',
    version: 1,
    id: facts.id,
    ts: new Date(facts.atMs).toISOString(),
    component: facts.component,
    variable: facts.variable,
    source: facts.source.replaceAll('-', '_'),
    outcome: facts.keyId === null ? 'failed' : 'read',
    key_id: facts.keyId,
  };
}
