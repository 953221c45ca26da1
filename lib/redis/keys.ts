/** Every Redis key of the product; `docs/reference/redis-keys.md` describes them. Only pseudonyms ever become part of a key. */
export interface RedisKeys {
  /** Hash: what is revoked, by `kind:id`, and the version of the whole. */
  readonly revocations: string;
  /** Sorted set: the same names by the version in which each last changed; also names that were taken back. */
  readonly revocationChanges: string;
  /** Sorted set: the same names by the epoch second at which each expires. */
  readonly revocationExpiry: string;
  /** Stream: audit records on their way to the archive. The archive's lock stands beside it. */
  readonly audit: string;
  /** Prefix of the failed authentications of addresses, under which @upstash/ratelimit counts. */
  readonly failures: string;
  /** String: what is remembered of an account that an event has held, by its name among the revocations. */
  hold(field: string): string;
  /** String: a security event that was applied; `event` is a hash. */
  event(event: string): string;
  /** String: the decision that used one proof of possession; `proof` is a hash. It ends when the proof could not be used again. */
  proof(proof: string): string;
  /** String: one bucket of one partition. */
  budget(name: string, partition: string): string;
}

/**
 * The keys of one deployment. In a cluster they all carry the same hash tag, since a script may touch keys of one slot only
 * and every decision reads the revocations.
 */
export function redisKeys(cluster: boolean): RedisKeys {
  const prefix = cluster ? '{tgefd}:v1' : 'tgefd:v1';
  return {
    revocations: `${prefix}:revocations`,
    revocationChanges: `${prefix}:revocations:changes`,
    revocationExpiry: `${prefix}:revocations:expiry`,
    audit: `${prefix}:audit`,
    failures: `${prefix}:failures`,
    hold: (field) => `${prefix}:hold:${field}`,
    event: (event) => `${prefix}:event:${event}`,
    proof: (proof) => `${prefix}:proof:${proof}`,
    budget: (name, partition) => `${prefix}:budget:${name}:${partition}`,
  };
}
