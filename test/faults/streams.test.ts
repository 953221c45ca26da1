import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from '../support/child.ts';
import { acceptsConnections } from '../support/listening.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream } from '../support/upstream.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const NODE = join(ROOT, 'dist/node.js');
const folders: string[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'tgefd-streams-'));
  folders.push(made);
  return made;
}

async function start(
  env: Record<string, string>,
  stdio: ('pipe' | 'ignore' | number)[],
  command = [process.execPath, NODE],
) {
  const [port, upstream] = await Promise.all([freePort(), startUpstream()]);
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: `${port}`,
      TGEFD_ENV: 'development',
      TGEFD_UPSTREAM_URL: upstream.url,
      ...env,
    },
    stdio: stdio as never,
  });
  children.push(child);
  await expect.poll(() => acceptsConnections(port), { timeout: 20_000 }).toBe(true);
  const ask = async () => (await requestRaw(port, 'GET /v1/metrics HTTP/1.1', ['Host: a.example'])).status;
  return { child, port, ask, upstream };
}

const lines = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '');

describe('the file of audit lines', () => {
  test('is opened anew on SIGHUP, and within 5 s of being renamed, without a line lost', async () => {
    const path = join(folder(), 'audit.log');
    const { child, ask } = await start({ TGEFD_AUDIT_LOG: 'false', TGEFD_AUDIT_LOG_PATH: path }, [
      'ignore',
      'ignore',
      'ignore',
    ]);
    expect(await ask()).toBe(200);
    await expect.poll(() => lines(path).length).toBe(1);

    renameSync(path, `${path}.1`);
    child.kill('SIGHUP');
    await expect.poll(() => existsSync(path), { timeout: 3_000 }).toBe(true);
    expect(await ask()).toBe(200);
    await expect.poll(() => lines(path).length).toBe(1);

    renameSync(path, `${path}.2`);
    await expect.poll(() => existsSync(path), { timeout: 5_000 }).toBe(true);
    expect(await ask()).toBe(200);
    await expect.poll(() => lines(path).length).toBe(1);
    expect(lines(`${path}.1`).length + lines(`${path}.2`).length).toBe(2);
  });

  test('that cannot be written stops the start', async () => {
    const child = spawn(process.execPath, [NODE], {
      env: { TGEFD_ENV: 'development', TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9', TGEFD_AUDIT_LOG_PATH: folder() },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    let told = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      told += chunk;
    });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1);
    expect(told).toMatch(/TGEFD_AUDIT_LOG_PATH: found a folder/);
  });
});

describe('stdout and stderr', () => {
  test('may go away: requests go on', async () => {
    const { child, ask } = await start({}, ['ignore', 'pipe', 'pipe']);
    expect(await ask()).toBe(200);
    child.stdout?.destroy();
    child.stderr?.destroy();
    for (let n = 0; n < 20; n++) expect(await ask()).toBe(200);
    expect(child.exitCode).toBeNull();
  });

  test('may be a full disk: requests go on', async () => {
    const full = openSync('/dev/full', 'w');
    const { child, ask } = await start({}, ['ignore', full, full]);
    for (let n = 0; n < 20; n++) expect(await ask()).toBe(200);
    expect(child.exitCode).toBeNull();
  });
});

test('SIGTERM to `npm start` reaches the process, which ends and lets go of its port', async () => {
  const { child, port } = await start({ HOME: folder() }, ['ignore', 'ignore', 'ignore'], ['npm', 'start', '--silent']);
  child.kill('SIGTERM');
  await expect.poll(() => acceptsConnections(port), { timeout: 15_000 }).toBe(false);
});
