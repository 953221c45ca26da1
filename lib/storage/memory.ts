import type { ObjectStore } from './store.ts';

const PAGE = 1000;

/** Object storage in memory, for development and tests. `objects` is the bucket itself. */
export function createMemoryObjectStore(objects: Map<string, Uint8Array<ArrayBuffer>> = new Map()): ObjectStore {
  const keysUnder = (prefix: string) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  return {
    async create(key, bytes) {
      if (objects.has(key)) return 'exists';
      objects.set(key, bytes.slice());
      return 'created';
    },
    async read(key, maximumBytes) {
      return objects.get(key)?.slice(0, maximumBytes + 1) ?? null;
    },
    async list(prefix, afterKey) {
      const keys = keysUnder(prefix).filter((key) => afterKey === null || key > afterKey);
      const page = keys.slice(0, PAGE).map((key) => ({ key, bytes: objects.get(key)?.byteLength ?? 0 }));
      return { objects: page, more: keys.length > PAGE };
    },
    async folders(prefix) {
      const rests = keysUnder(prefix).map((key) => key.slice(prefix.length));
      return [...new Set(rests.flatMap((rest) => (rest.includes('/') ? [rest.slice(0, rest.indexOf('/'))] : [])))];
    },
    async remove(key) {
      objects.delete(key);
    },
  };
}
