import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Block, blocksOf, isCommand, markOf, pagesWithCommands, runsHere } from '../../infra/docs/fences.ts';

/*
 * The commands of every page, one block after the other, in a folder of their own. A block that needs an account says so (`needs=`)
 * and is only read by bash. Installing and packing run elsewhere: `.ci/run`, infra/aws/test/package.test.ts.
 */

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const OWN_TEST = ['docs/tutorial.md', 'docs/guides/library.md'];
const ELSEWHERE = /^\s*npm (ci|pack|run build)\b.*$/gm;

/** Settings that a guide leaves to its reader. */
const SETTINGS = `TGEFD_AUTH_MODE=jwt
TGEFD_JWT_ISSUER=https://issuer.example/
TGEFD_JWT_AUDIENCE=https://api.example
TGEFD_JWKS_URL=https://issuer.example/.well-known/jwks.json
TGEFD_REDIS_URL=https://example.upstash.io
TGEFD_REDIS_TOKEN=stands-for-a-token
TGEFD_AUDIT_PSEUDONYM_KEY=stands-for-a-key-of-32-bytes-or-more
TGEFD_UPSTREAM_URL=https://orders.example.com
`;

/** A folder that looks like a checkout that was built; what commands write stays in it. */
async function checkout(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-guide-'));
  for (const name of await readdir(ROOT)) {
    if (!name.startsWith('.')) await symlink(join(ROOT, name), join(folder, name));
  }
  await writeFile(join(folder, 'settings.env'), SETTINGS);
  await mkdir(join(folder, 'home'));
  // In a checkout npx would build the package before each command. What it does with an installed one, the tutorial shows.
  const npx = `#!/bin/sh\n[ "$1 $2" = "--no tgefd-authorizer" ] || exit 64\nshift 2\nexec node "${ROOT}/dist/cli.js" "$@"\n`;
  await mkdir(join(folder, 'programs'));
  await writeFile(join(folder, 'programs/npx'), npx, { mode: 0o755 });
  return folder;
}

const bash = (text: string, folder: string, check: boolean) =>
  run('bash', [...(check ? ['-n'] : ['-e']), '-c', text], {
    cwd: folder,
    env: {
      PATH: `${join(folder, 'programs')}:${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`,
      HOME: join(folder, 'home'),
    },
    timeout: 60_000,
  }).then(
    ({ stdout, stderr }) => ({ ok: true, text: stdout + stderr }),
    (error: { stdout: string; stderr: string }) => ({ ok: false, text: error.stdout + error.stderr }),
  );

/** Writes what a page gives as a file: marked `file=`, or the JSON of a policy. */
async function writeFileOf(block: Block, folder: string): Promise<void> {
  const name = markOf(block, 'file') ?? (block.language === 'json' && block.mark === '' ? 'policy.json' : null);
  if (name === null) return;
  if (block.language === 'json') expect([block.text, typeof JSON.parse(block.text)]).toEqual([block.text, 'object']);
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), block.text);
}

const guides = pagesWithCommands().filter((page) => !OWN_TEST.includes(page) && blocksOf(page).some(isCommand));

// Side by side: each page has a folder of its own, and its time is that of programs that start.
describe.concurrent.each(guides)('%s', (guide) => {
  test('has commands that run, or that say which account they need', async () => {
    const folder = await checkout();
    const blocks = blocksOf(guide);
    let printed = '';
    try {
      for (const block of blocks) {
        if (blocks.some(runsHere)) await writeFileOf(block, folder);
        if (block.mark === 'prints') {
          for (const line of block.text.split('\n').filter((one) => one !== '…')) expect(printed).toContain(line);
        }
        if (!isCommand(block)) continue;
        const checkOnly = !runsHere(block);
        const own = block.text.replaceAll(ELSEWHERE, (line) => line.replace(/npm [^&]*(&&)?/, checkOnly ? '$&' : ''));
        const answer = await bash(own.trim() || ':', folder, checkOnly);
        expect([block.text, answer]).toEqual([block.text, expect.objectContaining({ ok: true })]);
        printed = answer.text;
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 120_000);
});

test.each(['deploy-cloudflare.md', 'upgrade.md', 'aws-own-api.md'])(
  '%s says what the reader has at its end',
  async (guide) => {
    const page = await readFile(join(ROOT, 'docs/guides', guide), 'utf8');
    expect(page.split('\n\n')[1], guide).toMatch(/^At the end of this guide/);
  },
);
