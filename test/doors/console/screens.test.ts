import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumProgram, type Look, openWindow, startBrowser } from '../../support/console/browser.ts';
import { type ConsoleRig, startConsoleRig } from '../../support/console/rig.ts';
import { someRevocations, someTraffic } from '../../support/console/traffic.ts';
import { allRecords, expectAccessible, expectNoOverflow, signIn, textOf } from './support.ts';

const chromium = await chromiumProgram();

/** Every screen, with a text that it shows of some traffic and one where there is none. */
const SCREENS = [
  { path: '/', data: 'rate_limited', empty: 'Nobody was denied.' },
  { path: '/why', data: 'Look up the record', empty: 'Look up the record' },
  { path: '/identities', data: '100 %', empty: 'No caller was verified lately.' },
  { path: '/audit', data: 'There is no archive to read.', empty: 'Nothing was verified' },
  { path: '/policy', data: 'the second table denies', empty: 'No request was decided otherwise.' },
  { path: '/revoke', data: 'leaked in a build log', empty: 'Nothing is revoked.' },
  { path: '/health', data: 'Last (UTC)', empty: 'No record tells of an instance.' },
] as const;

/** A second table on trial: one row demands another scope. */
const SHADOW = [{ method: 'GET', path: '/v1/metrics', action: 'metrics', scope: 'metrics:read', budget: 'read' }];

const LOOKS: readonly (readonly [name: string, look: Look])[] = [
  ['light', { theme: 'light' }],
  ['dark', { theme: 'dark' }],
  ['375 px wide', { theme: 'light', width: 375, height: 800 }],
  ['375 px wide and dark', { theme: 'dark', width: 375, height: 800 }],
];

interface Stage {
  readonly rig: ConsoleRig;
  readonly browser: Browser;
}

async function signedIn({ rig, browser }: Stage, look: Look = {}) {
  const opened = await openWindow(browser, look);
  await signIn(opened.page, rig, await rig.token({ subject: 'olga', scope: 'console revoke' }));
  return opened;
}

