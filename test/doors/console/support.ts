import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { ConsoleRig } from '../../support/console/rig.ts';

/** Signs in by the page, as a person does. */
export async function signIn(page: Page, rig: Pick<ConsoleRig, 'console'>, token: string): Promise<void> {
  await page.goto(`${rig.console}/sign-in`);
  await page.fill('#token', token);
  await page.click('main button[type=submit]');
  await page.waitForLoadState();
}

/** Fails with every rule that a page breaks (WCAG 2.2 A and AA, and axe's best practices). */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`),
  ).toEqual([]);
}

/** Fails where a page is wider than its window. */
export async function expectNoOverflow(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
}

/** Text of the page as a person reads it. */
export function textOf(page: Page): Promise<string> {
  return page.innerText('main');
}
