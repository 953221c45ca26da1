import { expect, test } from 'vitest';
import { listAll, type ObjectStore } from '../../lib/storage/store.ts';

/** What every object store keeps to. `make` gives one and a prefix under which nothing is. */
export function storeContract(
  make: () => Promise<{ readonly store: ObjectStore; readonly prefix: string }>,
  able: { readonly atomicCreate: boolean } = { atomicCreate: true },
): void {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const text = (read: Uint8Array<ArrayBuffer> | null) => (read === null ? null : new TextDecoder().decode(read));
  const create = (store: ObjectStore, key: string, content: string) => store.create(key, bytes(content), 'text/plain');

  test('gives back what was created, byte for byte', async () => {
    const { store, prefix } = await make();
    const content = crypto.getRandomValues(new Uint8Array(50_000));
    expect(await store.create(`${prefix}/a`, content, 'application/gzip')).toBe('created');
    expect(await store.read(`${prefix}/a`, 1_000_000)).toEqual(content);
    expect(await store.read(`${prefix}/a`, 50_000)).toEqual(content);
    expect(await store.read(`${prefix}/none`, 1000)).toBeNull();
  });

  test('reads no more than one byte past the maximum', async () => {
    const { store, prefix } = await make();
    await create(store, `${prefix}/a`, '0123456789');
    expect(text(await store.read(`${prefix}/a`, 3))).toBe('0123');
  });

  test('creates once: what is there stays', async () => {
    const { store, prefix } = await make();
    expect(await create(store, `${prefix}/a`, 'first')).toBe('created');
    expect(await create(store, `${prefix}/a`, 'second')).toBe('exists');
    expect(text(await store.read(`${prefix}/a`, 100))).toBe('first');
  });

  const atOnce = async () => {
    const { store, prefix } = await make();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, writer) =>
        create(store, `${prefix}/a`, `writer ${writer}`).catch(() => 'rejected' as const),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(text(await store.read(`${prefix}/a`, 100))).toBe(`writer ${outcomes.indexOf('created')}`);
  };
  if (able.atomicCreate) test('of many writers at once exactly one creates, and its object is what is there', atOnce);

  test('lists by prefix, ascending, after a key', async () => {
    const { store, prefix } = await make();
    for (const name of ['b/2', 'a/1', 'b/1', 'b=/1', 'c']) await create(store, `${prefix}/${name}`, name);
    const list = async (under: string, after: string | null) =>
      (await store.list(`${prefix}/${under}`, after)).objects.map(({ key }) => key.slice(prefix.length + 1));
    expect(await list('', null)).toEqual(['a/1', 'b/1', 'b/2', 'b=/1', 'c']);
    expect(await list('b/', null)).toEqual(['b/1', 'b/2']);
    expect(await list('b/', `${prefix}/b/1`)).toEqual(['b/2']);
    expect(await list('b/', `${prefix}/b/0`)).toEqual(['b/1', 'b/2']);
    expect(await list('d', null)).toEqual([]);
    expect((await store.list(`${prefix}/c`, null)).objects).toEqual([{ key: `${prefix}/c`, bytes: 1 }]);
  });

  test('lists more than a page', async () => {
    const { store, prefix } = await make();
    const names = Array.from({ length: 1010 }, (_, number) => String(number).padStart(5, '0'));
    for (let start = 0; start < names.length; start += 20) {
      await Promise.all(names.slice(start, start + 20).map((name) => create(store, `${prefix}/${name}`, name)));
    }
    const first = await store.list(`${prefix}/`, null);
    expect([first.objects.length, first.more]).toEqual([1000, true]);
    const all: string[] = [];
    for await (const { key } of listAll(store, `${prefix}/`)) all.push(key.slice(prefix.length + 1));
    expect(all).toEqual(names);
  }, 60_000);

  test('tells the next path segments under a prefix', async () => {
    const { store, prefix } = await make();
    for (const name of ['main/1', 'main/2', 'main.spill/1', 'other/x/y', 'file'])
      await create(store, `${prefix}/${name}`, name);
    expect([...(await store.folders(`${prefix}/`))].sort()).toEqual(['main', 'main.spill', 'other']);
  });

  test('removes; removing what is not there is no error', async () => {
    const { store, prefix } = await make();
    await create(store, `${prefix}/a`, 'x');
    await store.remove(`${prefix}/a`);
    await store.remove(`${prefix}/a`);
    expect(await store.read(`${prefix}/a`, 100)).toBeNull();
    expect((await store.list(`${prefix}/`, null)).objects).toEqual([]);
  });
}
