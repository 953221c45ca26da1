/** One object of a listing. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
}

/**
 * Object storage, as far as the archive needs it. Every method rejects on an outage, and on nothing else: for the archive an
 * outage and a crash are the same event, and the next run takes up where the last one left. An error names the operation
 * and the key, never content.
 */
export interface ObjectStore {
  /** `create` is not atomic: whoever calls it must be the only one, by a lease. */
  readonly needsLease?: true;
  /**
   * Writes an object unless one is there (`If-None-Match: *`): atomically, so that of two writers exactly one is told
   * `created`. After a lost answer a second try is told `exists`, and the object is the first try's.
   */
  create(key: string, bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<'created' | 'exists'>;
  /** The object's bytes, or null where there is none. Reads at most `maximumBytes + 1`, so that more shows. */
  read(key: string, maximumBytes: number): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Up to 1000 objects whose key begins with `prefix` and sorts after `afterKey`, ascending by UTF-8 key. Sees every object
   * whose writing was answered before. */
  list(
    prefix: string,
    afterKey: string | null,
  ): Promise<{ readonly objects: readonly StoredObject[]; readonly more: boolean }>;
  /** The distinct next path segments under `prefix` (which ends with `/`), without slashes. */
  folders(prefix: string): Promise<readonly string[]>;
  /** Removes an object; none there is no error. On a versioned or locked bucket the version stays. */
  remove(key: string): Promise<void>;
}

/** Every object under a prefix, page by page. */
export async function* listAll(
  store: ObjectStore,
  prefix: string,
  afterKey: string | null = null,
): AsyncGenerator<StoredObject> {
  for (let after = afterKey; ; ) {
    const page = await store.list(prefix, after);
    yield* page.objects;
    const last = page.objects.at(-1);
    if (!page.more || last === undefined) return;
    after = last.key;
  }
}
