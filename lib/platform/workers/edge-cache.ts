import type { SharedCopy } from '../../authenticate/jwks/key-set-copy.ts';

/** The data centre's cache as the place where isolates leave the key set for each other. */
export function edgeCache(name: string): SharedCopy {
  const key = `https://key-set.tgefd-authorizer.invalid/${encodeURIComponent(name)}`;
  const cache = () => (caches as unknown as { readonly default: Cache }).default;
  return {
    async read() {
      const kept = await cache().match(key);
      return kept ? kept.text() : null;
    },
    async write(text, ttlSeconds) {
      await cache().put(
        key,
        new Response(text, { headers: { 'cache-control': `max-age=${Math.max(1, Math.floor(ttlSeconds))}` } }),
      );
    },
  };
}
