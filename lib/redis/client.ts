/**
 * What the product sends to Redis, whatever carries it: REST or TCP. Every method rejects with a `RedisFailure` and nothing
 * else, should stop when the signal says so, and repeats nothing that Redis may have done already more than once.
 */
export interface RedisClient {
  evalsha(sha1: string, keys: readonly string[], args: readonly Operand[], signal: AbortSignal): Promise<unknown>;
  eval(text: string, keys: readonly string[], args: readonly Operand[], signal: AbortSignal): Promise<unknown>;
  /** Any other command, its name first. */
  command(parts: readonly Operand[], signal: AbortSignal): Promise<unknown>;
}

export type Operand = string | number;
