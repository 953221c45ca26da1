/**
 * Maps items in order with up to `width` of them under way, so that waiting for storage overlaps and memory stays bounded.
 * A rejection surfaces at its own item; what was under way behind it is given up.
 */
export async function* mapConcurrent<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const mapped = map(item);
      mapped.catch(() => {}); // Rethrown when its turn comes.
      underWay.push(mapped);
      const next = underWay.length >= width ? underWay.shift() : undefined;
      if (next !== undefined) yield await next;
    }
    for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) yield await next;
  } finally {
    await Promise.allSettled(underWay);
  }
}
