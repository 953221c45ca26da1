import type { Config } from '../../config/load.ts';
import type { Problem } from '../../config/problem.ts';
import { variables } from '../../config/variables.ts';
import { type AssertionKey, assertionKeyId, isPublicKeyUsable, loadAssertionKey } from '../../respond/assertion-key.ts';

const SHADOW_LONGEST_MS = 30 * 24 * 3600 * 1000;

/** What is wrong with a configuration at this moment: a trial of denials that would never end. */
export function momentProblems({ settings }: Config, nowMs: number): readonly Problem[] {
  const untilMs = settings.shadowUntil;
  if (untilMs === null || untilMs <= nowMs + SHADOW_LONGEST_MS) return [];
  const accepted = 'an instant at most 30 days ahead: a trial has an end';
  return [{ variable: variables.shadowUntil.name, found: new Date(untilMs).toISOString(), accepted }];
}

/**
 * Proves by a signature that the two halves of every configured signing key belong together, and that two keys of one
 * purpose have different ids. Returns null, without a promise, when no signing key is configured.
 */
export function proveKeys({ documents }: Config): Promise<readonly Problem[]> | null {
  const { assertionKeys, auditSigningKeys } = documents;
  if (assertionKeys.length + auditSigningKeys.length === 0) return null;
  const proofs = [
    ...proofsOf(variables.assertionKey.name, assertionKeys),
    ...proofsOf(variables.auditSigningKey.name, auditSigningKeys),
  ];
  return Promise.all(proofs).then((found) => found.flatMap((problem) => problem ?? []));
}

function proofsOf(name: string, keys: readonly AssertionKey[]): readonly Promise<Problem | null>[] {
  return keys.map(async (key, place) => {
    const variable = place === 0 ? name : `${name}_PREVIOUS`;
    if (key.jwk.d === undefined) {
      if (!(await isPublicKeyUsable(key)))
        return { variable, found: 'a public key that cannot be used', accepted: 'a point of its curve' };
    } else if ((await loadAssertionKey(key)) === null) {
      const found = 'private and public members that do not belong together';
      return { variable, found, accepted: 'a key pair that belongs together' };
    }
    const [first] = keys;
    if (place === 0 || first === undefined) return null;
    if ((await assertionKeyId(first)) !== (await assertionKeyId(key))) return null;
    return { variable, found: `the \`kid\` of ${name}`, accepted: 'a key with a `kid` of its own' };
  });
}
