import { stripVTControlCharacters } from 'node:util';

/** A number with its noun: `1 problem`, `2 problems`. */
export function counted(count: number, noun: string, plural = pluralOf(noun)): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

function pluralOf(noun: string): string {
  return /(s|x|ch|sh)$/.test(noun) ? `${noun}es` : noun.replace(/([^aeiou])y$/, '$1ie').concat('s');
}

/** Breaks a text into lines of at most so many columns; the lines after the first are indented. */
export function wrapped(text: string, columns: number, indent = ''): string[] {
  const [margin = ''] = /^ */.exec(text) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const word of text.slice(margin.length).split(' ')) {
    const isFull = line !== '' && widthOf(line) + 1 + widthOf(word) > columns;
    if (isFull) lines.push(line);
    if (line === '') line = margin + word;
    else line = isFull ? indent + word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Columns that a text takes on a terminal, without its colours. */
function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** Rows with aligned columns, two spaces apart; the last column is not padded. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A text as one word of a shell, between single quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
