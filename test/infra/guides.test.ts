import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

/*
 * The commands of the deployment guides, one block after the other, in a folder of their own. A block that needs an account says so
 * (`sh needs=…`) and is only read by bash. Installing and packing run elsewhere: `.ci/run`, infra/aws/test/package.test.ts.
 */

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const GUIDES = ['deploy-cloudflare.md', 'upgrade.md', 'aws-own-api.md'];
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

interface Block {
  readonly language: string;
  readonly needs: string | null;
  readonly text: string;
}

async function blocksOf(guide: string): Promise<Block[]> {
  const page = await readFile(join(ROOT, 'docs/guides', guide), 'utf8');
  return [...page.matchAll(/^( *)```(\w+)(?: needs=(\S+))?\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = '', language = '', needs, text = '']) => ({
      language,
      needs: needs ?? null,
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
}

/** A folder that looks like a checkout that was built; what commands write stays in it. */
async function checkout(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-guide-'));
  for (const name of await readdir(ROOT)) {
    if (!name.startsWith('.')) await symlink(join(ROOT, name), join(folder, name));
  }
  await writeFile(join(folder, 'settings.env'), SETTINGS);
  await mkdir(join(folder, 'home'));
  return folder;
}

const bash = (text: string, folder: string, check: boolean) =>
  run('bash', [...(check ? ['-n'] : ['-e']), '-c', text], {
    cwd: folder,
    env: { PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`, HOME: join(folder, 'home') },
    timeout: 60_000,
  }).then(
    ({ stdout }) => ({ ok: true, text: stdout }),
    (error: { stdout: string; stderr: string }) => ({ ok: false, text: error.stdout + error.stderr }),
  );

describe.each(GUIDES)('%s', (guide) => {
  test('has commands that run, or that say which account they need', async () => {
    const folder = await checkout();
    try {
      const blocks = await blocksOf(guide);
      for (const { language, text } of blocks.filter((one) => one.language === 'json')) {
        expect([language, typeof JSON.parse(text)]).toEqual(['json', 'object']);
        await writeFile(join(folder, 'policy.json'), text);
      }
      const commands = blocks.filter(({ language }) => language === 'sh');
      expect(commands.length).toBeGreaterThan(1);
      for (const { text, needs } of commands) {
        const own = text.replaceAll(ELSEWHERE, (line) => line.replace(/npm [^&]*(&&)?/, needs ? '$&' : ''));
        expect([text, await bash(own.trim() || ':', folder, needs !== null)]).toEqual([
          text,
          expect.objectContaining({ ok: true }),
        ]);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 120_000);
});

test('every guide says how it is checked, or what the reader has at its end', async () => {
  for (const guide of GUIDES) {
    const page = await readFile(join(ROOT, 'docs/guides', guide), 'utf8');
    expect(page.split('\n\n')[1], guide).toMatch(/^At the end of this guide/);
  }
});
