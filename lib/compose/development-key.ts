import type { Config } from '../config/load.ts';

/**
 * Development without a pseudonym key: processes that share a Redis must know a caller by the same name, or budgets and
 * revocations would hold in one of them only. Whoever shares the store has its token. Null without a shared store.
 */
export function sharedDevelopmentKey({ environment, redisUrl, redisToken }: Config['settings']): string | null {
  if (environment === 'production' || redisUrl === null) return null;
  return `pseudonym key of development, shared by who has the token\n${redisToken?.current ?? ''}`;
}
