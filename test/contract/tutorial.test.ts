import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Block, blocksOf, markOf } from '../../infra/docs/fences.ts';
import { freePort } from '../support/child.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { type Shell, startShell } from '../support/shell.ts';

/*
 * The tutorial, command by command as it stands on the page: from a clean clone to the packed package in an empty folder, with
 * tokens of a real issuer. Only the ports and the address of the repository are replaced.
 */

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const REPOSITORY = 'https://github.com/your-org/tgefd-authorizer';
const STRICT = {
  target: 'ES2024',
  lib: ['ES2024', 'DOM', 'DOM.Iterable'],
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  module: 'NodeNext',
  moduleResolution: 'NodeNext',
  allowImportingTsExtensions: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  noEmit: true,
};
const PORTS = ['3000', '3001', '8080'];

/** The environment of a user: git answers for the repository with this checkout, and nothing is configured yet. */
function environment(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !/^(TGEFD_|VITEST|NODE_OPTIONS|NODE_ENV|npm_)/.test(name));
  return {
    ...Object.fromEntries(own),
    PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: `url.file://${ROOT}.insteadOf`,
    GIT_CONFIG_VALUE_0: REPOSITORY,
    GIT_CONFIG_KEY_1: 'safe.directory',
    GIT_CONFIG_VALUE_1: '*',
  };
}

/** What the endpoints of the library guide demand, for an issuer of the tests. */
function settingsOf(issuer: Issuer): Record<string, string> {
  return {
    ...jwtEnvironment(issuer),
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_PRESET: 'none',
    TGEFD_AUDIT_LOG: 'false',
    TGEFD_UPSTREAM_URL: 'http://127.0.0.1:1',
    TGEFD_ENDPOINTS: JSON.stringify([{ method: 'GET', path: '/orders/{id}', scope: 'orders:read', budget: 'read' }]),
  };
}

let folder: string;
let shell: Shell;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-tutorial-'));
  shell = await startShell(folder, environment());
});
afterAll(async () => {
  await shell?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Waits as long as a page tells its reader to at most, but goes on when the address asked next answers. */
function withoutIdling(text: string): string {
  return text.replaceAll(/^sleep (\d+)\n(?=curl -s (http:\S+))/gm, (_, seconds: string, url: string) => {
    const tries = Array.from({ length: Number(seconds) * 10 }, (_unused, index) => index).join(' ');
    return `for TRY in ${tries}; do curl -sf -o started ${url} && break; sleep 0.1; done\n`;
  });
}

/** The blocks of the page, with ports that are free here. */
async function steps(): Promise<Block[]> {
  const free = await Promise.all(PORTS.map(() => freePort()));
  const withPorts = (text: string) =>
    withoutIdling(PORTS.reduce((changed, port, index) => changed.replaceAll(port, `${free[index]}`), text));
  return blocksOf('docs/tutorial.md').map((block) => ({ ...block, text: withPorts(block.text) }));
}

test('the tutorial can be followed from a clean clone and the packed package', async () => {
  const { stdout } = await run('git', ['rev-parse', '--is-inside-work-tree'], { cwd: ROOT });
  expect(stdout).toBe('true\n');
  let printed = '';
  for (const { text, language, ...block } of await steps()) {
    const file = markOf({ text, language, ...block }, 'file');
    if (file !== null) await writeFile(join(await shell.folder(), file), text);
    else if (block.mark === 'prints') {
      for (const line of text.trimEnd().split('\n')) expect(printed, `line ${block.line}`).toContain(line);
    } else if (text === 'npm ci\n') {
      // `.ci/run` begins with it; what it installed is linked.
      await symlink(join(ROOT, 'node_modules'), join(await shell.folder(), 'node_modules'));
    } else {
      expect([language, block.mark, block.line]).toEqual(['sh', '', block.line]);
      const answer = await shell.run(text);
      expect({ text, ...answer }).toMatchObject({ text, status: 0 });
      printed = answer.printed;
    }
  }
}, 240_000);

test('every example of the library guide compiles, and decides about tokens of a real issuer', async () => {
  const application = join(folder, 'orders');
  const files: string[] = [];
  for (const block of blocksOf('docs/guides/library.md')) {
    const file = markOf(block, 'file');
    if (file === null) continue;
    files.push(file);
    await writeFile(join(application, file), block.text);
  }
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', 'hono', '@hono/node-server'], {
    cwd: application,
  });
  await writeFile(join(application, 'tsconfig.json'), JSON.stringify({ compilerOptions: STRICT, files }));
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const compiled = await run(process.execPath, [compiler, '-p', application]).catch((error) => error);
  expect(compiled.stdout).toBe('');

  await cp(join(import.meta.dirname, 'guide/call-examples.mjs'), join(application, 'call-examples.mjs'));
  const issuer = await startIssuer();
  try {
    const TOKEN = await issuer.token({ subject: 'alice', scope: 'orders:read' });
    const env = { PATH: process.env.PATH, ...settingsOf(issuer), AUTHORIZER_KEYS: issuer.keySetUrl, TOKEN };
    const { stdout } = await run(process.execPath, ['call-examples.mjs'], { cwd: application, env });
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      app: [401, 200],
      // Nothing stands behind this gateway.
      worker: [401, 502],
      // A caller's token is no assertion.
      service: [401, 401],
      options: 401,
      decide: [401, 200],
      lambda: ['Unauthorized', 'Allow'],
    });
  } finally {
    await issuer.stop();
  }
}, 120_000);
