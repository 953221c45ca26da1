import type { Config } from './load.ts';
import type { Problem } from './problem.ts';
import { variableEntries } from './variables.ts';

const DAY_MS = 86_400_000;

/** A secret that is in use, and how long it has been; null where nobody wrote it down. */
export interface SecretAge {
  readonly variable: string;
  readonly ageMs: number | null;
}

/** Secrets in use, with their ages by `X_ROTATED_AT`. Whether they really were rotated then nobody can tell. */
export function secretAges({ given, rotatedAtMs }: Config, nowMs: number): readonly SecretAge[] {
  return variableEntries.flatMap(([key, { name, secret }]) => {
    if (!secret || !given.has(key)) return [];
    const atMs = rotatedAtMs.get(key);
    return [{ variable: name, ageMs: atMs === undefined ? null : Math.max(0, nowMs - atMs) }];
  });
}

/** What the policy (`TGEFD_ROTATION_MAX_AGE_DAYS`) finds to say: secrets past their age, and those whose age nobody knows. */
export function rotationWarnings(config: Config, nowMs: number): readonly Problem[] {
  const maximumDays = config.settings.rotationMaximumAgeDays;
  if (maximumDays === 0) return [];
  return secretAges(config, nowMs).flatMap(({ variable, ageMs }): Problem[] => {
    if (ageMs === null)
      return [{ variable: `${variable}_ROTATED_AT`, found: 'nothing', accepted: 'the date of its last rotation' }];
    if (ageMs <= maximumDays * DAY_MS) return [];
    const found = `a secret of ${Math.floor(ageMs / DAY_MS)} days`;
    return [{ variable, found, accepted: `one of at most ${maximumDays} days: tgefd-authorizer rotate tells how` }];
  });
}

/** Secrets past the policy's age; those of unknown age are not among them. */
export function overdueSecrets(config: Config, nowMs: number): number {
  const maximumMs = config.settings.rotationMaximumAgeDays * DAY_MS;
  if (maximumMs === 0) return 0;
  return secretAges(config, nowMs).filter(({ ageMs }) => ageMs !== null && ageMs > maximumMs).length;
}
