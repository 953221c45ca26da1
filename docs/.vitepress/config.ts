import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defineConfig } from 'vitepress';
import { codeBreaks } from './code-breaks.ts';
import { narrowTables } from './narrow-tables.ts';
import { sidebar } from './sidebar.ts';
import { filesBesidePages, sourceLinks } from './source-links.ts';

/** The folder of the site below its host, such as `/docs/`. */
const base = process.env.DOCS_BASE ?? '/';

/** Words of a text, and names such as TGEFD_JWT_ISSUER as a whole too. Runs in the browser as well: it uses nothing from here. */
function wordsAndNames(text: string): string[] {
  return [...text.split(/[\n\r\p{Z}\p{P}]+/u), ...(text.match(/\w+_\w+/g) ?? [])];
}

// biome-ignore lint/style/noDefaultExport: VitePress reads the default export.
export default defineConfig({
  base,
  lang: 'en',
  title: 'Edge authorizer',
  description: 'Who is calling, whether they may, and whether they may now: one decision for every HTTP request.',
  srcExclude: ['node_modules/**'],
  cleanUrls: true,
  metaChunk: true,
  markdown: {
    config: (markdown) => void markdown.use(sourceLinks).use(codeBreaks).use(narrowTables),
    theme: { light: 'github-light', dark: 'github-dark' },
  },
  themeConfig: {
    search: {
      provider: 'local',
      options: { detailedView: true, miniSearch: { options: { tokenize: wordsAndNames } } },
    },
    outline: { level: [2, 3] },
    sidebar,
    nav: [
      { text: 'Tutorial', link: '/tutorial' },
      { text: 'Guides', link: '/guides/', activeMatch: '^/(guides|proxies)/' },
      { text: 'Reference', link: '/reference/', activeMatch: '^/reference/' },
      { text: 'Explanation', link: '/explanation/', activeMatch: '^/(explanation|adr)/' },
    ],
    externalLinkIcon: false,
  },
  buildEnd: async ({ srcDir, outDir }) => {
    for (const file of filesBesidePages(srcDir)) {
      await mkdir(dirname(join(outDir, file)), { recursive: true });
      await copyFile(join(srcDir, file), join(outDir, file));
    }
    // RFC 9116 §3; a host serves it where the site is at the root of its domain.
    await mkdir(join(outDir, '.well-known'), { recursive: true });
    await copyFile(join(srcDir, 'security.txt'), join(outDir, '.well-known/security.txt'));
  },
});
