import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nginxDenial } from '../../../lib/respond/nginx-denial.ts';

test.each([
  [401, 401],
  [400, 403],
  [403, 403],
  [404, 403],
  [405, 403],
  [413, 403],
  [429, 403],
  [503, 403],
])('a %i travels as %i and tells the true status', (status, travels) => {
  const denial = nginxDenial(status, [['retry-after', '7']], { status, code: 'x' });
  expect(denial).toEqual({
    status: travels,
    fields: [
      ['retry-after', '7'],
      ['x-tgefd-status', String(status)],
      ['x-tgefd-problem', `{"status":${status},"code":"x"}`],
    ],
  });
});

test('whatever the problem says fits one header field and reads back the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (detail) => {
      const text = nginxDenial(403, [], { detail }).fields.at(-1)?.[1] ?? '';
      expect(text).toMatch(/^[\x20-\x7e]*$/);
      expect(JSON.parse(text)).toEqual({ detail });
    }),
    { seed: 6 },
  );
});
