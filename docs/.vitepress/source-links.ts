import { execFileSync } from 'node:child_process';
import { posix } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

/** Where the source can be read; pages link files of the repository there. */
const SOURCE = process.env.DOCS_SOURCE_URL ?? 'https://github.com/your-org/tgefd-authorizer/blob/main';

/** Files that the site serves beside its pages: the schemas, and the contact for reports of weaknesses. */
export function filesBesidePages(folder: string): string[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.schema.json', 'security.txt'],
    { cwd: folder },
  );
  return listed
    .toString()
    .split('\n')
    .filter((path) => path !== '');
}

/** The link of a page as the site needs it: a page stays a page, every other file leads to the source. */
function siteLink(href: string, page: string): string {
  if (/^([a-z]+:|#|\/)/.test(href)) return href;
  const [path = '', anchor] = href.split('#');
  const target = posix.normalize(posix.join(posix.dirname(page), path));
  const outside = target.startsWith('../');
  if (!outside && /(\.md|\/)$/.test(target)) return href;
  return `${SOURCE}/${outside ? target.slice(3) : `docs/${target}`}${anchor === undefined ? '' : `#${anchor}`}`;
}

/** A plugin of markdown-it that changes links to the source before the pages are rendered. */
export function sourceLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('source-links', (state) => {
    const { relativePath = '' } = state.env as { relativePath?: string };
    for (const block of state.tokens) {
      for (const token of block.children ?? []) {
        const href = token.type === 'link_open' ? token.attrGet('href') : null;
        if (href !== null) token.attrSet('href', siteLink(href, relativePath));
      }
    }
  });
}
