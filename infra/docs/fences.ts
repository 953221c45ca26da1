import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pages } from './links.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What a command of a page may need that a test run has not, by the mark `needs=`. */
export const NEEDS = [
  'aws',
  'cloudflare',
  'cluster',
  'deployment',
  'docker',
  'github',
  'google-cloud',
  'registry',
  'release',
  'token',
  'upstash',
  'vault',
] as const;

/**
 * A block of code of a page. Its mark stands behind the language:
 * nothing: the commands run, one block after the other (test/infra/guides.test.ts);
 * `needs=aws,upstash`: they need these accounts or services, and are only read by a shell;
 * `in=test/x.test.ts`: this test runs them; `file=NAME`: the block is a file of this name;
 * `prints`: what the block before it prints, where `…` stands for anything.
 */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly mark: string;
  readonly text: string;
}

/** The value of one mark of a block, or null. */
export function markOf(block: Block, name: string): string | null {
  const found = block.mark.split(' ').find((part) => part === name || part.startsWith(`${name}=`));
  return found === undefined ? null : found.slice(name.length + 1);
}

/** The blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const source = readFileSync(join(ROOT, page), 'utf8');
  return [...source.matchAll(/^( *)```([\w-]*)(?: ([^\n]*))?\n([\s\S]*?)^\1```$/gm)].map(
    ({ index, 1: indent = '', 2: language = '', 3: mark = '', 4: text = '' }) => ({
      page,
      line: source.slice(0, index).split('\n').length,
      language,
      mark: mark.trim(),
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
}

/** Whether a block holds commands for a shell. */
export function isCommand({ language, mark }: Block): boolean {
  return ['sh', 'bash', 'shell', 'console'].includes(language) && !mark.startsWith('file=');
}

/** Whether the commands of a block run as they stand on the page. */
export function runsHere(block: Block): boolean {
  return isCommand(block) && block.mark === '';
}

function faultOf(block: Block): string | null {
  if (!isCommand(block)) {
    const looksLikeCommand =
      block.language === '' && /^(\$ |npm |npx |curl |wrangler |aws |kubectl )/m.test(block.text);
    return looksLikeCommand ? 'a command stands in a block without a language; write ```sh' : null;
  }
  if (block.language !== 'sh') return `commands are marked sh, not ${block.language}`;
  if (block.mark === '') return null;
  const [needs, test] = [markOf(block, 'needs'), markOf(block, 'in')];
  if (needs !== null) {
    const unknown = needs.split(',').filter((one) => !NEEDS.some((known) => known === one));
    return unknown.length === 0 ? null : `needs=${unknown.join()} is not one of ${NEEDS.join(', ')}`;
  }
  if (test === null) return `the mark "${block.mark}" is not known`;
  return existsSync(join(ROOT, test)) ? null : `in=${test} is no file`;
}

/** Blocks of commands that neither run nor say why not. */
export function faultyBlocks(page: string): string[] {
  return blocksOf(page).flatMap((block) => {
    const fault = faultOf(block);
    return fault === null ? [] : [`${page}:${block.line}: ${fault}`];
  });
}

/** Pages whose commands are held: the documentation, and what a newcomer reads first. */
export function pagesWithCommands(): string[] {
  return pages().filter((page) => page.startsWith('docs/') || page === 'README.md');
}

if (import.meta.main) {
  const faults = pagesWithCommands().flatMap(faultyBlocks);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
