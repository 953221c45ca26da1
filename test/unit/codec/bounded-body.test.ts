import { describe, expect, test } from 'vitest';
import { limitBody, readBounded } from '../../../lib/codec/bounded-body.ts';

function bodyOf(text: string): ReadableStream<Uint8Array> {
  return new Response(text).body as ReadableStream<Uint8Array>;
}

/** A body without an end; tells whether it was cancelled. */
function endless(): { readonly body: ReadableStream<Uint8Array>; cancelled(): boolean } {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1024)),
    cancel() {
      cancelled = true;
    },
  });
  return { body, cancelled: () => cancelled };
}

describe('reading a bounded body', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['abc', 100],
  ])('gives all of %j within %d bytes', async (text, limit) => {
    expect(new TextDecoder().decode((await readBounded(bodyOf(text), limit)) ?? undefined)).toBe(text);
  });

  test('gives null for one byte too many, and no body is an empty one', async () => {
    expect(await readBounded(bodyOf('abcd'), 3)).toBeNull();
    expect(await readBounded(null, 3)).toEqual(new Uint8Array());
  });

  test('cancels an endless body at the limit', async () => {
    const { body, cancelled } = endless();
    expect(await readBounded(body, 10_000)).toBeNull();
    expect(cancelled()).toBe(true);
  });

  test('stops when the signal aborts', async () => {
    const body = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    const abort = new AbortController();
    const reading = readBounded(body, 10, abort.signal);
    abort.abort();
    expect(await reading).toEqual(new Uint8Array());
  });
});

describe('limiting a body that passes', () => {
  test('passes what is within the limit and breaks what is longer', async () => {
    const limited = (text: string) => new Response(limitBody(bodyOf(text), 3, () => new Error('too long'))).text();
    expect(await limited('abc')).toBe('abc');
    await expect(limited('abcd')).rejects.toThrow('too long');
  });
});
