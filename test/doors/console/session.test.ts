import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumProgram, openWindow, startBrowser } from '../../support/console/browser.ts';
import { type ConsoleRig, startConsoleRig } from '../../support/console/rig.ts';
import { allRecords, formOf, post, sessionOf, signIn, textOf } from './support.ts';

const chromium = await chromiumProgram();

describe('sessions of the console', () => {
  let rig: ConsoleRig;
  beforeAll(async () => {
    rig = await startConsoleRig();
  });
  afterAll(() => rig?.stop());

  test('exchanges a token for a host-only cookie of 15 minutes that no script reads', async () => {
    const { answer, cookie } = await sessionOf(rig);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/');
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-tgefd-console=[\w-]+; Path=\/; Max-Age=900; Secure; HttpOnly; SameSite=Strict$/,
    );
    expect(cookie).not.toContain('olga');
  });

  test.each([
    ['a token without the scope', 'discover revoke', 403, 'insufficient_scope'],
    ['a token with * alone', '*', 403, 'insufficient_scope'],
  ])('refuses %s', async (_name, scope, status, code) => {
    const token = await rig.token({ subject: 'olga', scope });
    const answer = await post(rig, '/sign-in', { token }, formOf(rig));
    expect(answer.status).toBe(status);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(await answer.text()).toContain(code);
  });

  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['no origin', { origin: null }],
    ['an opaque origin', { origin: 'null' }],
    ['a cross-site request', { 'sec-fetch-site': 'cross-site' }],
    ['a request of a sibling site', { 'sec-fetch-site': 'same-site' }],
  ])('refuses a form that comes with %s', async (_name, changes) => {
    const { cookie, csrf } = await sessionOf(rig);
    const answer = await post(
      rig,
      '/why',
      { csrf, method: 'GET', path: '/v1/jobs/1' },
      { ...formOf(rig, changes), cookie },
    );
    expect(answer.status).toBe(403);
  });

  test('refuses a form without the token of its session, or with that of another', async () => {
    const [own, other] = await Promise.all([sessionOf(rig), sessionOf(rig)]);
    const ask = (csrf: string) =>
      post(rig, '/why', { csrf, method: 'GET', path: '/v1/jobs/1' }, { ...formOf(rig), cookie: own.cookie });
    expect((await ask('')).status).toBe(403);
    expect((await ask(other.csrf)).status).toBe(403);
    expect((await ask(own.csrf)).status).toBe(200);
  });

  test('answers no name but its own, so that no page can rebind its name to this address', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      request(`${rig.console}/sign-in`, { headers: { host: 'evil.example' } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(421);
  });

  test('does not take a cookie in another browser, or an altered one', async () => {
    const { cookie } = await sessionOf(rig);
    const status = async (headers: Record<string, string>) =>
      (await fetch(`${rig.console}/health`, { headers, redirect: 'manual' })).status;
    expect(await status({ cookie, 'user-agent': 'a browser' })).toBe(200);
    expect(await status({ cookie, 'user-agent': 'another browser' })).toBe(303);
    expect(await status({ cookie: `${cookie.slice(0, -4)}AAAA`, 'user-agent': 'a browser' })).toBe(303);
    expect(await status({})).toBe(303);
  });

  test('ends a session for every copy of its cookie when its operator signs out', async () => {
    const { cookie, csrf } = await sessionOf(rig);
    const answer = await post(rig, '/sign-out', { csrf }, { ...formOf(rig), cookie });
    expect(answer.headers.get('set-cookie')).toMatch(/Max-Age=0/);
    const again = await fetch(`${rig.console}/health`, {
      headers: { cookie, 'user-agent': 'a browser' },
      redirect: 'manual',
    });
    expect(again.headers.get('location')).toBe('/sign-in?over');
  });

  test('ends the session of an operator who is revoked', async () => {
    const { cookie } = await sessionOf(rig);
    const token = await rig.token({ subject: 'root', scope: 'revoke' });
    const body = JSON.stringify({ kind: 'sub', id: 'olga' });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    expect((await fetch(`${rig.gateway}/_authorizer/revocations`, { method: 'POST', body, headers })).status).toBe(201);
    await expect
      .poll(
        async () => {
          const headers = { cookie, 'user-agent': 'a browser' };
          return (await fetch(`${rig.console}/health`, { headers, redirect: 'manual' })).headers.get('location');
        },
        { timeout: 8_000 },
      )
      .toBe('/sign-in?over');
    await fetch(`${rig.gateway}/_authorizer/revocations/sub/olga`, { method: 'DELETE', headers });
  });

  test('sends fields that let nothing in and nothing out', async () => {
    const { cookie } = await sessionOf(rig);
    const { headers } = await fetch(`${rig.console}/health`, { headers: { cookie, 'user-agent': 'a browser' } });
    const policy = headers.get('content-security-policy') ?? '';
    for (const part of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
      expect(policy).toContain(part);
    expect(policy).toMatch(/script-src 'nonce-[\w-]{22}'/);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('same-origin');
  });

  test('records every view and every refused sign-in, without token and name', async () => {
    const { cookie } = await sessionOf(rig);
    await fetch(`${rig.console}/health`, { headers: { cookie, 'user-agent': 'a browser' } });
    const all = JSON.stringify(await allRecords(rig));
    for (const action of ['console_sign_in', 'console_health', 'console_why', 'console_explain', 'console_sign_out'])
      expect(all).toContain(action);
    expect(all).toContain('scope_missing');
    expect(all).not.toMatch(/olga|eyJ/);
  });
});

describe.skipIf('missing' in chromium)('the console in a browser', () => {
  let [rig, browser]: [ConsoleRig?, Browser?] = [];
  beforeAll(async () => {
    [rig, browser] = await Promise.all([startConsoleRig(), startBrowser(chromium)]);
  });
  afterAll(async () => {
    await browser?.close();
    await rig?.stop();
  });

  test('signs in, looks and signs out', async () => {
    if (!rig || !browser) throw new Error('not started');
    const { page, context, complaints } = await openWindow(browser);
    await page.goto(rig.console);
    expect(page.url()).toBe(`${rig.console}/sign-in`);
    await signIn(page, rig, await rig.token({ subject: 'olga', scope: 'console' }));
    expect(page.url()).toBe(`${rig.console}/`);
    await page.click('text=Sign out');
    await page.waitForURL('**/sign-in?out');
    expect(await textOf(page)).toContain('You are signed out');
    await page.goto(`${rig.console}/health`);
    expect(page.url()).toContain('/sign-in');
    expect(complaints).toEqual([]);
    await context.close();
  });

  test('signs in by the link that npm run dev prints, and forgets the token', async () => {
    if (!rig || !browser) throw new Error('not started');
    const { page, context } = await openWindow(browser);
    const token = await rig.token({ subject: 'olga', scope: 'console' });
    await page.goto(`${rig.console}/sign-in#token=${token}`);
    await page.waitForURL(`${rig.console}/`);
    expect(await page.evaluate(() => location.hash)).toBe('');
    await context.close();
  });

  test('goes back to the sign-in page when the session is over', async () => {
    if (!rig || !browser) throw new Error('not started');
    const { page, context } = await openWindow(browser);
    await page.clock.install();
    await signIn(page, rig, await rig.token({ subject: 'olga', scope: 'console' }));
    await page.goto(`${rig.console}/health`); // The live screen would notice by itself.
    await context.clearCookies();
    await page.clock.fastForward(15 * 60_000 + 1_000);
    await page.waitForURL('**/sign-in?over');
    expect(await textOf(page)).toContain('Your session is over');
    await context.close();
  });
});
