import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../support/loopback-server.ts';

const run = promisify(execFile);
const ROOT = dirname(dirname(import.meta.dirname));
const CLI = join(ROOT, 'dist/cli.js');

/* What the action leaves behind besides its log: a comment of the pull request, and a JUnit report. */

interface Call {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

let folder: string;
let api: LoopbackServer;
let calls: Call[];
let comments: { id: number; body: string }[];
let refusal: number | null;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-action-'));
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: folder });
  await writeFile(join(folder, 'policy.json'), policy('orders:read'));
  await git('init', '-q');
  await git('add', '.');
  await git('commit', '-qm', 'base');
  api = await listenOnLoopback(
    createServer(async (request, response) => {
      const { method = '', url = '', headers } = request;
      let text = '';
      for await (const part of request) text += part;
      calls.push({ method, url, authorization: headers.authorization, body: text });
      if (refusal !== null) return void response.writeHead(refusal).end('{}');
      const body = text === '' ? '' : JSON.parse(text).body;
      if (method === 'POST') comments.push({ id: comments.length + 1, body });
      if (method === 'PATCH') comments = comments.map((one) => (url.endsWith(`/${one.id}`) ? { ...one, body } : one));
      response.writeHead(method === 'POST' ? 201 : 200).end(JSON.stringify(method === 'GET' ? comments : {}));
    }),
  );
});
beforeEach(() => {
  [calls, comments, refusal] = [[], [{ id: 99, body: 'a word of a reviewer' }], null];
});
afterAll(async () => {
  await api?.down();
  await rm(folder, { recursive: true, force: true });
});

function policy(scope: string | null): string {
  return JSON.stringify({
    preset: 'none',
    endpoints: [{ method: 'GET', path: '/orders/{id}', scope, budget: 'read' }],
  });
}

async function act(inputs: Record<string, string>) {
  const env = {
    PATH: process.env.PATH,
    CLI,
    GITHUB_API_URL: `http://127.0.0.1:${api.port}`,
    GITHUB_REPOSITORY: 'acme/shop',
    PULL_REQUEST: '7',
    POLICY: 'policy.json',
    ...inputs,
  };
  return await run('bash', [join(ROOT, 'infra/github/action.sh')], { cwd: folder, env }).then(
    ({ stdout }) => ({ status: 0, text: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      status: error.code,
      text: error.stdout + error.stderr,
    }),
  );
}
const compared = { COMMAND: 'policy-diff', BASE: 'HEAD', COMMENT_TOKEN: 'token-of-the-job' };

describe('policy-diff of the action', () => {
  test('writes who gains and who loses under the pull request, and changes that comment later', async () => {
    await writeFile(join(folder, 'policy.json'), policy(null));
    expect((await act(compared)).status).toBe(0);
    expect(calls.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /repos/acme/shop/issues/7/comments?per_page=100&page=1',
      'POST /repos/acme/shop/issues/7/comments',
    ]);
    expect(new Set(calls.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer token-of-the-job']));
    const [, written] = comments;
    expect(written?.body).toContain('<!-- edge-authorizer policy-diff policy.json -->\n### policy-diff of policy.json');
    expect(written?.body).toContain('GET /orders/{id}');
    await writeFile(join(folder, 'policy.json'), policy('orders:all'));
    await act(compared);
    expect(comments).toHaveLength(2);
    expect(comments[1]?.body).toContain('orders:all');
  });

  test('is a warning where the token may not write, and asks nobody without a token', async () => {
    refusal = 403;
    const { status, text } = await act(compared);
    expect(status).toBe(0);
    expect(text).toContain('::warning::no comment was written: GET issues/7/comments?per_page=100&page=1 answered 403');
    expect(text).not.toContain('token-of-the-job');
    calls = [];
    await act({ ...compared, COMMENT_TOKEN: '' });
    expect(calls).toEqual([]);
    expect((await act({ ...compared, PULL_REQUEST: '' })).text).toContain('belongs to no pull request');
  });
});

describe('policy-test of the action', () => {
  test.each([
    [200, 0, 0],
    [404, 1, 1],
  ])('writes a JUnit report, with a case that expects %i', async (wanted, status, failures) => {
    await writeFile(join(folder, 'policy.json'), policy('orders:read'));
    const cases = [{ request: { path: '/orders/7' }, claims: { scope: 'orders:read' }, expect: { status: wanted } }];
    await writeFile(join(folder, 'cases.json'), JSON.stringify(cases));
    const inputs = { COMMAND: 'policy-test', FILES: 'cases.json', JUNIT: 'report.xml' };
    expect((await act(inputs)).status).toBe(status);
    expect(await readFile(join(folder, 'report.xml'), 'utf8')).toMatch(
      new RegExp(`<testsuite[^>]*tests="1"[^>]*failures="${failures}"`),
    );
  });
});

test('the pre-commit hook of the guide lets a good policy through, and stops a bad one', async () => {
  const guide = await readFile(join(ROOT, 'docs/guides/policy.md'), 'utf8');
  const [, hook = ''] = /```sh file=\.git\/hooks\/pre-commit\n([\s\S]*?)```/.exec(guide) ?? [];
  await writeFile(join(folder, '.git/hooks/pre-commit'), hook, { mode: 0o755 });
  await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
  await symlink(CLI, join(folder, 'node_modules/.bin/tgefd-authorizer'));
  const request = { path: '/orders/7' };
  await writeFile(
    join(folder, 'cases.yaml'),
    `- {request: ${JSON.stringify(request)}, claims: {scope: "orders:read"}, expect: {status: 200}}\n`,
  );
  const commit = async (scope: string) => {
    await writeFile(join(folder, 'policy.json'), policy(scope));
    const args = ['-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qam', scope, '--allow-empty'];
    return await run('git', args, { cwd: folder }).then(
      () => 'committed',
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
    );
  };
  expect(await commit('orders:read')).toBe('committed');
  expect(await commit('orders:admin')).toContain('FAIL');
  expect(await commit('orders|read')).toContain('invalid');
}, 60_000);
