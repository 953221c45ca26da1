import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createPseudonyms } from '../../../lib/audit/pseudonym.ts';

const key = 'a pseudonym key of at least 32 bytes';
const previous = 'the key before it, also 32 bytes long';

function expected(secret: string, kind: string, value: string) {
  const mac = (text: string) => createHmac('sha256', secret).update(text).digest();
  const id = mac('tgefd pseudonym key id').subarray(0, 4).toString('hex');
  return `${id}.${mac(`tgefd pseudonym\n${kind}\n${value}`).subarray(0, 16).toString('base64url')}`;
}

test('is HMAC-SHA-256 under the key, separated by kind', async () => {
  const pseudonyms = createPseudonyms({ key });
  expect(await pseudonyms.of('identity', 'alice')).toBe(expected(key, 'identity', 'alice'));
  expect(await pseudonyms.of('address', 'alice')).toBe(expected(key, 'address', 'alice'));
  expect(await pseudonyms.of('address', 'alice')).not.toBe(await pseudonyms.of('identity', 'alice'));
});

test('a value met before answers without a promise', async () => {
  const pseudonyms = createPseudonyms({ key });
  const first = pseudonyms.of('identity', 'alice');
  expect(first).toBeInstanceOf(Promise);
  expect(pseudonyms.of('identity', 'bob')).toBeInstanceOf(Promise);
  expect(pseudonyms.of('identity', 'alice')).toBeInstanceOf(Promise); // Not yet: the first has not settled.
  await first;
  expect(pseudonyms.of('identity', 'alice')).toBe(expected(key, 'identity', 'alice'));
});

test('remembers a bounded number of values, the ones in use longest', async () => {
  const pseudonyms = createPseudonyms({ key, rememberedValues: 8 });
  await pseudonyms.of('address', 'regular');
  for (let visitor = 0; visitor < 100; visitor++) {
    await pseudonyms.of('address', `visitor-${visitor}`);
    expect(pseudonyms.of('address', 'regular')).toBe(expected(key, 'address', 'regular'));
  }
  expect(pseudonyms.of('address', 'visitor-0')).toBeInstanceOf(Promise);
});

describe('rotation', () => {
  test('new pseudonyms use the current key; a search looks for those of every key', async () => {
    const pseudonyms = createPseudonyms({ key, previousKeys: [previous] });
    expect(await pseudonyms.of('identity', 'alice')).toBe(expected(key, 'identity', 'alice'));
    expect(await pseudonyms.all('identity', 'alice')).toEqual([
      expected(key, 'identity', 'alice'),
      expected(previous, 'identity', 'alice'),
    ]);
  });
});

test.each(['', 'short', 'x'.repeat(31)])('a key under 32 bytes is refused (%j)', (weak) => {
  expect(() => createPseudonyms({ key: weak })).toThrow(RangeError);
  expect(() => createPseudonyms({ key, previousKeys: [weak] })).toThrow(RangeError);
});
