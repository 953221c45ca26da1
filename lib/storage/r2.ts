import { sha256 } from '../codec/digest.ts';
import type { ObjectStore } from './store.ts';

/** The part of a Worker's R2 binding that the archive uses. */
export interface R2Binding {
  put(
    key: string,
    value: Uint8Array<ArrayBuffer>,
    options: {
      readonly onlyIf: { readonly etagDoesNotMatch: string };
      readonly httpMetadata: { readonly contentType: string };
      readonly sha256: ArrayBuffer;
    },
  ): Promise<unknown>;
  get(
    key: string,
    options: { readonly range: { readonly offset: number; readonly length: number } },
  ): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
  list(options: {
    readonly prefix: string;
    readonly startAfter?: string;
    readonly cursor?: string;
    readonly delimiter?: string;
    readonly limit?: number;
  }): Promise<{
    readonly objects: readonly { readonly key: string; readonly size: number }[];
    readonly delimitedPrefixes: readonly string[];
    readonly truncated: boolean;
    readonly cursor?: string;
  }>;
  delete(key: string): Promise<void>;
}

/** Object storage over an R2 binding. R2 checks the SHA-256 sent along before it stores anything. */
export function createR2Store(bucket: R2Binding): ObjectStore {
  return {
    async create(key, bytes, contentType) {
      const digest = await sha256(bytes);
      const stored = await bucket.put(key, bytes, {
        onlyIf: { etagDoesNotMatch: '*' },
        httpMetadata: { contentType },
        sha256: digest.buffer,
      });
      return stored === null ? 'exists' : 'created';
    },
    async read(key, maximumBytes) {
      const object = await bucket.get(key, { range: { offset: 0, length: maximumBytes + 1 } });
      return object === null ? null : new Uint8Array(await object.arrayBuffer());
    },
    async list(prefix, afterKey) {
      const page = await bucket.list({ prefix, limit: 1000, ...(afterKey === null ? {} : { startAfter: afterKey }) });
      return { objects: page.objects.map(({ key, size }) => ({ key, bytes: size })), more: page.truncated };
    },
    async folders(prefix) {
      const found: string[] = [];
      for (let cursor: string | undefined, more = true; more; ) {
        const page = await bucket.list({ prefix, delimiter: '/', ...(cursor === undefined ? {} : { cursor }) });
        found.push(...page.delimitedPrefixes.map((folder) => folder.slice(prefix.length, -1)));
        cursor = page.cursor;
        more = page.truncated && cursor !== undefined;
      }
      return found;
    },
    async remove(key) {
      await bucket.delete(key);
    },
  };
}
