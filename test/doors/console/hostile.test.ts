import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { consoleRows } from '../../../lib/console/rows.ts';
import { chromiumProgram, openWindow, startBrowser } from '../../support/console/browser.ts';
import { HOSTILE, MARK, plantRecord, ROUNDS, sendHostile, tokenWith } from '../../support/console/hostile.ts';
import { type ConsoleRig, startConsoleRig } from '../../support/console/rig.ts';
import { expectNoOverflow, signIn } from './support.ts';

/* Texts of callers, of a broken store and of operators reach a real browser: none may run, lead away or bend the page. */

const chromium = await chromiumProgram();
const SCREENS = consoleRows({ look: 'console', act: 'revoke' })
  .filter(({ method, pattern }) => method === 'GET' && pattern !== '/live' && !pattern.includes('{'))
  .map(({ pattern }) => pattern);
const WIDTHS = [1280, 375] as const;

/** What would show that a text did more than stand there. */
interface Evidence {
  readonly page: Page;
  readonly complaints: string[];
  readonly dialogs: string[];
  readonly elsewhere: string[];
}

async function watched(
  browser: Browser,
  rig: ConsoleRig,
  width: number,
): Promise<Evidence & { context: BrowserContext }> {
  const { context, page, complaints } = await openWindow(browser, { width, height: 800 });
  const [dialogs, elsewhere]: [string[], string[]] = [[], []];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== rig.console) elsewhere.push(request.url());
  });
  return { context, page, complaints, dialogs, elsewhere };
}

async function expectHarmless({ page, complaints, dialogs, elsewhere }: Evidence, rig: ConsoleRig): Promise<void> {
  const found = await page.evaluate((mark) => {
    const strange =
      'img,iframe,object,embed,base,style,form[action*=":"],meta[http-equiv],a[href*=":"],script:not([src^="/console-"])';
    const handlers = [...document.querySelectorAll('*')].flatMap(({ attributes }) =>
      [...attributes].filter(({ name }) => name.startsWith('on')).map(({ name }) => name),
    );
    const attributes = [...document.querySelectorAll('[title],[aria-label]')].map(
      (node) => `${node.getAttribute('title')} ${node.getAttribute('aria-label')}`,
    );
    return {
      ran: mark in window,
      elements: [...document.querySelectorAll(strange)].map(({ outerHTML }) => outerHTML.slice(0, 200)),
      handlers,
      frames: window.frames.length,
      text: [document.title, document.body.innerText, ...attributes].join(' '),
      head: document.querySelector('header.top')?.getBoundingClientRect().top,
    };
  }, MARK);
  expect(found).toMatchObject({ ran: false, elements: [], handlers: [], frames: 0, head: 0 });
  // Line feeds and tabs are the page's own. What an operator typed stands in its field as it was typed.
  expect(found.text.match(/[^\P{C}\n\t]|[\u2028\u2029]/gu) ?? []).toEqual([]);
  expect({ complaints, dialogs, elsewhere }).toEqual({ complaints: [], dialogs: [], elsewhere: [] });
  expect(new URL(page.url()).origin).toBe(rig.console);
  expect(page.context().pages()).toHaveLength(1);
  await expectNoOverflow(page);
}

