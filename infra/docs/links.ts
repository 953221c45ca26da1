import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A link of a page to a file of this repository. */
export interface Link {
  readonly page: string;
  readonly to: string;
  readonly anchor: string | null;
}

/** Every page of the repository, tests aside. */
export function pages(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT });
  return listed
    .toString()
    .split('\n')
    .filter((path) => path !== '' && !path.startsWith('test/') && existsSync(join(ROOT, path)));
}

/** The text of a page outside fenced code. */
export function prose(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8').replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '');
}

/** The anchors of a page, as GitHub and VitePress make them of headings. */
export function anchorsOf(page: string): Set<string> {
  const headings = [...prose(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .replaceAll(/[`*]|\]\([^)]*\)|\[/g, '')
        .toLowerCase()
        .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

/** The links of a page to files of this repository. */
export function linksOf(page: string): Link[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^([a-z]+:|\/)/.test(link))
    .map((link) => {
      const [file = '', anchor = null] = link.split('#');
      return { page, to: file === '' ? page : normalize(join(dirname(page), file)), anchor };
    });
}

/** Links that lead to no file, or to no heading of it. */
export function deadLinks(page: string): Link[] {
  return linksOf(page).filter(({ to, anchor }) => {
    if (!existsSync(join(ROOT, to)) && !existsSync(join(ROOT, `${to}.md`))) return true;
    return anchor !== null && to.endsWith('.md') && !anchorsOf(to).has(anchor);
  });
}

/**
 * Commands of a page that would fetch our name from a registry. Until the package is published anybody could register it;
 * `npx --no` runs what is installed and fetches nothing.
 */
export function foreignInstalls(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return text.match(/npx (?!--no )tgefd-authorizer|npm (?:i|install) (?:-\S+ )*tgefd-authorizer(?!\S*\.tgz)/g) ?? [];
}

if (import.meta.main) {
  const faults = pages().flatMap((page) => [
    ...deadLinks(page).map(({ to, anchor }) => `${page}: dead link to ${to}${anchor === null ? '' : `#${anchor}`}`),
    ...foreignInstalls(page).map(
      (command) => `${page}: ${command} fetches a name that is not ours yet; write npx --no`,
    ),
  ]);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
