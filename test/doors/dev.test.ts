import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Child, startChild } from '../support/child.ts';
import { ensurePackage } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';
import { acceptsConnections } from '../support/listening.ts';
import { redisProgram } from '../support/redis.ts';

const run = promisify(execFile);
const ROOT = dirname(dirname(import.meta.dirname));
const curl = await ensurePackage('curl', ['curl']);

describeWith([curl], 'npm run dev', () => {
  let dev: Child;
  let commands: readonly string[];
  let ports: readonly number[];

  beforeAll(async () => {
    dev = await startChild({
      command: process.execPath,
      args: [join(ROOT, 'test/support/dev.ts')],
      ready: (lines) => lines.some((line) => line.includes('Ctrl-C stops everything')),
      readyTimeoutMs: 120_000,
    });
    commands = dev.lines.filter((line) => line.startsWith('curl '));
    ports = dev.lines
      .flatMap((line) => (/^ {2}\w+ +http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? []) as string[])
      .map(Number);
  });
  afterAll(() => dev.stop());

  const answer = async (index: number) => (await run('sh', ['-c', `${commands[index]} --silent`])).stdout;

  it('prints three requests, the first of which is allowed and reaches the upstream without its token', async () => {
    const text = await answer(0);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toContain('"x-auth-request-user","alice"');
    expect(text).not.toContain('Bearer');
  });

  it('the second is forbidden by scope', async () => {
    const text = await answer(1);
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
    expect(text).toContain('"code":"insufficient_scope"');
  });

  it('the third is refused', async () => {
    const text = await answer(2);
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(text).toContain('"code":"credentials_invalid"');
  });

  it('stops everything it started', async () => {
    expect(ports.length).toBeGreaterThanOrEqual(3);
    await dev.stop();
    expect(await Promise.all(ports.map(acceptsConnections))).toEqual(ports.map(() => false));
  });
});

const redis = await redisProgram();

describeWith([curl, redis], 'npm run dev with a policy of one’s own', () => {
  let dev: Child;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dev-'));
    const rows = [
      'preset: none',
      'endpoints:',
      '  - {method: GET, path: "/items/{id}", scope: items, budget: read} # the developer’s own',
    ];
    await writeFile(join(folder, 'policy.yaml'), rows.join('\n'));
    dev = await startChild({
      command: process.execPath,
      args: [join(ROOT, 'test/support/dev.ts'), '--policy', join(folder, 'policy.yaml')],
      ready: (lines) => lines.some((line) => line.includes('Ctrl-C stops everything')),
      readyTimeoutMs: 120_000,
    });
  });
  afterAll(async () => {
    await dev?.stop();
    await rm(folder, { recursive: true });
  });
  const command = (start: string, place = 0) =>
    dev.lines.map((line) => line.trim()).filter((line) => line.startsWith(start))[place] ?? '';
  const statusOf = async (place: number) => {
    const { stdout } = await run('sh', ['-c', `${command('curl ', place)} --silent`]);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(stdout)?.[1]);
  };

  it('prints requests for a row of the policy, which come out as it says', async () => {
    expect(command('curl ')).toContain('/items/example');
    expect([await statusOf(0), await statusOf(1), await statusOf(2)]).toEqual([200, 403, 401]);
  });

  it('prints a command that revokes a caller, after which the gateway refuses her within the bound', async () => {
    const revoke = command("sh -c 'set -a").replace('npx --no tgefd-authorizer', `node ${join(ROOT, 'dist/cli.js')}`);
    expect(revoke).toContain('revoke --sub alice');
    await run('sh', ['-c', revoke], { cwd: ROOT });
    await expect.poll(() => statusOf(0), { timeout: 20_000, interval: 500 }).toBe(401);
  });

  it('names the next steps', () => {
    for (const step of ['--upstream', '--issuer', 'token --issuer', 'explain'])
      expect(dev.lines.join('\n')).toContain(step);
  });
});

it.each([
  [['--upstream', '127.0.0.1:3000'], '--upstream is an origin'],
  [['--policy', '/nowhere.yaml'], '--policy /nowhere.yaml: a file that cannot be read'],
  [['--audience', 'x'], '--audience belongs to --issuer'],
])('npm run dev refuses %j', async (args, fault) => {
  const failed = await run(process.execPath, [join(ROOT, 'test/support/dev.ts'), ...args]).catch(
    (error: { stderr: string; code: number }) => error,
  );
  expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining(fault) });
});
