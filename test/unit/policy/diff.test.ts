import { describe, expect, test } from 'vitest';
import type { Config } from '../../../lib/config/load.ts';
import { policyHash } from '../../../lib/config/policy/policy-hash.ts';
import { accessTable, comparePolicies } from '../../../lib/policy/diff/compare.ts';
import { differenceLines, differenceMarkdown } from '../../../lib/policy/diff/report.ts';
import { lint } from '../../../lib/policy/lint.ts';
import { loadPolicy } from '../../../lib/policy/load.ts';

function config(document: object, env: Record<string, string> = {}): Config {
  const loaded = loadPolicy(JSON.stringify(document), env);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const row = { method: 'GET', path: '/items', scope: 'items', budget: 'read' };
const base = { preset: 'none', endpoints: [row] };

describe('the difference of two policies', () => {
  test('nothing where only the order differs', () => {
    const other = { method: 'GET', path: '/other', scope: 'items', budget: 'read' };
    const one = config({ preset: 'none', endpoints: [row, other] });
    const two = config({ preset: 'none', endpoints: [other, row] });
    expect(differenceLines(comparePolicies(one, two))).toEqual(['no difference']);
  });

  test('names who gains and who loses', () => {
    const after = config({ preset: 'none', endpoints: [{ ...row, scope: 'items:read' }] });
    const difference = comparePolicies(config(base), after);
    expect(difference.gains.map(({ caller }) => caller)).toEqual(['jwt with scope items:read']);
    expect(difference.losses.map(({ caller }) => caller)).toEqual(['jwt with scope items']);
  });

  test('tells who may use a row', () => {
    const [access] = accessTable(config(base));
    expect(access).toMatchObject({
      endpoint: 'GET /items',
      allowed: ['jwt with scope items'],
      refused: ['jwt without scopes', 'jwt with scope revoke'],
    });
  });

  test.each<[string, unknown, unknown, readonly string[], readonly string[]]>([
    ['another scope among all', { all: ['a', 'b'] }, { all: ['a', 'c'] }, ['a and c'], ['a and b']],
    ['a further scope among all', { all: ['a', 'b'] }, { all: ['a', 'b', 'c'] }, [], ['a and b']],
    ['all instead of any', { any: ['a', 'b'] }, { all: ['a', 'b'] }, [], ['a', 'b']],
    ['another order of all', { all: ['a', 'b'] }, { all: ['b', 'a'] }, [], []],
  ])('%s', (_, was, is, gain, loss) => {
    const of = (scope: unknown) => config({ preset: 'none', endpoints: [{ ...row, scope }] });
    const { gains, losses } = comparePolicies(of(was), of(is));
    const names = (changes: typeof gains) => changes.map(({ caller }) => caller.replace(/^jwt with scopes? /, ''));
    expect([names(gains), names(losses)]).toEqual([gain, loss]);
  });

  test('a new row, and a row that is gone', () => {
    const none = config({ preset: 'none', endpoints: [] });
    expect(comparePolicies(none, config(base)).gains).toMatchObject([
      { endpoint: 'GET /items', caller: 'jwt with scope items', before: 'unknown', after: 'allowed' },
    ]);
    expect(comparePolicies(config(base), none).losses).toHaveLength(1);
  });

  test('a role that grants more', () => {
    const after = config({ ...base, role_scopes: { editor: ['items'] } });
    const difference = comparePolicies(config(base), after);
    expect(difference.gains).toMatchObject([{ caller: 'jwt with role editor' }]);
    expect(difference.others).toMatchObject([{ at: 'role editor', before: 'nothing', after: 'items' }]);
  });

  test('budgets and conditions of rows', () => {
    const after = config({ preset: 'none', endpoints: [{ ...row, budget: 'heavy', claims: { tenant: 't1' } }] });
    const at = comparePolicies(config(base), after).others.map((change) => change.at);
    expect(at).toEqual(['GET /items: budget', 'GET /items: claims']);
  });

  test('Markdown keeps its table whatever a row says', () => {
    const after = config({ preset: 'none', endpoints: [{ ...row, claims: { 'a|b': 'c' } }] });
    expect(differenceMarkdown(comparePolicies(config(base), after))).toContain('a\\|b');
  });
});

describe('the hash of a policy', () => {
  test('does not depend on the order of rows, and changes with each of them', async () => {
    const other = { ...row, path: '/other' };
    const hashes = await Promise.all([
      policyHash(config({ preset: 'none', endpoints: [row, other] })),
      policyHash(config({ preset: 'none', endpoints: [other, row] })),
      policyHash(config({ preset: 'none', endpoints: [row, { ...other, budget: 'heavy' }] })),
      policyHash(config({ preset: 'none', endpoints: [row, other], role_scopes: { x: ['items'] } })),
    ]);
    expect(hashes[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(hashes[1]).toBe(hashes[0]);
    expect(new Set(hashes).size).toBe(3);
  });
});

describe('lint', () => {
  const rulesOf = (document: object, env = {}) =>
    lint(config(document, env)).map(({ level, rule, at }) => `${level} ${rule} ${at}`);

  test('a row that opens part of a wider one', () => {
    const wide = { method: 'GET', path: '/files/{rest...}', scope: 'files', budget: 'read' };
    const loose = { method: 'GET', path: '/files/public', scope: null, budget: 'read' };
    expect(rulesOf({ preset: 'none', endpoints: [wide, loose] })).toContain('warning looser_row GET /files/public');
    expect(
      rulesOf({ preset: 'none', endpoints: [wide, { ...loose, scope: { all: ['files', 'more'] } }] }),
    ).not.toContain('warning looser_row GET /files/public');
  });

  test('a scope that nothing grants, unless a role does', () => {
    expect(rulesOf(base)).toContain('note ungranted_scope items');
    expect(rulesOf({ ...base, role_scopes: { editor: ['items'] } })).not.toContain('note ungranted_scope items');
  });

  test('a row that strangers of a shared issuer may use', () => {
    const issuers = [{ issuer: 'https://token.actions.githubusercontent.com', provider: 'github', audience: 'api' }];
    const open = { ...row, scope: null };
    expect(rulesOf({ preset: 'none', issuers, endpoints: [open] }).join()).toContain('warning open_to_strangers');
    const closed = [
      {
        issuer: 'https://token.actions.githubusercontent.com',
        provider: 'github',
        audience: 'api',
        require: { repository_owner_id: '1' },
      },
    ];
    expect(rulesOf({ preset: 'none', issuers: closed, endpoints: [open] }).join()).not.toContain('open_to_strangers');
  });

  test('a writing method beside a heavy budget that it does not spend', () => {
    const post = { ...row, method: 'POST' };
    const env = { TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE: '60' };
    expect(rulesOf({ preset: 'none', endpoints: [post] }, env)).toContain('note no_heavy_budget POST /items');
    expect(rulesOf({ preset: 'none', endpoints: [{ ...post, budget: 'heavy' }] }, env).join()).not.toContain(
      'no_heavy',
    );
  });
});
