import { type Resolved, resolveSources, secretNames, standElsewhere } from '../../config/sources.ts';
import type { Clock } from '../../decision/ports.ts';
import { createCloudflareSecrets, isSecretBinding } from '../../secrets/cloudflare-store.ts';

type Env = Readonly<Record<string, unknown>>;

export interface SecretStores {
  /** Reads every secret anew. */
  resolve(): Promise<Resolved>;
}

/**
 * The secrets that a Worker keeps in Cloudflare's Secrets Store: a variable that is itself a binding to one, or `cf:BINDING`,
 * `cf:BINDING#field`. Null where there is none, so that nothing has to be awaited. Files are a problem, as is every other
 * kind of reference.
 */
export function secretStores(env: Env, stopwatch: Clock): SecretStores | null {
  if (!standElsewhere(env) && !secretNames.some((name) => isSecretBinding(env[name]))) return null;
  return {
    resolve: () => {
      const named = secretNames.filter((name) => isSecretBinding(env[name])).map((name) => [name, `cf:${name}`]);
      return resolveSources(
        { ...env, ...Object.fromEntries(named) },
        { file: null, stores: new Map([['cf', createCloudflareSecrets(env, stopwatch)]]) },
      );
    },
  };
}
