import type { RedisClient } from './client.ts';
import type { Script } from './scripts.ts';

/** Makes connections ahead of the first decision. */
export interface WarmUp {
  /** True once it has been tried: a Redis that is down does not keep a process from serving. */
  isDone(): boolean;
  /** Tries it once; later calls wait for the same try. Never rejects. */
  run(): Promise<void>;
}

const CONNECTIONS = 2;
const DEADLINE_MS = 10_000;

/** Loads the scripts on two connections at once, so that both are made. For runtimes where promises may be shared. */
export function createWarmUp(client: Pick<RedisClient, 'command'>, scripts: readonly Script[]): WarmUp {
  let done = false;
  let trying: Promise<void> | null = null;
  const load = async () => {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    for (const { text } of scripts) await client.command(['SCRIPT', 'LOAD', text], signal, true);
  };
  return {
    isDone: () => done,
    run() {
      trying ??= Promise.all(Array.from({ length: CONNECTIONS }, load))
        .catch(() => undefined)
        .then(() => {
          done = true;
        });
      return trying;
    },
  };
}
