import { RedisFailure, type RedisFailureKind } from './failure.ts';

/**
 * What the product sends to Redis, whatever carries it: REST or TCP. Every method rejects with a `RedisFailure` and nothing
 * else, and should stop when the signal says so. What is `repeatable` may be sent once more where its connection broke and
 * nobody knows whether Redis has done it; nothing else is.
 */
export interface RedisClient {
  evalsha(
    sha1: string,
    keys: readonly string[],
    args: readonly Operand[],
    signal: AbortSignal,
    repeatable?: boolean,
  ): Promise<unknown>;
  eval(
    text: string,
    keys: readonly string[],
    args: readonly Operand[],
    signal: AbortSignal,
    repeatable?: boolean,
  ): Promise<unknown>;
  /** Any other command, its name first. */
  command(parts: readonly Operand[], signal: AbortSignal, repeatable?: boolean): Promise<unknown>;
  /** Whether the last try to connect failed: what waits for a connection then waits in vain. */
  isUnreachable?(): boolean;
  /** Ends its connections, which are otherwise made again and again. Left out where nothing stays open. */
  close?(): void;
}

/** A client whose single commands are counted where they fail; scripts of decisions are counted by their connection. */
export function countingCommands(client: RedisClient, failed: (why: RedisFailureKind) => void): RedisClient {
  return {
    ...client,
    async command(parts, signal, repeatable) {
      try {
        return await client.command(parts, signal, repeatable);
      } catch (error) {
        failed(error instanceof RedisFailure ? error.kind : 'unreachable');
        throw error;
      }
    },
  };
}

export type Operand = string | number;
