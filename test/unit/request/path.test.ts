import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathProblem } from '../../../lib/decision/reason.ts';
import { canonicalTarget, MAX_TARGET_BYTES } from '../../../lib/request/path.ts';

const SEED = 20_260_101;

describe('what is canonical stays as it is', () => {
  it.each([
    ['/', '/', ''],
    ['/v1/discover', '/v1/discover', ''],
    ['/v1/discover/', '/v1/discover/', ''],
    ['/V1/Discover', '/V1/Discover', ''],
    ['/v1/jobs/a-b._~c', '/v1/jobs/a-b._~c', ''],
    ["/v1/jobs/!$&'()*+,=:@", "/v1/jobs/!$&'()*+,=:@", ''],
    ['/v1/jobs/...', '/v1/jobs/...', ''],
    ['/v1/jobs/.a', '/v1/jobs/.a', ''],
    ['/v1/jobs/a..', '/v1/jobs/a..', ''],
    ['/v1/jobs/%C3%A9%20%2B%3F%25', '/v1/jobs/%C3%A9%20%2B%3F%25', ''],
    ['/v1/metrics?', '/v1/metrics', '?'],
    ['/v1/metrics?a=%2e%2e/../;x&&b=%zz\\{}', '/v1/metrics', '?a=%2e%2e/../;x&&b=%zz\\{}'],
    ['/v1/metrics?next=/a?b', '/v1/metrics', '?next=/a?b'],
  ])('%s', (target, path, query) => {
    expect(canonicalTarget(target)).toEqual({ ok: true, path, query });
  });
});

describe('equal spellings become one (RFC 3986 §6.2.2)', () => {
  it.each([
    ['/v1/%64iscover', '/v1/discover'],
    ['/v1/%44iscover', '/v1/Discover'],
    ['/%5Fauthorizer/revocations', '/_authorizer/revocations'],
    ['/v1/jobs/%2d%5f%7e%30', '/v1/jobs/-_~0'],
    ['/v1/jobs/%c3%a9', '/v1/jobs/%C3%A9'],
    ['/v1/jobs/a%2bb%3a', '/v1/jobs/a%2Bb%3A'],
    ['/v1/jobs/100%25', '/v1/jobs/100%25'],
  ])('%s', (target, path) => {
    expect(canonicalTarget(target)).toEqual({ ok: true, path, query: '' });
  });
});

describe('what two parsers could read differently is refused', () => {
  const refusals: readonly (readonly [PathProblem, readonly string[]])[] = [
    ['not_origin_form', ['', '*', 'v1/discover', 'http://host/v1/discover', 'host:443', '?a=b', ' /v1']],
    ['too_long', [`/${'a'.repeat(MAX_TARGET_BYTES)}`, `/?${'a'.repeat(MAX_TARGET_BYTES)}`]],
    ['fragment', ['/v1/discover#x', '/#', '/v1/metrics?a#b']],
    ['encoded_separator', ['/v1%2fdiscover', '/v1%2Fdiscover', '/v1%5cdiscover', '/v1/..%5C']],
    ['encoded_dot', ['/%2e%2e/x', '/v1/%2E/x', '/v1/a%2eb', '/.%2e/x']],
    ['encoded_nul', ['/v1/discover%00', '/%00']],
    ['backslash', ['/v1\\discover', '/\\host', '/..\\x']],
    ['dot_segment', ['/.', '/..', '/./v1', '/v1/..', '/v1/../x', '/v1/.', '/v1/..?x', '/v1/./']],
    ['empty_segment', ['//', '//host/v1', '/v1//discover', '/v1/discover//']],
    [
      'control_character',
      ['/v1\t', '/v1\n/x', '/\x00', '/\x7f', '/%0d%0a', '/%1f', '/%7F', '/%C2%85', '/x?a\r\nb', '/x?\x7f'],
    ],
    ['invalid_percent_encoding', ['/%', '/%4', '/%zz', '/%u002f', '/a%2', '/%%41', '/%41%']],
    [
      'invalid_utf8',
      [
        '/%ff',
        '/%C3',
        '/%C3x',
        '/%C3%28',
        '/%C0%AF',
        '/%E0%80%AF',
        '/%ED%A0%80',
        '/%F4%90%80%80',
        '/%80',
        '/%C3%A9%A9',
      ],
    ],
    ['path_parameter', ['/v1/discover;x=1', '/v1;/discover', '/v1/discover%3b', '/..;/x']],
    ['not_ascii', ['/v1/é', '/v1/\u{ff0f}', '/\u{1f600}', '/x?é', '/\u0080']],
    ['invalid_character', ['/v1 /x', '/<', '/"', '/{id}', '/a|b', '/[1]', '/^', '/`', '/x?a b']],
    ['double_encoding', ['/%252e%252e/x', '/v1%252Fdiscover', '/%25%32%46', '/%2541', '/%25u002f', '/%25252f']],
  ];
  it.each(refusals.flatMap(([problem, targets]) => targets.map((target) => [problem, target] as const)))(
    '%s: %j',
    (problem, target) => {
      expect(canonicalTarget(target)).toEqual({ ok: false, problem });
    },
  );
});

describe('properties', () => {
  const alphabet = fc.constantFrom(
    ...'/.%?#;\\ \t\0aZ09-_~{|}"<>&=+:@[]^`é%2e%2f%5c%00%25%c3%a9'.split(''),
    '%2e',
    '%2F',
    '%25',
    '%41',
    '%c3%a9',
    '%ff',
    '..',
    '//',
  );
  const targets = fc.oneof(
    fc.array(alphabet, { maxLength: 40 }).map((parts) => `/${parts.join('')}`),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.webPath(),
  );
  const check = (predicate: (target: string) => void) =>
    fc.assert(
      fc.property(targets, (target) => {
        predicate(target);
      }),
      { seed: SEED, numRuns: 3000 },
    );

  it('never throws and always answers', () => {
    check((target) => expect(typeof canonicalTarget(target).ok).toBe('boolean'));
  });

  it('is a fixed point: the canonical form of a canonical target is itself', () => {
    check((target) => {
      const once = canonicalTarget(target);
      if (once.ok) expect(canonicalTarget(once.path + once.query)).toEqual(once);
    });
  });

  it('is what the WHATWG URL parser makes of it, on any origin', () => {
    check((target) => {
      const canonical = canonicalTarget(target);
      if (!canonical.ok) return;
      const url = new URL(`https://upstream.test${canonical.path}${canonical.query}`);
      expect(url.pathname).toBe(canonical.path);
      expect(new URL(canonical.path, 'https://upstream.test').href).toBe(`https://upstream.test${canonical.path}`);
    });
  });

  it('decodes, as often as anybody likes, to the same segments and no dot segment', () => {
    check((target) => {
      const canonical = canonicalTarget(target);
      if (!canonical.ok) return;
      const segments = canonical.path.split('/').length;
      const decoded = decodeURIComponent(canonical.path);
      expect(decoded.split('/').length).toBe(segments);
      expect(decoded.split(/[/\\]/)).not.toContain('..');
      expect(decoded).not.toMatch(/%[0-9A-Fa-f]{2}/);
    });
  });

  it('reads a target of any length in time that its length bounds', () => {
    const hostile = ['/'.repeat(1e6), `/${'%41'.repeat(2700)}`, `/${'%C3'.repeat(2700)}`, `/${'a/'.repeat(4000)}..`];
    for (const target of hostile) expect(canonicalTarget(target)).toBeDefined();
  });
});