describe.skipIf('missing' in chromium)('hostile texts in the console', () => {
  let rig: ConsoleRig;
  let browser: Browser;
  const windows: Awaited<ReturnType<typeof watched>>[] = [];
  beforeAll(async () => {
    [rig, browser] = await Promise.all([startConsoleRig(), startBrowser(chromium)]);
    await sendHostile(rig);
    for (const width of WIDTHS) {
      const opened = await watched(browser, rig, width);
      windows.push(opened);
      await signIn(opened.page, rig, await rig.token({ subject: 'olga', scope: 'console revoke' }));
    }
  });
  afterAll(async () => {
    await browser?.close();
    await rig?.stop();
  });
  const at = (place: number) => windows[place] ?? expect.unreachable();

  test.each(WIDTHS.flatMap((width, place) => SCREENS.map((path) => ({ width, place, path }))))(
    'are text on $path, $width px wide',
    async ({ place, path }) => {
      const shown = at(place);
      await shown.page.goto(rig.console + path);
      await expectHarmless(shown, rig);
    },
  );

  test('are text in the rows that the script adds to the live screen', async () => {
    const shown = at(1);
    await shown.page.goto(rig.console);
    for (const [place, [, text]] of HOSTILE.entries()) await plantRecord(rig, `late ${text}`, 100 + place);
    await shown.page.locator('#groups tr', { hasText: 'late "\'>' }).waitFor({ timeout: 6_000 });
    await expectHarmless(shown, rig);
  });

  test.each(ROUNDS)('are text on the page that answers %s in an address', async (_name, text) => {
    const shown = at(1);
    const asked = encodeURIComponent(text.slice(0, 4_000));
    for (const path of [`/why?request_id=${asked}`, `/${asked}?${asked}=${asked}`]) {
      await shown.page.goto(rig.console + path);
      await expectHarmless(shown, rig);
    }
  });

  test('are text in the record of a request', async () => {
    const shown = at(1);
    for (const place of HOSTILE.keys()) {
      await shown.page.goto(`${rig.console}/why?request_id=hostile-${place}`);
      expect(await shown.page.locator('.facts-sheet').count()).toBe(1);
      await expectHarmless(shown, rig);
    }
  });

  test.each(ROUNDS)('are text when an operator puts %s into every form', async (_name, text) => {
    const shown = at(1);
    const { page } = shown;
    for (const path of SCREENS) {
      await page.goto(rig.console + path);
      for (let place = 0; place < (await page.locator('main form').count()); place++) {
        const form = page.locator('main form').nth(place);
        const isForText = await form.evaluate((node, filled) => {
          const fields = node.querySelectorAll<HTMLInputElement>('input[type=text],input[type=search],textarea');
          for (const field of fields) field.value = filled;
          return fields.length > 0;
        }, text);
        if (!isForText) continue;
        await navigating(page, () => form.evaluate((node: HTMLFormElement) => node.submit()));
        await expectHarmless(shown, rig);
        await page.goto(rig.console + path);
      }
    }
  });

  test.each(['alg', 'kid', 'iss', 'sub', 'aud', 'scope'])(
    'are text in the steps of a decision about a token with a hostile %s',
    async (claim) => {
      const shown = at(1);
      const { page } = shown;
      for (const [, text] of ROUNDS.slice(0, 2)) {
        await page.goto(`${rig.console}/why`);
        await page.fill('#path', '/v1/metrics');
        await page.fill('textarea#token', tokenWith(claim, text));
        await navigating(page, () => page.click('text=Explain'));
        expect(await page.locator('.steps').count()).toBe(1);
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
        });
        await expectHarmless(shown, rig);
      }
    },
  );

  test.each([
    ['a subject of markup', HOSTILE[0]?.[1] ?? '', '.who-name'],
    ['a subject of control bytes, which is refused', ROUNDS[0]?.[1] ?? '', '.notice-bad'],
  ])('are text in the name of an operator with %s', async (_name, text, shownAt) => {
    const shown = await watched(browser, rig, 375);
    await shown.page.goto(`${rig.console}/sign-in`);
    await shown.page.fill('#token', await rig.token({ subject: text, scope: 'console' }));
    await navigating(shown.page, () => shown.page.click('main button[type=submit]'));
    expect(await shown.page.locator(shownAt).count()).toBe(1);
    await expectHarmless(shown, rig);
    await shown.context.close();
  });
});

/** Does what leads to another page, and waits until it stands there. */
async function navigating(page: Page, act: () => Promise<unknown>): Promise<void> {
  await Promise.all([page.waitForEvent('framenavigated'), act()]);
  await page.waitForLoadState();
}
