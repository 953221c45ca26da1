import type { MarkdownRenderer } from 'vitepress';

/** A plugin of markdown-it: a long name in the text or a table may break behind `_`, `/` and `,`, not in the middle of a word. */
export function codeBreaks(markdown: MarkdownRenderer): void {
  const before = markdown.renderer.rules.code_inline;
  if (before === undefined) return;
  markdown.renderer.rules.code_inline = (...given) =>
    before(...given).replace(
      />([^<]*)</,
      (_, text: string) => `>${text.replaceAll(/(?<=\w)[_/,](?=[\w{])/g, '$&<wbr>')}<`,
    );
}
