import { randomBytes } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSeal } from '../../../lib/console/session/seal.ts';
import { beginSession, COOKIE, SESSION_SECONDS } from '../../../lib/console/session/session.ts';
import type { Principal } from '../../../lib/decision/principal.ts';
import { chromiumProgram, openWindow, startBrowser } from '../../support/console/browser.ts';
import { type ConsoleRig, onWorkers, startConsoleRig } from '../../support/console/rig.ts';
import { someTraffic } from '../../support/console/traffic.ts';
import { startWorkerDoor } from '../../support/worker-door.ts';
import { signIn } from './support.ts';

/* The console's Worker in workerd, beside the gateway's: they share nothing but Redis and the configuration. */

const chromium = await chromiumProgram();
const PSEUDONYM_KEY = randomBytes(32).toString('base64url');
const BROWSER = { 'user-agent': 'a browser' };

async function post(rig: ConsoleRig, path: string, form: Record<string, string>, cookie = '') {
  const headers = { ...BROWSER, origin: rig.console, 'content-type': 'application/x-www-form-urlencoded', cookie };
  return fetch(`${rig.console}${path}`, {
    method: 'POST',
    body: new URLSearchParams(form).toString(),
    headers,
    redirect: 'manual',
  });
}

function get(rig: ConsoleRig, path: string, cookie: string): Promise<Response> {
  return fetch(`${rig.console}${path}`, { headers: { ...BROWSER, cookie }, redirect: 'manual' });
}

async function cookieOf(rig: ConsoleRig, scope = 'console revoke'): Promise<string> {
  const answer = await post(rig, '/sign-in', { token: await rig.token({ subject: 'olga', scope }) });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

/** The cookie of a session that began so long ago. */
async function cookieOfAge(ageSeconds: number): Promise<string> {
  const principal: Principal = {
    method: 'jwt',
    subject: 'olga',
    identity: 'olga',
    issuer: null,
    scopes: ['console'],
    roles: [],
    keyId: null,
    tokenId: null,
    issuedAtSeconds: null,
    expiresAtSeconds: null,
    thumbprint: null,
    claims: null,
  };
  const nowSeconds = Date.now() / 1000 - ageSeconds;
  const { sealed } = await beginSession(principal, new Headers(BROWSER), createSeal([PSEUDONYM_KEY]), nowSeconds);
  return `${COOKIE}=${sealed}`;
}

describe('the console’s Worker', () => {
  let rig: ConsoleRig;
  beforeAll(async () => {
    rig = await startConsoleRig({ TGEFD_AUDIT_PSEUDONYM_KEY: PSEUDONYM_KEY }, onWorkers);
    await someTraffic(rig, 1);
  });
  afterAll(() => rig?.stop());

  test('exchanges a token for a session, and shows the denials of the gateway’s Worker', async () => {
    const cookie = await cookieOf(rig);
    const page = await get(rig, '/', cookie);
    const text = await page.text();
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const reason of ['scope_missing', 'token_expired', 'endpoint_unknown']) expect(text).toContain(reason);
    expect(text).toContain('data-live="polling"');
  });

  test('answers the polls of the live screen with the present summary', async () => {
    const cookie = await cookieOf(rig);
    const answer = await get(rig, '/live', cookie);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await answer.json()).toMatchObject({ isAnswering: true, denied: expect.any(Number) });
    expect((await get(rig, '/live', '')).status).toBe(401);
  });

  test('decides again by the same pipeline, and says why', async () => {
    const cookie = await cookieOf(rig);
    const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(await (await get(rig, '/why', cookie)).text()) ?? [];
    const token = await rig.token({ subject: 'reporting-job', scope: 'jobs' });
    const answer = await post(rig, '/why', { csrf, method: 'POST', path: '/v1/discover', token }, cookie);
    expect(await answer.text()).toContain('scope_missing');
  });

  test.each([
    ['the scope of its endpoints', 'discover'],
    ['`revoke` alone', 'revoke'],
    ['no scope', ''],
  ])('lets nobody in whose token holds %s', async (_name, scope) => {
    const answer = await post(rig, '/sign-in', { token: await rig.token({ subject: 'mallory', scope }) });
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([403, null]);
    expect(await answer.text()).toContain('insufficient_scope');
  });

  test('ends a session after 15 minutes, whatever the browser keeps', async () => {
    expect((await get(rig, '/health', await cookieOfAge(SESSION_SECONDS - 60))).status).toBe(200);
    const answer = await get(rig, '/health', await cookieOfAge(SESSION_SECONDS + 1));
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/sign-in?over']);
  });

  test('ends every copy of a session when its operator signs out', async () => {
    const cookie = await cookieOf(rig);
    const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(await (await get(rig, '/health', cookie)).text()) ?? [];
    const out = await post(rig, '/sign-out', { csrf }, cookie);
    expect([out.headers.get('location'), out.headers.get('set-cookie')]).toEqual([
      '/sign-in?out',
      expect.stringMatching(/Max-Age=0; Secure; HttpOnly; SameSite=Strict$/),
    ]);
    expect((await get(rig, '/health', cookie)).headers.get('location')).toBe('/sign-in?over');
  });

  test('refuses a request under any hostname but its own', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${rig.console}/sign-in`, { headers: { host: 'evil.example' } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.on('error', reject).end();
    });
    expect(status).toBe(421);
  });

  test.skipIf('missing' in chromium)('keeps the live screen of a browser up to date', async () => {
    const browser: Browser = await startBrowser(chromium);
    try {
      const { page, complaints } = await openWindow(browser);
      await signIn(page, rig, await rig.token({ subject: 'olga', scope: 'console' }));
      expect(await rig.ask('/v1/metrics', 'a.b.c')).toBe(401);
      await page.locator('tr', { hasText: 'token_malformed' }).waitFor({ timeout: 10_000 });
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe('the console’s Worker whose Redis is down', () => {
  let rig: ConsoleRig;
  let cookie: string;
  beforeAll(async () => {
    const relaxed = { TGEFD_AUDIT_MODE: 'relaxed', TGEFD_REVOCATION_ON_ERROR: 'open', TGEFD_REDIS_TIMEOUT_MS: '200' };
    rig = await startConsoleRig(relaxed, onWorkers);
    cookie = await cookieOf(rig);
    await rig.redis.setFault({ kind: 'status', status: 503 });
  });
  afterAll(() => rig?.stop());

  test.each([
    ['/', 'The outbox does not answer.'],
    ['/health', 'The shared store does not answer.'],
  ])('says so on %s', async (path, sentence) => {
    const textAt = async () => (await get(rig, path, cookie)).text();
    await expect.poll(textAt, { timeout: 5_000 }).toContain(sentence);
  });
});

test('the console’s Worker answers 503 to every page while its configuration is incomplete', async () => {
  const bundle = new URL('../../../dist/worker-console.js', import.meta.url).pathname;
  const door = await startWorkerDoor({ TGEFD_ENV: 'development', TGEFD_API_KEY: 'olga:a-key' }, { bundle });
  try {
    const answer = await fetch(`${door.url}/sign-in`);
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('configuration is invalid')]);
    expect(door.lines.join('\n')).toContain('TGEFD_CONSOLE_URL');
  } finally {
    await door.stop();
  }
});
