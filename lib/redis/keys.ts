/** Every Redis key of this room; `docs/redis_keys.md` describes them. Only pseudonyms ever become part of a key. */

const PREFIX = 'tgefd:v1';

/** Hash: what is revoked, by `kind:id`, and the version of the whole. */
export const REVOCATIONS_KEY = `${PREFIX}:revocations`;
/** Sorted set: the same names by the version in which each last changed; also names that were taken back. */
export const REVOCATION_CHANGES_KEY = `${PREFIX}:revocations:changes`;
/** Sorted set: the same names by the epoch second at which each expires. */
export const REVOCATION_EXPIRY_KEY = `${PREFIX}:revocations:expiry`;

/** String: the decision that used one proof of possession; `proof` is a hash. It ends when the proof could not be used again. */
export function proofKey(proof: string): string {
  return `${PREFIX}:proof:${proof}`;
}

/** String: one bucket of one partition. */
export function budgetKey(name: string, partition: string): string {
  return `${PREFIX}:budget:${name}:${partition}`;
}
