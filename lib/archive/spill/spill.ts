import { type Entry, entryBytes, type Source, storedAtMs } from '../../audit/outbox.ts';
import type { Spill } from '../../audit/recorder.ts';
import { utf8 } from '../../codec/digest.ts';
import { mapConcurrent } from '../../codec/map-concurrent.ts';
import type { Clock } from '../../decision/ports.ts';
import { listAll, type ObjectStore } from '../../storage/store.ts';
import { peek } from '../batch.ts';
import type { Layout } from '../layout.ts';

/** Longest spilled record; a larger object is none. */
const RECORD_MAXIMUM_BYTES = 64 * 1024;
/** Objects read side by side. */
const READ_WIDTH = 16;
const MINUTE_MS = 60_000;

/** Writes records whose outbox failed straight to object storage, one object each, in the `timeoutMs` given. */
export function createSpill(store: Pick<ObjectStore, 'create'>, layout: Layout, timeoutMs: number): Spill {
  return {
    async put(record) {
      const atMs = Date.parse(record.ts);
      const key = layout.spilled(`${atMs}-${record.id}`, atMs);
      const signal = AbortSignal.timeout(timeoutMs);
      const late = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('timeout')), { once: true });
      });
      await Promise.race([store.create(key, utf8(JSON.stringify(record)), 'application/json'), late]);
    },
  };
}

/** The spilled records as a source of a chain of their own. An entry's id is its time and its decision id. */
export function createSpillSource(store: ObjectStore, layout: Layout, clock: Clock): Source {
  const keyOf = (id: string) => layout.spilled(id, storedAtMs(id));

  const load = async (ids: readonly string[]): Promise<Entry[]> => {
    const objects = await Promise.all(ids.map((id) => store.read(keyOf(id), RECORD_MAXIMUM_BYTES)));
    return ids.flatMap((id, place) => {
      const bytes = objects[place];
      return bytes ? [{ id, record: new TextDecoder().decode(bytes) }] : [];
    });
  };

  return {
    async read(storedBeforeMs, maximumBytes) {
      const taken: Entry[] = [];
      let bytes = 0;
      for (let after: string | null = null, more = true; more; ) {
        const page = await store.list(layout.spill, after);
        const ids = page.objects.flatMap(({ key }) => idIn(key) ?? []).filter((id) => storedAtMs(id) <= storedBeforeMs);
        for (let start = 0; start < ids.length; start += READ_WIDTH) {
          for (const entry of await load(ids.slice(start, start + READ_WIDTH))) {
            bytes += entryBytes(entry);
            if (taken.length > 0 && bytes > maximumBytes) return taken;
            taken.push(entry);
          }
        }
        after = page.objects.at(-1)?.key ?? null;
        more = page.more && after !== null;
      }
      return taken;
    },

    /** Counts one page of the listing only: whether there is something matters here, not how much. */
    async backlog() {
      const { objects } = await store.list(layout.spill, null);
      const [oldest] = objects.flatMap(({ key }) => idIn(key) ?? []);
      return { entries: objects.length, oldestMs: oldest === undefined ? null : storedAtMs(oldest) };
    },

    now: async () => clock(),

    async remove(ids) {
      for (let start = 0; start < ids.length; start += READ_WIDTH) {
        await Promise.all(ids.slice(start, start + READ_WIDTH).map((id) => store.remove(keyOf(id))));
      }
    },
  };
}

/** Every spilled record that is not archived yet, in the order of decisions; what goes meanwhile is left out. */
export async function* spilledEntries(store: ObjectStore, layout: Layout): AsyncGenerator<Entry> {
  const read = async ({ key }: { readonly key: string }): Promise<Entry | null> => {
    const id = idIn(key);
    const bytes = id === null ? null : await store.read(key, RECORD_MAXIMUM_BYTES);
    return id === null || bytes === null ? null : { id, record: new TextDecoder().decode(bytes) };
  };
  for await (const entry of mapConcurrent(listAll(store, layout.spill), READ_WIDTH, read)) {
    if (entry !== null) yield entry;
  }
}

/** Id of the entry that lies under a key, or null where the key is none's. */
function idIn(key: string): string | null {
  return /\/(\d+-[^/]+)\.json$/.exec(key)?.[1] ?? null;
}

/**
 * Which of these entries also lie spilled: an append whose answer was lost may have stored the record, while the recorder
 * took it for failed and spilled it. Gives the ids of the entries, not of the decisions. Sees a spilled twin once the spill
 * has been answered, so it must be asked about settled entries only.
 */
export async function twinsAmong(
  entries: readonly Entry[],
  store: ObjectStore,
  layout: Layout,
): Promise<ReadonlySet<string>> {
  const { objects } = await store.list(layout.spill, null);
  if (objects.length === 0) return new Set();
  const decisions = entries.flatMap(({ id, record }) => {
    const seen = peek(record);
    return seen === null ? [] : [{ entryId: id, spilledId: `${Date.parse(seen.ts)}-${seen.id}` }];
  });
  const spilled = new Set<string>();
  for (const minute of new Set(decisions.map(({ spilledId }) => Math.floor(storedAtMs(spilledId) / MINUTE_MS)))) {
    for await (const { key } of listAll(store, layout.spilledAt(minute * MINUTE_MS))) spilled.add(key);
  }
  return new Set(
    decisions
      .filter(({ spilledId }) => spilled.has(layout.spilled(spilledId, storedAtMs(spilledId))))
      .map(({ entryId }) => entryId),
  );
}
