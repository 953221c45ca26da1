import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { sidebar } from '../../docs/.vitepress/sidebar.ts';
import { faultyBlocks } from '../../infra/docs/fences.ts';
import { pages } from '../../infra/docs/links.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const SITE = join(ROOT, 'docs/.vitepress/dist');
/** Pages that only lead to another one, for links of old. */
const MOVED = ['docs/audit_policy.md', 'docs/ingress_trust_boundary.md'];

const npm = (...words: string[]) => run('npm', words, { cwd: ROOT, timeout: 300_000 });

function linksOf(items: typeof sidebar): string[] {
  return items.flatMap(({ link, items: below = [] }) => [...(link === undefined ? [] : [link]), ...linksOf(below)]);
}

/** The path of a page on the site. */
function pathOf(page: string): string {
  return page.slice('docs'.length, -'.md'.length).replace(/\/index$/, '/');
}

beforeAll(() => npm('run', 'docs:build'), 360_000);

test('every page stands in the sidebar, and nothing else', () => {
  const all = pages().filter((page) => page.startsWith('docs/') && !MOVED.includes(page));
  expect(linksOf(sidebar).sort()).toEqual(all.map(pathOf).sort());
});

test('the site has a page and a schema for what the sidebar and the reference name', async () => {
  const missing = linksOf(sidebar).filter(
    (link) => !existsSync(join(SITE, `${link.endsWith('/') ? `${link}index` : link}.html`)),
  );
  expect(missing).toEqual([]);
  expect(JSON.parse(await readFile(join(SITE, 'reference/policy.schema.json'), 'utf8'))).toHaveProperty('$schema');
});

test('cells of wide tables have their headings, for telephones, and tables of figures have none', async () => {
  const page = (name: string) => readFile(join(SITE, `reference/${name}.html`), 'utf8');
  expect(await page('configuration')).toMatch(
    /<table role="table" class="cards".*<td role="cell" data-label="meaning"/s,
  );
  expect(await page('performance')).not.toContain('data-label');
});

test('the site has security.txt where RFC 9116 wants it, and it has not expired', async () => {
  const text = await readFile(join(SITE, '.well-known/security.txt'), 'utf8');
  expect(Date.parse(/^Expires: (.*)$/m.exec(text)?.[1] ?? '')).toBeGreaterThan(Date.now());
});

test('a page can be searched for the name of a setting', async () => {
  const { stdout } = await run('grep', ['-rl', 'tgefd_jwt_clock_skew_sec', join(SITE, 'assets')]);
  expect(stdout).toMatch(/localSearchIndex/i);
});

test('no word of a page is misspelt', async () => {
  await expect(npm('--prefix', 'docs', 'run', '--silent', 'spell')).resolves.toMatchObject({ stdout: '' });
}, 60_000);

test('commands that neither run nor say why not are found', () => {
  expect(faultyBlocks('test/infra/docs/faulty.md').map((fault) => fault.replace(/^.*?: /, ''))).toEqual([
    'commands are marked sh, not bash',
    expect.stringMatching(/^needs=my-laptop is not one of/),
    'in=test/nothing.test.ts is no file',
    'the mark "later" is not known',
    'a command stands in a block without a language; write ```sh',
  ]);
});
