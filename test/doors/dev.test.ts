import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../support/child.ts';
import { ensurePackage } from '../support/debian.ts';
import { descendantsOf, isAlive } from '../support/descendants.ts';
import { describeWith } from '../support/describe-with.ts';
import { startSignInLink } from '../support/dev/link.ts';
import { startIssuer } from '../support/issuer.ts';
import { acceptsConnections } from '../support/listening.ts';
import { redisProgram } from '../support/redis.ts';
import { startUpstream } from '../support/upstream.ts';

const run = promisify(execFile);
const ROOT = dirname(dirname(import.meta.dirname));
const curl = await ensurePackage('curl', ['curl']);
const redis = await redisProgram();

/** Sends a signal to `npm run dev` alone, as a supervisor or a closed terminal does; gives how it ended and what it left. */
async function endBy(signal: NodeJS.Signals, dev: Child) {
  const started = await descendantsOf(dev.pid);
  process.kill(dev.pid, signal);
  const ended = await dev.exited;
  await expect.poll(() => started.filter(isAlive), { timeout: 5_000 }).toEqual([]);
  return { ended, started: started.length };
}

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

  it.skipIf('missing' in redis)(
    'signs in to the console by its link, once, and shows living traffic there',
    async () => {
      const told = dev.lines.join('\n');
      const [, console = ''] = /^ {2}console +(\S+)/m.exec(told) ?? [];
      const [, link = ''] = /^ {2}sign in +(\S+)/m.exec(told) ?? [];
      const opened = await fetch(link, { redirect: 'manual' });
      const [page, token = ''] = (opened.headers.get('location') ?? '').split('#token=');
      expect([opened.status, page]).toEqual([303, `${console}/sign-in`]);
      expect((await fetch(link, { redirect: 'manual' })).status).toBe(410);

      const signedIn = await fetch(`${console}/sign-in`, {
        method: 'POST',
        body: new URLSearchParams({ token }),
        headers: { origin: console, 'user-agent': 'a browser' },
        redirect: 'manual',
      });
      const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
      const shown = async () => (await fetch(console, { headers: { cookie, 'user-agent': 'a browser' } })).text();
      for (const reason of ['rate_limited', 'token_expired', 'scope_missing', 'credentials_missing'])
        await expect.poll(shown, { timeout: 20_000, interval: 500 }).toContain(reason);
      expect(await shown()).toMatch(/id="f-allowed"[^>]*>[1-9]/);
    },
  );

  it.skipIf('missing' in redis)('keeps records of the traffic it makes up out of the terminal', () => {
    const records = dev.lines.filter((line) => line.includes('"type":"audit"'));
    expect(records.length).toBeGreaterThan(0);
    expect(records.filter((line) => /token_expired|rate_limited/.test(line))).toEqual([]);
  });

  it('stops everything it started at SIGTERM, with exit status 0', async () => {
    expect(ports.length).toBeGreaterThanOrEqual(3);
    const { ended, started } = await endBy('SIGTERM', dev);
    expect(ended).toBe('exit code 0');
    expect(started).toBeGreaterThan(2);
    expect(await Promise.all(ports.map(acceptsConnections))).toEqual(ports.map(() => false));
  });
});

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
      args: [join(ROOT, 'test/support/dev.ts'), '--policy', join(folder, 'policy.yaml'), '--no-console'],
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
    const revoke = command("sh -c 'set -a");
    expect(revoke).toContain('revoke --sub alice');
    await run('sh', ['-c', revoke], { cwd: ROOT });
    await expect.poll(() => statusOf(0), { timeout: 20_000, interval: 500 }).toBe(401);
  });

  it('starts no console and no traffic with --no-console', () => {
    expect(dev.lines).toContainEqual(expect.stringMatching(/^ {2}console +off$/));
    expect(dev.lines.join('\n')).not.toMatch(/sign in|made up|makes up/);
  });

  it('names the next steps', () => {
    for (const step of ['--upstream', '--issuer', 'token --issuer', 'explain'])
      expect(dev.lines.join('\n')).toContain(step);
  });

  it('stops everything it started at SIGINT (Ctrl-C), with exit status 0', async () => {
    const { ended, started } = await endBy('SIGINT', dev);
    expect(ended).toBe('exit code 0');
    expect(started).toBeGreaterThan(1);
  });
});

describe('npm run dev with a service, a policy and an issuer of one’s own', () => {
  const stops: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  it('prints a request that a token of that issuer makes succeed, and that another scope does not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tgefd-dev-own-'));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    const policy = join(folder, 'policy.yaml');
    const row = '{ method: GET, path: "/orders/{id}", scope: "orders:read", budget: read }';
    await writeFile(policy, `preset: none\nendpoints:\n  - ${row}\n`);
    const issuer = await startIssuer();
    stops.push(issuer.stop);
    const upstream = await startUpstream(0, 200);
    stops.push(upstream.stop);
    const own = await startChild({
      command: process.execPath,
      args: [
        join(ROOT, 'test/support/dev.ts'),
        ...['--upstream', upstream.url, '--policy', policy],
        ...['--issuer', issuer.url, '--audience', issuer.audience, '--no-console'],
      ],
      ready: (lines) => lines.some((line) => line.includes('Ctrl-C stops everything')),
      readyTimeoutMs: 120_000,
    });
    stops.push(own.stop);

    const printed = own.lines.find((line) => line.startsWith('curl ')) ?? '';
    const url = /http:\S+/.exec(printed)?.[0] ?? '';
    const ask = async (scope: string) =>
      fetch(url, { headers: { authorization: `Bearer ${await issuer.token({ subject: 'alice', scope })}` } });
    expect((await ask('orders:read')).status).toBe(200);
    expect(await (await ask('another')).json()).toMatchObject({ status: 403, scope: 'orders:read' });
  }, 180_000);
});

it('npm run dev leaves no process behind when its terminal closes while it starts (SIGHUP)', async () => {
  const dev = await startChild({
    command: process.execPath,
    args: [join(ROOT, 'test/support/dev.ts'), '--no-console'],
    ready: () => true,
  });
  await expect.poll(() => descendantsOf(dev.pid), { timeout: 20_000, interval: 100 }).not.toEqual([]);
  const { ended } = await endBy('SIGHUP', dev);
  expect(ended).toBe('exit code 0');
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

it('a link that signs in is worth nothing once its time is over, or to who guesses', async () => {
  let nowMs = 0;
  const link = await startSignInLink(
    'http://127.0.0.1:1',
    async () => 'a.b.c',
    0,
    () => nowMs,
  );
  const statusOf = async (url: string, method = 'GET') => (await fetch(url, { method, redirect: 'manual' })).status;
  try {
    expect(await statusOf(new URL('/guess', link.url).href)).toBe(404);
    expect(await statusOf(link.url, 'HEAD')).toBe(404);
    nowMs = 10 * 60_000;
    expect(await statusOf(link.url)).toBe(410);
    nowMs--;
    expect(await statusOf(link.url)).toBe(303);
    expect(await statusOf(link.url)).toBe(410);
  } finally {
    await link.stop();
  }
});
