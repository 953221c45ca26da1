import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorsOf, deadLinks, foreignInstalls, linksOf, pages, prose } from '../../infra/docs/links.ts';

/* Every relative link of every page leads to a file and, where it names one, to a heading of it. */

const ROOT = join(import.meta.dirname, '../..');
const PAGES = pages();

describe('the pages', () => {
  test.each(PAGES)('%s has no dead link', (path) => {
    expect(deadLinks(path)).toEqual([]);
  });

  test('the check sees a dead file and a dead anchor', () => {
    expect(existsSync(join(ROOT, 'docs/nothing.md'))).toBe(false);
    expect(anchorsOf('SECURITY.md')).toContain('report-a-vulnerability');
    expect(anchorsOf('SECURITY.md')).not.toContain('nothing');
  });
});

describe('the pages of evidence', () => {
  /** Cells of each row of each table, heading and rule left out. */
  function rowsOf(path: string): string[][] {
    const lines = prose(path)
      .split('\n')
      .filter((line) => line.startsWith('|'));
    return lines
      .filter((_, at) => !/^\|[-:| ]+$/.test(lines[at] ?? '') && !/^\|[-:| ]+$/.test(lines[at + 1] ?? ''))
      .map((line) =>
        line
          .replaceAll('\\|', '¦')
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
  }
  const leadsTo = (cell: string, folders: RegExp) =>
    [...cell.matchAll(/\]\(((?:\.\.\/)+)([^)]+)\)/g)].some(([, , to = '']) => folders.test(to));

  test.each(['asvs-5.0', 'rfc8725', 'rfc9700'])(
    '%s names code and a test for each requirement that is ours',
    (name) => {
      const rows = rowsOf(`docs/reference/${name}.md`);
      expect(rows.length).toBeGreaterThan(10);
      for (const [number = '', , how = '', code = '', held = ''] of rows) {
        if (how.startsWith('yours')) continue;
        expect(leadsTo(code, /^(lib|functions|infra)\//), `${number}: code`).toBe(true);
        expect(leadsTo(held, /^test\//), `${number}: test`).toBe(true);
      }
    },
  );

  test('the hardening checklist shows every line by a test', () => {
    const rows = rowsOf('docs/reference/hardening-checklist.md');
    expect(rows.length).toBeGreaterThan(35);
    for (const [line = '', , shown = ''] of rows) expect(leadsTo(shown, /^test\//), line).toBe(true);
  });

  test('the threat model holds every attack by a test', () => {
    const rows = rowsOf('docs/explanation/threat-model.md').filter((row) => row.length === 3);
    const attacks = rows.filter(([, , held = '']) => held.includes(']('));
    expect(attacks.length).toBeGreaterThan(40);
    for (const [attack = '', , held = ''] of attacks) expect(leadsTo(held, /^test\//), attack).toBe(true);
  });

  test('link tests that exist as files, not as folders', () => {
    for (const name of [
      'docs/reference/asvs-5.0.md',
      'docs/reference/rfc8725.md',
      'docs/explanation/threat-model.md',
    ]) {
      for (const { to } of linksOf(name)) expect(statSync(join(ROOT, to)).isFile(), to).toBe(true);
    }
  });
});

test('security.txt has what RFC 9116 demands', () => {
  const text = readFileSync(join(ROOT, 'docs/security.txt'), 'utf8');
  expect(text.match(/^Contact: (https|mailto):\S+$/gm)).toHaveLength(1);
  const [expires = ''] = text.match(/(?<=^Expires: )\S+$/gm) ?? [];
  expect(new Date(expires).toISOString().replace('.000', '')).toBe(expires);
});

test('no page tells people to fetch a name from the registry that anybody could register', () => {
  for (const page of PAGES) expect([page, foreignInstalls(page)]).toEqual([page, []]);
});