describe.skipIf('missing' in chromium)('screens of the console', () => {
  let stage: Stage;
  beforeAll(async () => {
    const [rig, browser] = await Promise.all([
      startConsoleRig({ TGEFD_SHADOW_ENDPOINTS: JSON.stringify(SHADOW) }),
      startBrowser(chromium),
    ]);
    stage = { rig, browser };
  });
  afterAll(async () => {
    await stage?.browser.close();
    await stage?.rig.stop();
  });

  describe('with nothing to show', () => {
    let window: Awaited<ReturnType<typeof signedIn>>;
    beforeAll(async () => {
      window = await signedIn(stage);
    });
    afterAll(() => window?.context.close());

    test.each(SCREENS)('shows $path', async ({ path, empty }) => {
      await window.page.goto(stage.rig.console + path);
      expect(await textOf(window.page)).toContain(empty);
      await expectAccessible(window.page);
      expect(window.complaints).toEqual([]);
    });
  });

  describe('with traffic', () => {
    const windows: { page: Page; context: BrowserContext; complaints: string[] }[] = [];
    beforeAll(async () => {
      await someTraffic(stage.rig);
      await someRevocations(stage.rig);
      for (const [, look] of LOOKS) windows.push(await signedIn(stage, look));
    });
    afterAll(() => Promise.all(windows.map(({ context }) => context.close())));

    test.each(LOOKS.flatMap(([name], place) => SCREENS.map((screen) => ({ name, place, ...screen }))))(
      'shows $path $name',
      async ({ place, path, data }) => {
        const { page, complaints } = windows[place] ?? (await signedIn(stage));
        await page.goto(stage.rig.console + path);
        expect(await textOf(page)).toContain(data);
        await expectNoOverflow(page);
        // Colours differ by theme and layouts by width: two of the four looks have all of it.
        if (path !== '/why' && (place === 0 || place === 3)) await expectAccessible(page);
        expect(complaints).toEqual([]);
      },
    );

    test('shows a new denial by itself, and its record by a click', async () => {
      const { page } = windows[0] ?? (await signedIn(stage));
      const drawn = await (await page.goto(stage.rig.console))?.text();
      expect(drawn).toMatch(/id="chart-from">\d\d:\d\d</);
      expect(drawn).toMatch(/id="chart-to">\d\d:\d\d</);
      expect(await stage.rig.ask('/v1/metrics', 'a.b.c')).toBe(401);
      const row = page.locator('tr', { hasText: 'token_malformed' });
      await row.waitFor({ timeout: 5_000 });
      for (const end of ['from', 'to']) expect(await page.textContent(`#chart-${end}`)).toMatch(/^\d\d:\d\d$/);
      await row.locator('a').click({ timeout: 4_000 });
      await page.waitForURL('**/why?request_id=*');
      expect(await textOf(page)).toContain('Denied: 401 credentials_invalid, because token_malformed');
    });

    test('stops moving while paused', async () => {
      const { page } = windows[0] ?? (await signedIn(stage));
      await page.goto(stage.rig.console);
      await page.click('#live-pause');
      const before = await page.textContent('#f-denied');
      expect(await stage.rig.ask('/v1/metrics', 'a.b.c')).toBe(401);
      await page.waitForTimeout(1_500);
      expect(await page.textContent('#f-denied')).toBe(before);
      await page.click('#live-pause');
      await expect.poll(() => page.textContent('#f-denied'), { timeout: 4_000 }).not.toBe(before);
    });

    test('explains a pasted request step by step, and shows the token nowhere', async () => {
      const { page } = windows[0] ?? (await signedIn(stage));
      const token = await stage.rig.token({ subject: 'reporting-job', scope: 'jobs' });
      await page.goto(`${stage.rig.console}/why`);
      await page.fill('#method', 'POST');
      await page.fill('#path', '/v1/discover');
      await page.fill('textarea#token', token);
      await page.click('text=Explain');
      await page.waitForSelector('.steps');
      expect(await textOf(page)).toContain('It would be denied: 403 insufficient_scope, because scope_missing');
      expect(await page.locator('.steps details[open]').count()).toBe(1);
      expect(await page.locator('.steps details[open]').innerText()).toMatch(/found\s+jobs\s+wanted\s+discover/);
      expect(await page.content()).not.toContain(token.slice(-40));
      await expectAccessible(page);
    });

    test('turns a typed name into its pseudonym, and stores the name nowhere', async () => {
      const { page, complaints } = windows[2] ?? (await signedIn(stage));
      await page.goto(`${stage.rig.console}/identities`);
      await page.fill('#name', 'batch-importer');
      await page.click('text=Show what is left');
      expect(await textOf(page)).toMatch(/pseudonym\s+[0-9a-f]{8}\.[\w-]{22}\s+lately\s+\d+ requests/);
      const row = page.locator('tr', { has: page.locator('th', { hasText: 'heavy' }) });
      expect(await row.innerText()).toMatch(/heavy\s+\d+\s+60\s+60 s/);
      expect(await page.locator('tr.is-named').innerText()).toContain('the name you typed');
      expect(JSON.stringify(await allRecords(stage.rig))).not.toContain('batch-importer');
      await expectAccessible(page);
      await expectNoOverflow(page);
      expect(complaints).toEqual([]);
      await page.click('text=Revoke this caller');
      expect(await textOf(page)).toContain('Revoke this?');
    });

    test.each([
      ['jobs', '403 insufficient_scope, because scope_missing'],
      ['jobs discover', 'POST /v1/discover: allowed'],
    ])('decides a case whose token has the scopes %s', async (scope, said) => {
      const { page, complaints } = windows[3] ?? (await signedIn(stage));
      await page.goto(`${stage.rig.console}/policy`);
      await page.fill('#method', 'POST');
      await page.fill('#path', '/v1/discover');
      await page.fill('#claims', JSON.stringify({ sub: 'somebody', scope }));
      await page.click('button:has-text("Decide")');
      expect(await textOf(page)).toContain(said);
      await expectAccessible(page);
      await expectNoOverflow(page);
      expect(complaints).toEqual([]);
    });

    test('is used by the keyboard alone', async () => {
      const { page } = windows[0] ?? (await signedIn(stage));
      await page.goto(`${stage.rig.console}/health`);
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Skip to content');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.closest('main') !== null)).toBe(true);
    });
  });
});

describe.skipIf('missing' in chromium)('screens whose source is down', () => {
  let stage: Stage;
  let window: { page: Page; context: BrowserContext; complaints: string[] };
  beforeAll(async () => {
    const [rig, browser] = await Promise.all([
      startConsoleRig({
        TGEFD_AUDIT_MODE: 'relaxed',
        TGEFD_REVOCATION_ON_ERROR: 'open',
        TGEFD_REDIS_TIMEOUT_MS: '200',
      }),
      startBrowser(chromium),
    ]);
    stage = { rig, browser };
    window = await signedIn(stage);
    await rig.redis.setFault({ kind: 'status', status: 503 });
  });
  afterAll(async () => {
    await stage?.browser.close();
    await stage?.rig.stop();
  });

  test.each([
    ['/', 'The outbox does not answer.'],
    ['/why?request_id=abc', 'the outbox does not answer'],
    ['/identities', 'The outbox does not answer.'],
    ['/policy', 'The outbox does not answer.'],
    ['/revoke', 'The store does not answer.'],
    ['/health', 'The shared store does not answer.'],
  ])('says so on %s', async (path, text) => {
    const read = async () => {
      await window.page.goto(stage.rig.console + path);
      return textOf(window.page);
    };
    // What was read just before still counts for a moment.
    await expect.poll(read, { timeout: 5_000, interval: 300 }).toContain(text);
    await expectAccessible(window.page);
    await expectNoOverflow(window.page);
  });
});
