import { createIntrospect, type Introspect } from '../../authenticate/introspection/introspect.ts';
import type { TokenIssuer } from '../../authenticate/jwt/token-issuer.ts';
import type { Config } from '../../config/load.ts';
import type { Fetch } from '../../decision/ports.ts';
import type { Runtime } from '../runtime.ts';
import { steadyClock } from '../steady-clock.ts';

/** The introspection of opaque tokens at the one issuer that offers it, or null where none does. */
export function composeIntrospection(
  { issuers, settings }: Config,
  runtime: Runtime,
  tokenIssuers: readonly TokenIssuer[],
  { fetch, cacheKey }: { readonly fetch: Fetch; readonly cacheKey: string },
): { readonly introspect: Introspect; readonly issuer: TokenIssuer } | null {
  const index = issuers.findIndex(({ introspection }) => introspection !== null);
  const asked = issuers[index]?.introspection;
  const issuer = tokenIssuers[index];
  if (asked == null || issuer === undefined) return null;
  const { clock, readFile, sharePromises } = runtime;
  const { clientSecret, clientSecretFile: file } = asked;
  const introspect = createIntrospect(
    {
      url: asked.url.href,
      clientId: asked.clientId,
      clientSecret: async () => clientSecret ?? (file === null || !readFile ? '' : (await readFile(file)).trim()),
      timeoutMs: settings.jwksTimeoutSeconds * 1000,
      issuer,
      // What is revoked holds within the stated bound, whatever the issuer's own memory.
      cacheSeconds: Math.min(asked.cacheSeconds, Math.max(1, settings.revocationMaximumDelaySeconds)),
      cacheKey,
      questionsOfAddressPerMinute: settings.authFailureLimitPerMinute,
    },
    {
      ...{ fetch, clock, steady: steadyClock(runtime), sharePromises },
      ...{ signaturePrimitive: runtime.cryptography?.verify, hmac: runtime.cryptography?.hmac },
    },
  );
  return { introspect, issuer };
}

/** Whether an issuer answers about opaque tokens. */
export function asksAboutTokens({ issuers }: Pick<Config, 'issuers'>): boolean {
  return issuers.some(({ introspection }) => introspection !== null);
}
