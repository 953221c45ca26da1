import { expect, test } from 'vitest';
import { once } from '../../../lib/codec/once.ts';

test('makes a thing at the first call and gives the same one ever after', () => {
  let made = 0;
  const thing = once(() => ({ number: ++made }));
  expect(made).toBe(0);
  expect([thing(), thing()]).toEqual([{ number: 1 }, { number: 1 }]);
});
