import { expect, it } from 'vitest';
import { createUlids } from '../../../lib/codec/ulid.ts';

it('writes the time in ten digits and 80 random bits in sixteen', () => {
  const newId = createUlids(() => 0x1_8000_0000_00);
  const ids = Array.from({ length: 500 }, newId);
  expect(new Set(ids).size).toBe(500);
  for (const id of ids) expect(id).toMatch(/^01G0000000[0-9A-HJKMNP-TV-Z]{16}$/);
});

it('sorts by time', () => {
  let nowMs = 1_700_000_000_000;
  const newId = createUlids(() => nowMs++);
  const ids = Array.from({ length: 200 }, newId);
  expect([...ids].sort()).toEqual(ids);
});

it('draws every digit at every random place', () => {
  const newId = createUlids(() => 0);
  const seen = Array.from({ length: 16 }, () => new Set<string>());
  for (let count = 0; count < 2000; count++)
    for (const [at, digit] of [...newId().slice(10)].entries()) seen[at]?.add(digit);
  for (const digits of seen) expect(digits.size).toBe(32);
});
