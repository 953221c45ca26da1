import { describe, expect, test } from 'vitest';
import { describeBatch, packBatch, unpackBatch } from '../../../lib/archive/batch.ts';
import { recordAt, T0 } from './fixtures.ts';

function entry(n: number) {
  return { id: `${T0 + n}-0`, record: JSON.stringify(recordAt(`d-${n}`, T0 + n)) };
}
async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(
    await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer(),
  );
}

test('a line is the record as it was appended, with its place added at the end', async () => {
  const { bytes } = await packBatch([], [entry(1), entry(2)]);
  const lines = await unpackBatch(bytes);
  expect(lines?.map(({ text }) => text)).toEqual(
    [1, 2].map((n) => `${entry(n).record.slice(0, -1)},"stream_id":"${T0 + n}-0","n":${n}}`),
  );
});

test('what packing says of a batch is what its object says of itself', async () => {
  const late = [entry(1), entry(2)];
  const { bytes, description } = await packBatch(late, [
    entry(10),
    { id: `${T0 + 11}-0`, record: 'no record' },
    entry(12),
  ]);
  expect(describeBatch((await unpackBatch(bytes)) ?? [], `${T0 + 5}-0`)).toEqual(description);
  expect(description).toMatchObject({
    records: 5,
    late: 2,
    firstStreamId: `${T0 + 10}-0`,
    lastStreamId: `${T0 + 12}-0`,
  });
});

test('the same entries make the same lines', async () => {
  const [one, two] = [await packBatch([], [entry(1)]), await packBatch([], [entry(1)])];
  expect(await unpackBatch(one.bytes)).toEqual(await unpackBatch(two.bytes));
});

describe('what is no batch is null, never an error', () => {
  test.each([
    ['no gzip', async () => new TextEncoder().encode('{}\n')],
    ['empty', async () => new Uint8Array()],
    ['cut short', async () => (await packBatch([], [entry(1), entry(2)])).bytes.slice(0, -8)],
    ['no JSON', () => gzip('word\n')],
    ['no position', () => gzip(`${entry(1).record}\n`)],
    ['a position of a wrong type', () => gzip(`${entry(1).record.slice(0, -1)},"stream_id":1,"n":"1"}\n`)],
    ['no last line feed', () => gzip(`${entry(1).record.slice(0, -1)},"stream_id":"1-0","n":1}`)],
  ])('%s', async (_, make) => {
    expect(await unpackBatch(await make())).toBeNull();
  });

  test('more than a batch may hold, however well packed', async () => {
    const line = `${entry(1).record.slice(0, -1)},"stream_id":"1-0","n":1}\n`;
    expect(await unpackBatch(await gzip(line.repeat(10)))).toHaveLength(10);
    expect(await unpackBatch(await gzip(line.repeat(Math.ceil((17 * 1024 * 1024) / line.length))))).toBeNull();
  });
});
