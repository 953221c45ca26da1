import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core';
import { ensurePackage, type Program, pathOf } from '../debian.ts';

/** Debian's Chromium, installed where it can be. */
export function chromiumProgram(): Promise<Program> {
  return ensurePackage('chromium', ['chromium']);
}

/** Starts the browser without a window. Root may not use its sandbox. */
export function startBrowser(program: Program): Promise<Browser> {
  return chromium.launch({
    executablePath: pathOf(program),
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'],
  });
}

/** What a browser window may be. */
export interface Look {
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  readonly options?: BrowserContextOptions;
}

/** A window of its own, with its own cookies, that fails the test on any script error or refused content. */
export async function openWindow(
  browser: Browser,
  { theme = 'light', width = 1280, height = 900, options }: Look = {},
) {
  const context = await browser.newContext({
    colorScheme: theme,
    viewport: { width, height },
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  return { context, page, complaints };
}
