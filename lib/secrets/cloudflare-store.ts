import type { Clock } from '../decision.ts';
import { createReferenceReader } from './documents.ts';

/** A binding to one secret of Cloudflare's Secrets Store. */
export interface SecretBinding {
  get(): Promise<string>;
}

/** Whether a binding of a Worker is one to a secret: it has `get` without needing a key. */
export const isSecretBinding = (value: unknown): value is SecretBinding =>
  typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function' && !('put' in value);

/**
 * Reads secrets of Cloudflare's Secrets Store by the name of their binding: `BINDING`, or `BINDING#field` for one member of
 * a secret that is a JSON object. Rejects with a message that names the fault and never the value.
 */
export const createCloudflareSecrets = (
  bindings: Readonly<Record<string, unknown>>,
  clock: Clock,
): ((reference: string) => Promise<string>) =>
  createReferenceReader(async (name) => {
    const binding = Object.hasOwn(bindings, name) ? bindings[name] : undefined;
    if (!isSecretBinding(binding)) throw new Error('a reference to no binding of the Secrets Store');
    const text: unknown = await binding.get().catch(() => null);
    if (typeof text !== 'string') throw new Error('no answer from the Secrets Store');
    return text;
  }, clock);
