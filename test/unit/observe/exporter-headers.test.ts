import { expect, test } from 'vitest';
import { parseExporterHeaders } from '../../../lib/observe/exporter-headers.ts';

test('reads pairs as the protected service writes them', () => {
  expect(parseExporterHeaders('Authorization=Bearer a==, X-Scope=one')).toEqual({
    ok: true,
    headers: { authorization: 'Bearer a==', 'x-scope': 'one' },
  });
});

test('a header named as a member of the prototype stays a header', () => {
  const answer = parseExporterHeaders('__proto__=x');
  expect(answer.ok && Object.entries(answer.headers)).toEqual([['__proto__', 'x']]);
});

test.each([
  ['no value', 'a=', 'pair 1 is not `name=value`'],
  ['no name', '=secret', 'pair 1 is not `name=value`'],
  ['no equals sign', 'a=b,secret', 'pair 2 is not `name=value`'],
  ['a space in a name', 'a b=secret', 'pair 1 is not `name=value`'],
  ['a line break in a value', 'a=secret\r\nb: c', 'pair 1 is not `name=value`'],
  ['a repeated name', 'a=secret,A=secret', '`a` is given twice'],
])('refuses %s and tells no value', (_, text, problem) => {
  expect(parseExporterHeaders(text)).toEqual({ ok: false, problem });
});
