import type { MarkdownRenderer } from 'vitepress';

type Rule = Parameters<MarkdownRenderer['core']['ruler']['push']>[1];
type Token = Parameters<Rule>[0]['tokens'][number];

/** Columns from which on a table does not fit a telephone. */
const WIDE = 4;

const ROLES: Readonly<Record<string, string>> = {
  table_open: 'table',
  thead_open: 'rowgroup',
  tbody_open: 'rowgroup',
  tr_open: 'row',
  th_open: 'columnheader',
  td_open: 'cell',
};

/**
 * A plugin of markdown-it: each cell of a wide table gets its heading as `data-label`, so that a narrow screen can show each
 * row as a card. The style takes the display of a table away, and with it the meaning for screen readers: roles restore it.
 * Tables of figures stay as they are.
 */
export function narrowTables(markdown: MarkdownRenderer): void {
  // VitePress writes the tag by itself, without attributes.
  markdown.renderer.rules.table_open = (tokens, at, options, _, renderer) => {
    tokens[at]?.attrSet('tabindex', '0');
    return renderer.renderToken(tokens, at, options);
  };
  markdown.core.ruler.push('narrow_tables', ({ tokens }) => {
    for (const [start, token] of tokens.entries()) {
      if (token.type !== 'table_open') continue;
      const table = tokens.slice(
        start,
        tokens.findIndex(({ type }, at) => at > start && type === 'table_close'),
      );
      if (isWide(table)) label(table);
    }
  });
}

function isWide(table: readonly Token[]): boolean {
  const headings = table.filter(({ type }) => type === 'th_open');
  const figures = headings.filter((heading) => heading.attrGet('style')?.includes('right'));
  return headings.length >= WIDE && figures.length * 2 < headings.length;
}

function label(table: readonly Token[]): void {
  const headings = table.flatMap(({ type }, at) => (type === 'th_open' ? [table[at + 1]?.content ?? ''] : []));
  let column = 0;
  for (const token of table) {
    const role = ROLES[token.type];
    if (role !== undefined) token.attrSet('role', role);
    if (token.type === 'table_open') token.attrSet('class', 'cards');
    if (token.type === 'tr_open') column = 0;
    if (token.type !== 'td_open') continue;
    token.attrSet('data-label', (headings[column] ?? '').replaceAll(/[`*]/g, ''));
    column += 1;
  }
}
