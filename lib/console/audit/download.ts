import { type Found, searchArchive } from '../../verify/query.ts';
import type { OpenedArchive } from './archive.ts';
import type { Range } from './range.ts';

/**
 * The genuine records of a range as lines of JSON, in the order of storing. A piece that could not be searched is a line of
 * its own, `{"damage": key, "why": text}`. Rejects where the archive does not answer at the beginning; where it fails later,
 * the stream fails, so that nobody takes a part for the whole.
 */
export async function recordLines(archive: OpenedArchive, range: Range): Promise<ReadableStream<Uint8Array>> {
  const everything = { identities: null, addresses: null, action: null, outcome: null, requestId: null, keyId: null };
  const found = searchArchive({ ...everything, ...range }, archive);
  const encoder = new TextEncoder();
  let next: IteratorResult<Found> | null = await found.next();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const result = next ?? (await found.next());
      next = null;
      if (result.done) return controller.close();
      controller.enqueue(encoder.encode(`${lineOf(result.value)}\n`));
    },
    async cancel() {
      await found.return(undefined);
    },
  });
}

function lineOf(found: Found): string {
  return JSON.stringify(found.found === 'record' ? found.record : { damage: found.key, why: found.why });
}
