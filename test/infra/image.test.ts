import { execFile, spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/child.ts';

/*
 * The image without a container engine: what .dockerignore lets through builds, and what the Dockerfile copies runs alone in
 * an unwritable folder, as another user, with nothing in its environment but the configuration.
 */

const run = promisify(execFile);
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const NONROOT = 65532;

const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
const stages = dockerfile.split(/^(?=FROM )/m).slice(1);
const final = stages.at(-1) ?? '';

/** `[source in the build, name in the image]` of every file that the last stage takes over. */
const copied = [...final.matchAll(/^COPY --from=build .*?\/src\/(\S+) (\S+)$/gm)].map(
  ([, from = '', to = '']) => [from, to] as const,
);

describe('the Dockerfile', () => {
  test('ends in an image without shell, run by a user that is not root', () => {
    expect(final).toMatch(/^FROM gcr\.io\/distroless\/nodejs24-debian\d+:nonroot$/m);
    expect(final).toMatch(new RegExp(`^USER ${NONROOT}:${NONROOT}$`, 'm'));
    expect(final).not.toMatch(/^(RUN|ADD|SHELL|ARG) /m);
    expect(final).toMatch(/^CMD \["node\.mjs"\]$/m);
  });

  test('takes over files only, unwritable and owned by root', () => {
    expect(copied.map(([, name]) => name)).toEqual(['node.mjs', 'cli.mjs']);
    for (const line of final.match(/^COPY .*$/gm) ?? []) expect(line).toContain('--chown=0:0 --chmod=0444');
  });

  test('lets no script of a dependency run', () => {
    for (const line of dockerfile.match(/npm (?:ci|i|install)[^&\n]*/g) ?? [])
      expect(line).toContain('--ignore-scripts');
  });

  test('keeps no secret in a layer', () => {
    expect(dockerfile).not.toMatch(/TGEFD_|SECRET|TOKEN|PASSWORD/);
  });
});

describe('the same file set in a bare folder', () => {
  let context: string;
  let image: string;

  beforeAll(async () => {
    context = await mkdtemp(join(tmpdir(), 'tgefd-context-'));
    const ignore = (await readFile(join(ROOT, '.dockerignore'), 'utf8')).split('\n');
    expect(ignore).toContain('*');
    for (const path of ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1))) {
      await mkdir(dirname(join(context, path)), { recursive: true });
      await cp(join(ROOT, path), join(context, path), { recursive: true });
    }
    // In place of `npm ci`: the same packages, each by a link of its own, so that the build leaves ours alone.
    await mkdir(join(context, 'node_modules/.bin'), { recursive: true });
    for (const name of await readdir(join(ROOT, 'node_modules'))) {
      if (!name.startsWith('.')) await symlink(join(ROOT, 'node_modules', name), join(context, 'node_modules', name));
    }
    await run(process.execPath, ['infra/build.ts'], { cwd: context });

    image = await mkdtemp(join(tmpdir(), 'tgefd-image-'));
    for (const [from, to] of copied) {
      await cp(join(context, from), join(image, to));
      await chmod(join(image, to), 0o444);
    }
    await chmod(image, 0o555);
  }, 120_000);

  afterAll(async () => {
    await chmod(image, 0o755);
    await Promise.all([context, image].map((folder) => rm(folder, { recursive: true, force: true })));
  });

  /** Another user where that can be had: root may write anywhere, and would prove nothing. */
  const user = process.getuid?.() === 0 ? { uid: NONROOT, gid: NONROOT } : {};
  const settings = {
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'api_key',
    TGEFD_API_KEY: 'a-key-for-this-test-alone',
    TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
  };

  test('serves, writes nothing beside it, and ends in peace on SIGTERM', async () => {
    const port = await freePort();
    const child = spawn(process.execPath, ['node.mjs'], {
      ...user,
      cwd: image,
      env: { HOST: '127.0.0.1', PORT: String(port), NODE_ENV: 'production', ...settings },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaints = '';
    child.stderr.on('data', (chunk) => {
      complaints += chunk;
    });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      const probe = (path: string) =>
        fetch(`http://127.0.0.1:${port}${path}`).then(
          (response) => response.status,
          () => 0,
        );
      await expect.poll(() => probe('/healthz'), { timeout: 15_000 }).toBe(200);
      expect(await probe('/readyz')).toBe(200);
      expect(await probe('/v1/metrics')).toBe(401);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await exited).toBe(0);
    expect(complaints).not.toMatch(/MODULE_TYPELESS|Cannot find|EACCES|ENOENT/);
    expect(await readdir(image)).toEqual(['cli.mjs', 'node.mjs']);
  });

  test('says what is wrong with a configuration and does not listen', async () => {
    const started = run(process.execPath, ['node.mjs'], { ...user, cwd: image, env: { TGEFD_ENV: 'production' } });
    await expect(started).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('TGEFD_AUTH_MODE') });
  });

  test('brings the operator’s tool', async () => {
    const { stdout } = await run(process.execPath, ['cli.mjs', 'check-config'], { ...user, cwd: image, env: settings });
    expect(stdout).not.toBe('');
  });
});
