import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { chromiumProgram, type Look, openWindow, startBrowser } from './browser.ts';
import { type ConsoleRig, startConsoleRig } from './rig.ts';
import { someTraffic } from './traffic.ts';

/*
 * Makes the pictures of docs/guides/console.md: node test/support/console/pictures.ts, after npm run build. Each is the console
 * itself in Chromium over a real gateway, issuer and Redis; only the times of the records are spread over a quarter of an hour.
 */

const FOLDER = join(dirname(dirname(dirname(import.meta.dirname))), 'docs/guides/console');
const SPAN_MS = 14 * 60_000;

interface Picture {
  readonly name: string;
  readonly look?: Look;
  /** Leads a signed-in page to what the picture shows. */
  readonly show: (page: Page, rig: ConsoleRig) => Promise<void>;
}

const PICTURES: readonly Picture[] = [
  { name: 'denied-now', show: (page, { console }) => openLive(page, console) },
  {
    name: 'denied-now-phone',
    look: { theme: 'dark', width: 390, height: 780 },
    show: (page, { console }) => openLive(page, console),
  },
  {
    name: 'why',
    look: { height: 1090 },
    async show(page, rig) {
      const token = await rig.token({ subject: 'reporting-job', scope: 'jobs' });
      await page.goto(`${rig.console}/why`);
      await page.fill('#method', 'POST');
      await page.fill('#path', '/v1/discover');
      await page.fill('textarea#token', token);
      await page.click('text=Explain');
      await page.waitForSelector('.steps');
    },
  },
  {
    name: 'health',
    look: { theme: 'dark', height: 660 },
    async show(page, { console }) {
      await page.goto(`${console}/health`);
    },
  },
  {
    name: 'revoke',
    look: { height: 420 },
    async show(page, { console }) {
      await page.goto(`${console}/revoke`);
      await page.selectOption('#kind', 'sub');
      await page.fill('#id', 'batch-importer');
      await page.fill('#reason', 'floods since 14:03, owner asked');
      await page.click('text=Review');
      await page.click('button.danger');
      await page.waitForSelector('[data-bound-sec]');
    },
  },
  {
    name: 'identities',
    look: { height: 640 },
    async show(page, { console }) {
      await page.goto(`${console}/identities`);
    },
  },
  {
    name: 'policy',
    look: { height: 760 },
    async show(page, { console }) {
      await page.goto(`${console}/policy`);
    },
  },
];

async function openLive(page: Page, console: string): Promise<void> {
  await page.goto(console);
  await page.waitForFunction(() => document.querySelector('.live-on') !== null);
}

/** Puts the records of the traffic at times that an operator would see: floods now and then, the rest all the time. */
async function spread({ redis }: ConsoleRig): Promise<void> {
  const [key = ''] = await redis.client.keys('*audit');
  const entries = await redis.client.xrange(key, '-', '+');
  const nowMs = Date.now();
  const placed = entries
    .map(([, [name = '', text = '{}']], place) => {
      const record = JSON.parse(text);
      const isFlood = record.code === 'rate_limited';
      const share = isFlood ? 0.35 + 0.08 * ((place * 7) % 3) + ((place * 13) % 10) / 300 : ((place * 37) % 97) / 97;
      return { name, record, atMs: Math.floor(nowMs - SPAN_MS + share * SPAN_MS) };
    })
    .sort((a, b) => a.atMs - b.atMs);
  await redis.client.del(key);
  for (const [place, { name, record, atMs }] of placed.entries()) {
    const text = JSON.stringify({ ...record, ts: new Date(atMs).toISOString() });
    await redis.client.xadd(key, `${atMs}-${place}`, name, text);
  }
}

async function signIn(page: Page, rig: ConsoleRig): Promise<void> {
  await page.goto(`${rig.console}/sign-in`);
  await page.fill('#token', await rig.token({ subject: 'olga', scope: 'console revoke' }));
  await page.click('main button[type=submit]');
  await page.waitForURL(`${rig.console}/`);
}

if (import.meta.main) {
  const wanted = process.argv.slice(2);
  const program = await chromiumProgram();
  const [rig, browser] = await Promise.all([startConsoleRig(), startBrowser(program)]);
  try {
    await mkdir(FOLDER, { recursive: true });
    await someTraffic(rig, 24);
    await spread(rig);
    for (const { name, look, show } of PICTURES) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const { page, context } = await openWindow(browser, { width: 1180, height: 860, ...look });
      await signIn(page, rig);
      await show(page, rig);
      await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled' });
      await context.close();
    }
    for (const file of await readdir(FOLDER))
      process.stdout.write(`${file}: ${Math.ceil((await stat(join(FOLDER, file))).size / 1024)} KiB\n`);
  } finally {
    await browser.close();
    await rig.stop();
  }
}
