import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumProgram, openWindow, startBrowser } from '../../support/console/browser.ts';
import { type ConsoleRig, startConsoleRig } from '../../support/console/rig.ts';
import { allRecords, expectAccessible, expectNoOverflow, formOf, post, sessionOf, signIn, textOf } from './support.ts';

const chromium = await chromiumProgram();
const BOUND_SECONDS = 2;
/** The click's way to the store, and the way of the request that is refused, on a busy machine. */
const SLACK_MS = 1_500;

/** How long the gateway takes until a token gets this status. */
async function untilStatus(
  rig: ConsoleRig,
  token: string,
  status: number,
  startedMs = performance.now(),
): Promise<number> {
  while ((await rig.ask('/v1/jobs/1', token)) !== status) {
    if (performance.now() - startedMs > 10_000) throw new Error(`never ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return performance.now() - startedMs;
}

async function fillAndReview(page: Page, rig: ConsoleRig, what: string, id: string): Promise<void> {
  await page.goto(`${rig.console}/revoke`);
  await page.selectOption('#kind', what);
  await page.fill('#id', id);
  await page.fill('#reason', 'seen in a public repository');
  await page.click('text=Review');
  await page.waitForSelector('button.danger');
}

describe('revocations by the console', () => {
  let rig: ConsoleRig;
  let browser: Browser | null = null;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    [rig, browser] = await Promise.all([
      startConsoleRig({ TGEFD_REVOCATION_MAX_DELAY_SEC: `${BOUND_SECONDS}` }),
      'missing' in chromium ? null : startBrowser(chromium),
    ]);
    if (browser === null) return;
    ({ page, complaints } = await openWindow(browser, { width: 375, height: 800 }));
    await signIn(page, rig, await rig.token({ subject: 'olga', scope: 'console revoke' }));
  });
  afterAll(async () => {
    await browser?.close();
    await rig?.stop();
  });

  describe.skipIf('missing' in chromium)('in a browser', () => {
    test('refuses a pasted token within the bound after the click, and takes it back', async () => {
      const [token, another] = await Promise.all([
        rig.token({ subject: 'alice', scope: 'jobs' }),
        rig.token({ subject: 'alice', scope: 'jobs' }),
      ]);
      expect(await rig.ask('/v1/jobs/1', token)).toBe(200);
      await fillAndReview(page, rig, 'token', `Bearer ${token}`);
      expect(await textOf(page)).toMatch(/subject\s+alice/);
      expect(await page.content()).not.toContain(token.slice(-40));
      await expectAccessible(page);
      expect(await rig.ask('/v1/jobs/1', token)).toBe(200);

      const clickedMs = performance.now();
      await page.click('text=Revoke now');
      expect(await untilStatus(rig, token, 401, clickedMs)).toBeLessThan(BOUND_SECONDS * 1000 + SLACK_MS);
      expect(await rig.ask('/v1/jobs/1', another)).toBe(200);
      await page.waitForSelector('text=now everywhere', { timeout: 4_000 });
      await expectAccessible(page);
      await expectNoOverflow(page);

      await page.click('text=Take it back');
      expect(await untilStatus(rig, token, 200)).toBeLessThan(BOUND_SECONDS * 1000 + SLACK_MS);
      expect(await textOf(page)).toContain('Taken back');
      expect(complaints).toEqual([]);
    });

    test('refuses every token of a caller, and takes it back from the list', async () => {
      const token = await rig.token({ subject: 'bob', scope: 'jobs' });
      expect(await rig.ask('/v1/jobs/1', token)).toBe(200);
      await fillAndReview(page, rig, 'sub', 'bob');
      await page.click('text=Revoke now');
      await untilStatus(rig, token, 401);
      await page.goto(`${rig.console}/revoke`);
      expect(await textOf(page)).toContain('seen in a public repository');
      expect(await page.content()).not.toContain('bob');
      await page.click('text=Take back');
      expect(await textOf(page)).toContain('Taken back');
      await untilStatus(rig, token, 200);
    });

    test('says what is wrong with a form, and keeps no pasted token in it', async () => {
      await page.goto(`${rig.console}/revoke`);
      await page.fill('#id', 'an-opaque-token');
      await page.click('text=Review');
      expect(await textOf(page)).toContain('This is no JWT.');
      expect(await page.inputValue('#id')).toBe('');
      await expectAccessible(page);
      await expectNoOverflow(page);
    });
  });

  const entry = { kind: 'kid', id: 'a-key', cut: 'now' };

  test('lets an operator without the scope look, and refuses to revoke or take back', async () => {
    const { cookie, csrf } = await sessionOf(rig, 'console');
    const look = await fetch(`${rig.console}/revoke`, { headers: { cookie, 'user-agent': 'a browser' } });
    expect(await look.text()).toContain('You may look, but not revoke.');
    for (const path of ['/revoke', '/revoke/confirmed', '/revoke/take-back']) {
      const answer = await post(rig, path, { csrf, ...entry }, { ...formOf(rig), cookie });
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain('insufficient_scope');
    }
  });

  test.each([
    ['another origin', { origin: 'https://evil.example' }, null],
    ['the form of another session', {}, 'made-up'],
  ])('does not revoke what comes with %s', async (_name, changes, made) => {
    const { cookie, csrf } = await sessionOf(rig);
    const fields = { ...formOf(rig, changes), cookie };
    const answer = await post(rig, '/revoke/confirmed', { csrf: made ?? csrf, ...entry }, fields);
    expect(answer.status).toBe(403);
    const list = await fetch(`${rig.console}/revoke`, { headers: { cookie, 'user-agent': 'a browser' } });
    expect(await list.text()).not.toContain('a-key');
  });

  test('records every step, without the name of what was revoked', async () => {
    const { cookie, csrf } = await sessionOf(rig);
    const fields = { ...formOf(rig), cookie };
    const wanted = { csrf, kind: 'sub', id: 'carol-the-caller', cut: 'always' };
    for (const path of ['/revoke', '/revoke/confirmed', '/revoke/take-back'])
      expect((await post(rig, path, wanted, fields)).status).toBe(200);
    const all = JSON.stringify(await allRecords(rig));
    for (const action of ['console_revocations', 'console_revoke_ask', 'console_revoke', 'console_revoke_take_back'])
      expect(all).toContain(`\\"${action}\\"`);
    expect(all).not.toMatch(/carol-the-caller|olga|eyJ/);
  });
});
