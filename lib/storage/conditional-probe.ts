import type { ObjectStore } from './store.ts';

/** Whether a store keeps its word that an object is created only where there is none. */
export type ConditionalWrites = 'honoured' | 'ignored' | 'refused';

const CONTENT = new TextEncoder().encode('written by `audit bucket --check`\n');

/**
 * Writes one small object twice on condition that there is none, and removes it again. On a locked bucket it stays until its
 * lock ends.
 *
 * @param store - a store that sends `If-None-Match: *`.
 * @param key - the key of the object, which nothing else uses.
 * @returns `honoured`, `ignored` (the second write succeeded too), or `refused` (the store knows no such condition).
 */
export async function probeConditionalWrites(
  store: Pick<ObjectStore, 'create' | 'remove'>,
  key: string,
): Promise<ConditionalWrites> {
  const write = () => store.create(key, CONTENT, 'text/plain');
  try {
    await write();
    const second = await write();
    await store.remove(key).catch(() => undefined);
    return second === 'exists' ? 'honoured' : 'ignored';
  } catch (error) {
    const status = /\b(400|405|412|501)\)$/.exec(error instanceof Error ? error.message : '')?.[1];
    if (status === undefined) throw error;
    return 'refused';
  }
}
