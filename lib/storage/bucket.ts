/** One aspect in which a bucket is not as the archive wants it. */
export interface Difference {
  readonly name: string;
  readonly found: unknown;
  readonly wanted: unknown;
}

/** A difference, and what became of setting it: null, or why the service refused. */
export interface Applied extends Difference {
  readonly refused: string | null;
}

/** A bucket whose protection is set and checked. */
export interface ManagedBucket {
  /** What differs; empty when all is as wanted. Changes nothing. Rejects when the service refuses or does not answer. */
  check(): Promise<readonly Difference[]>;
  /** Sets what differs, each aspect for itself, and tells what became of it. Doing it again changes nothing more. */
  apply(): Promise<readonly Applied[]>;
}

/** One aspect: what it should be, how it is read, and how it is set (null: not by us). */
export interface Aspect {
  readonly name: string;
  readonly wanted: unknown;
  read(): Promise<unknown>;
  readonly write: (() => Promise<unknown>) | null;
}

/** Makes a bucket of its aspects, which are set in their order. */
export function createManagedBucket(aspects: readonly Aspect[]): ManagedBucket {
  const differing = async () => {
    const found = await Promise.all(aspects.map(async (aspect) => ({ aspect, found: await aspect.read() })));
    return found.filter(({ aspect, found: value }) => canonicalJson(value) !== canonicalJson(aspect.wanted));
  };
  return {
    check: async () => (await differing()).map(({ aspect: { name, wanted }, found }) => ({ name, found, wanted })),
    async apply() {
      const applied: Applied[] = [];
      for (const { aspect, found } of await differing()) {
        const { name, wanted, write } = aspect;
        const refused =
          write === null
            ? 'not changed from here'
            : await write().then(
                () => null,
                (error: unknown) => (error instanceof Error ? error.name : 'failed'),
              );
        applied.push({ name, found, wanted, refused });
      }
      return applied;
    },
  };
}

/** JSON with sorted members and items, without absent or empty ones: two settings are the same when these are. The lists in
 * a bucket's settings are sets, and services give them back in an order of their own. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).sort().join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined && !(Array.isArray(member) && member.length === 0))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
