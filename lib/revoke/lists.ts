import type { RevocationHandles } from '../decision/principal.ts';
import type { RevocationKind } from '../decision/reason.ts';

/** Revocations that come with the deployment and need no store. */
export interface EmergencySettings {
  readonly revokedTokenIds: readonly string[];
  readonly revokedKeyIds: readonly string[];
  /** `subject@epoch seconds`; the subject may itself contain `@`. */
  readonly revokedSubjects: readonly string[];
}

/**
 * By which emergency list a credential is revoked, or null. A subject's entry refuses tokens issued before its time and
 * tokens without `iat`; of two entries for one subject the later counts. Key ids match those of tokens and of API keys.
 * Throws a TypeError for an entry that is no `subject@epoch`: the configuration has checked that.
 */
export function createEmergencyLists(
  settings: EmergencySettings,
): (handles: RevocationHandles) => RevocationKind | null {
  const tokenIds = new Set(settings.revokedTokenIds);
  const keyIds = new Set(settings.revokedKeyIds);
  const cutOffs = new Map<string, number>();
  for (const entry of settings.revokedSubjects) {
    const { subject, beforeSeconds } = parse(entry);
    cutOffs.set(subject, Math.max(cutOffs.get(subject) ?? 0, beforeSeconds));
  }
  if (tokenIds.size + keyIds.size + cutOffs.size === 0) return () => null;

  return ({ tokenId, keyId, apiKeyId, subject, aliases = [], issuedAtSeconds }) => {
    if (tokenId !== null && tokenIds.has(tokenId)) return 'jti';
    if (keyId !== null && keyIds.has(keyId)) return 'kid';
    if (apiKeyId !== null && keyIds.has(apiKeyId)) return 'key_id';
    const isCutOff = (name: string) => {
      const beforeSeconds = cutOffs.get(name);
      return beforeSeconds !== undefined && (issuedAtSeconds === null || issuedAtSeconds < beforeSeconds);
    };
    return (subject !== null && isCutOff(subject)) || aliases.some(isCutOff) ? 'sub' : null;
  };
}

function parse(entry: string): { subject: string; beforeSeconds: number } {
  const at = entry.lastIndexOf('@');
  const epoch = entry.slice(at + 1);
  if (at < 1 || !/^\d{1,12}$/.test(epoch)) throw new TypeError('an entry for a subject is `subject@epoch`');
  return { subject: entry.slice(0, at), beforeSeconds: Number(epoch) };
}
