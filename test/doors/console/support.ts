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

/** Fields of a browser's form, as far as a program can make them up. */
export function formOf(rig: ConsoleRig, changes: Record<string, string | null> = {}): Record<string, string> {
  const fields = { origin: rig.console, 'sec-fetch-site': 'same-origin', ...changes };
  const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== null);
  return {
    'content-type': 'application/x-www-form-urlencoded',
    'user-agent': 'a browser',
    ...Object.fromEntries(given),
  };
}

/** Sends a form without a browser, and follows nothing. */
export async function post(
  rig: ConsoleRig,
  path: string,
  form: Record<string, string>,
  headers: Record<string, string>,
) {
  const body = new URLSearchParams(form).toString();
  return fetch(`${rig.console}${path}`, { method: 'POST', body, headers, redirect: 'manual' });
}

/** A session without a browser: its cookie and the token of its forms. */
export async function sessionOf(rig: ConsoleRig, scope = 'console revoke') {
  const answer = await post(rig, '/sign-in', { token: await rig.token({ subject: 'olga', scope }) }, formOf(rig));
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const page = await fetch(`${rig.console}/why`, { headers: { cookie, 'user-agent': 'a browser' } });
  const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(await page.text()) ?? [];
  return { answer, cookie, csrf };
}

/** Everything that stands in the streams of the store. */
export async function allRecords({ redis }: ConsoleRig): Promise<unknown[]> {
  const keys = await redis.client.keys('*');
  const found: unknown[] = [];
  for (const key of keys)
    if ((await redis.client.type(key)) === 'stream') found.push(await redis.client.xrange(key, '-', '+'));
  return found;
}
