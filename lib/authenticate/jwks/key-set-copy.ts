import * as z from 'zod/mini';

/**
 * A place where instances of the authorizer leave the key set for each other, so that a new one need not ask the issuer
 * (on Workers: the Cache API). Either may throw or hang; what is read is validated like an answer of the issuer.
 */
export interface SharedCopy {
  read(): Promise<string | null>;
  /** Keeps `text` for `ttlSeconds`. */
  write(text: string, ttlSeconds: number): Promise<void>;
}

/** The text of a key set as an issuer answered it, and when it was asked for. */
export interface KeySetCopy {
  readonly url: string;
  readonly fetchedAtMs: number;
  readonly text: string;
}

const copy = z.object({ url: z.string(), fetchedAtMs: z.int(), text: z.string() });

export function writeCopy(kept: KeySetCopy): string {
  return JSON.stringify(kept);
}

/**
 * Reads what another instance left for the same key set URL. Gives null for anything else, and for a copy from the
 * future: it would stay fresh for longer than a key set may. Does not validate the key set in it.
 */
export function readCopy(text: string, url: string, nowMs: number): KeySetCopy | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  const { success, data } = copy.safeParse(parsed);
  return success && data.url === url && data.fetchedAtMs <= nowMs ? data : null;
}
