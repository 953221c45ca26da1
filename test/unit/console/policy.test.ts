import { describe, expect, test } from 'vitest';
import { type CaseForm, caseOf, NO_CASE } from '../../../lib/console/policy/case-form.ts';
import { observedIn } from '../../../lib/console/policy/observed.ts';
import { record } from './records.ts';

describe('the case of the screen Policy', () => {
  test.each<[string, Partial<CaseForm>, object]>([
    ['without a token', {}, { request: { method: 'GET', path: '/a' }, expect: {} }],
    [
      'with claims',
      { claims: '{"sub":"a"}' },
      { request: { method: 'GET', path: '/a' }, claims: { sub: 'a' }, expect: {} },
    ],
    [
      'with a certificate',
      { certificate: 'CN=a' },
      { request: { method: 'GET', path: '/a' }, certificate: { subject: 'CN=a' }, expect: {} },
    ],
  ])('is read %s', (_name, form, expected) => {
    expect(caseOf({ ...NO_CASE, path: '/a', ...form })).toEqual(expected);
  });

  test.each<[string, Partial<CaseForm>, RegExp]>([
    ['a method with a space', { method: 'GE T' }, /method/],
    ['a path without a slash', { path: 'a' }, /slash/],
    ['claims that are a list', { claims: '[]' }, /JSON object/],
    ['claims with a member twice', { claims: '{"sub":"a","sub":"b"}' }, /JSON object/],
  ])('is not read with %s', (_name, form, said) => {
    expect(caseOf({ ...NO_CASE, path: '/a', ...form })).toMatch(said);
  });
});

describe('what a trial decides otherwise', () => {
  test('is summed up by endpoint, kind and code, most first', () => {
    const denies = { outcome: 'denied', code: 'insufficient_scope' } as const;
    const found = observedIn([
      record(),
      record({ outcome: 'would_deny', code: 'insufficient_scope' }),
      record({ shadow: denies, identity: '0a1b2c3d.bbbbbbbbbbbbbbbbbbbbbb' }),
      record({ shadow: denies }),
      record({ outcome: 'denied', shadow: denies }),
      record({ outcome: 'denied', shadow: { outcome: 'allowed', code: null } }),
    ]);
    expect(found.map(({ kind, count, callers }) => [kind, count, callers.size])).toEqual([
      ['shadow_denies', 2, 2],
      ['would_deny', 1, 1],
      ['shadow_differs', 1, 1],
      ['shadow_allows', 1, 1],
    ]);
  });
});
