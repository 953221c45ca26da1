import type { Clock } from '../decision/ports.ts';
import { createReferenceReader } from './documents.ts';

/** A binding to one secret of Cloudflare's Secrets Store. */
export interface SecretBinding {
  get(): Promise<string>;
}

/** Whether a binding may be one to a secret. A binding by RPC has every method that it is asked for: only the call tells. */
export function isSecretBinding(value: unknown): value is SecretBinding {
  return typeof value === 'object' && value !== null && typeof (value as Partial<SecretBinding>).get === 'function';
}

/**
 * Reads secrets of Cloudflare's Secrets Store by the name of their binding: `BINDING`, or `BINDING#field` for one member of
 * a secret that is a JSON object. Rejects with a message that names the fault and never the value.
 */
export function createCloudflareSecrets(
  bindings: Readonly<Record<string, unknown>>,
  stopwatch: Clock,
): (reference: string) => Promise<string> {
  return createReferenceReader(async (name) => {
    const binding = Object.hasOwn(bindings, name) ? bindings[name] : undefined;
    if (!isSecretBinding(binding)) throw new Error('a reference to no binding of the Secrets Store');
    const text: unknown = await reading(binding).catch(() => null);
    if (typeof text !== 'string') throw new Error('no answer from the Secrets Store');
    return text;
  }, stopwatch);
}

/** A binding of another kind wants a key, and may throw at once. */
async function reading(binding: SecretBinding): Promise<unknown> {
  return binding.get();
}
