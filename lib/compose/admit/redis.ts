import { isTcp } from '../../config/egress.ts';
import type { Secret } from '../../config/variable.ts';
import type { Settings } from '../../config/variables.ts';
import type { Fetch } from '../../decision/ports.ts';
import type { CredentialUsed } from '../../decision/principal.ts';
import type { RedisClient } from '../../redis/client.ts';
import { fetchExchange } from '../../redis/exchange.ts';
import { overlappingTokens } from '../../redis/overlapping-tokens.ts';
import { createUpstashClient } from '../../redis/upstash-client.ts';
import type { Runtime } from '../runtime.ts';

/**
 * The client for `TGEFD_REDIS_URL`: TCP where its scheme says so and the runtime has it, else REST. Null where no Redis is
 * configured. Throws for TCP on a runtime without it, which the rules of the configuration refuse before.
 */
export function composeRedisClient(
  { redisUrl }: Settings,
  runtime: Pick<Runtime, 'redisExchange' | 'redisOverTcp'>,
  parts: { readonly egress: Fetch; readonly secret: () => Secret<string> | null; readonly used: CredentialUsed },
): RedisClient | null {
  if (redisUrl === null) return null;
  const { egress, secret, used } = parts;
  if (isTcp(redisUrl)) {
    if (!runtime.redisOverTcp) throw new Error('Redis over TCP is not for this runtime');
    return runtime.redisOverTcp(secret, used);
  }
  const exchangeWith =
    runtime.redisExchange ?? ((token: string) => fetchExchange({ url: redisUrl.href, token }, egress));
  return createUpstashClient(overlappingTokens(exchangeWith, () => secret() ?? NO_TOKEN, used));
}

const NO_TOKEN: Secret<string> = { current: '', previous: null };
