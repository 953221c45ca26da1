import type { Secret } from '../config/variable.ts';
import type { CredentialUsed } from '../decision/principal.ts';
import type { RedisExchange } from './exchange.ts';

const unauthorized = new Set([401, 403]);

/**
 * An exchange that survives the rotation of its token, whichever side is changed first: one that Redis refuses is followed
 * by the other, which is then the first to be tried. `secret` is asked each time, so that a new token needs no new exchange.
 */
export function overlappingTokens(
  exchangeWith: (token: string) => RedisExchange,
  secret: () => Secret<string>,
  used: CredentialUsed,
): RedisExchange {
  let known: { readonly of: Secret<string>; readonly current: RedisExchange; readonly previous: RedisExchange | null };
  let preferred: 'current' | 'previous' = 'current';
  const exchanges = () => {
    const now = secret();
    if (known?.of !== now) {
      preferred = 'current';
      const previous = now.previous === null ? null : exchangeWith(now.previous);
      known = { of: now, current: exchangeWith(now.current), previous };
    }
    return known;
  };
  return async (body, signal, repeatable) => {
    const { current, previous } = exchanges();
    const slot = previous === null ? 'current' : preferred;
    const answer = await (slot === 'previous' && previous !== null ? previous : current)(body, signal, repeatable);
    if (!unauthorized.has(answer.status)) used('redis_token', slot);
    if (!unauthorized.has(answer.status) || previous === null) return answer;
    const other = slot === 'current' ? 'previous' : 'current';
    const second = await (other === 'previous' ? previous : current)(body, signal, repeatable);
    if (!unauthorized.has(second.status)) {
      preferred = other;
      used('redis_token', other);
    }
    return second;
  };
}
