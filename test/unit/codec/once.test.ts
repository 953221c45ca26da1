import { expect, test } from 'vitest';
import { once, sameAgain } from '../../../lib/codec/once.ts';

test('makes a thing at the first call and gives the same one ever after', () => {
  let made = 0;
  const thing = once(() => ({ number: ++made }));
  expect(made).toBe(0);
  expect([thing(), thing()]).toEqual([{ number: 1 }, { number: 1 }]);
});

test('reads a text anew whenever it is another than the last one', () => {
  let reads = 0;
  const length = sameAgain((text) => [text.length, ++reads]);
  expect(['ab', 'ab', 'abc', 'ab', ''].map((text) => length(text))).toEqual([
    [2, 1],
    [2, 1],
    [3, 2],
    [2, 3],
    [0, 4],
  ]);
});
