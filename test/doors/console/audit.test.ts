import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runArchive } from '../../support/archive-run.ts';
import { chromiumProgram, openWindow, startBrowser } from '../../support/console/browser.ts';
import { type ReadableBucket, startBucket } from '../../support/console/bucket.ts';
import { type ConsoleRig, startConsoleRig } from '../../support/console/rig.ts';
import { signingJwk } from '../../unit/archive/fixtures.ts';
import { allRecords, expectAccessible, expectNoOverflow, formOf, post, sessionOf, signIn, textOf } from './support.ts';

const chromium = await chromiumProgram();

interface Stage {
  readonly rig: ConsoleRig;
  readonly bucket: ReadableBucket;
  archive(): Promise<void>;
}

async function startStage(): Promise<Stage> {
  const bucket = await startBucket();
  const env = {
    TGEFD_AUDIT_BUCKET: bucket.name,
    TGEFD_AUDIT_S3_ENDPOINT: bucket.endpoint,
    TGEFD_AUDIT_S3_REGION: 'default',
    TGEFD_AUDIT_S3_ACCESS_KEY_ID: 'an-id',
    TGEFD_AUDIT_S3_SECRET_ACCESS_KEY: 'a-secret-of-the-tests',
    TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(signingJwk),
    TGEFD_AUDIT_PSEUDONYM_KEY: randomBytes(32).toString('base64url'),
  };
  const rig = await startConsoleRig({ ...env, TGEFD_AUDIT_ARCHIVE_INTERVAL_SEC: '0' });
  const archiveEnv = {
    ...env,
    TGEFD_ENV: 'development',
    TGEFD_AUTH_MODE: 'none',
    TGEFD_UPSTREAM_URL: 'http://127.0.0.1:1',
    TGEFD_REDIS_URL: rig.redis.url,
    TGEFD_REDIS_TOKEN: rig.redis.token,
  };
  return {
    rig,
    bucket,
    async archive() {
      await runArchive(archiveEnv, bucket.store);
    },
  };
}

describe('the audit archive in the console', () => {
  let stage: Stage;
  let browser: Browser | null = null;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    [stage, browser] = await Promise.all([startStage(), 'missing' in chromium ? null : startBrowser(chromium)]);
    if (browser === null) return;
    ({ page, complaints } = await openWindow(browser));
    await signIn(page, stage.rig, await stage.rig.token({ subject: 'olga', scope: 'console' }));
  });
  afterAll(async () => {
    await browser?.close();
    await stage?.rig.stop();
    await stage?.bucket.down();
  });

  const open = async () => {
    await page.goto(`${stage.rig.console}/audit`);
  };
  const verify = async () => {
    await open();
    const loaded = page.waitForEvent('load');
    await page.click('button:has-text("Verify")');
    await loaded;
  };

  describe.skipIf('missing' in chromium)('in a browser', () => {
    test('shows an empty archive', async () => {
      await open();
      expect(await textOf(page)).toContain('Nothing was verified since this process began.');
      expect(await textOf(page)).toContain('There is no anchor of the last 12 hours.');
      await verify();
      expect(await textOf(page)).toContain('Nothing was verified: there is no batch in this range.');
      await expectAccessible(page);
    });

    test('verifies a range, and tells how far it is', async () => {
      const alice = await stage.rig.token({ subject: 'alice', scope: 'jobs' });
      await Promise.all(Array.from({ length: 12 }, (_, i) => stage.rig.ask(`/v1/jobs/${i}`, alice)));
      await stage.archive();
      stage.bucket.delayMs = 250;
      await open();
      await page.click('button:has-text("Verify")');
      await expect
        .poll(() => page.textContent('#progress-text').catch(() => ''), { timeout: 4_000 })
        .toContain('Verifying');
      await expectNoOverflow(page);
      await page.waitForFunction(() => document.body.textContent?.includes('in 1 batch'), null, { timeout: 15_000 });
      stage.bucket.delayMs = 0;
      expect(await textOf(page)).toMatch(/Integrity\s+intact[\s\S]+Completeness\s+intact[\s\S]+Order\s+intact/);
      expect(await textOf(page)).toContain('genuine');
      expect(complaints).toEqual([]);
    });

    test.each([
      ['light', 1280],
      ['dark', 375],
    ] as const)('is accessible %s and %i px wide', async (theme, width) => {
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width, height: 800 });
      await open();
      await expectAccessible(page);
      await expectNoOverflow(page);
    });

    test('downloads the records of a range', async () => {
      await open();
      const waiting = page.waitForEvent('download');
      await page.click('text=Download records');
      const text = await readFile(await (await waiting).path(), 'utf8');
      const records = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(records.filter(({ action }) => action === 'jobs')).toHaveLength(12);
      expect(text).not.toMatch(/alice|olga/);
    });

    test('names what was altered', async () => {
      const key = [...stage.bucket.objects.keys()].find((each) => each.includes('/batches/')) ?? '';
      const batch = stage.bucket.objects.get(key) ?? new Uint8Array();
      stage.bucket.objects.set(
        key,
        batch.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
      );
      await verify();
      expect(await textOf(page)).toMatch(/Integrity\s+violated/);
      expect(await textOf(page)).toContain('batch altered');
      await expectAccessible(page);
      await expectNoOverflow(page);
      stage.bucket.objects.set(key, batch);
    });

    test('says so while the archive does not answer', async () => {
      await stage.bucket.down();
      await open();
      expect(await textOf(page)).toContain('The archive does not answer.');
      await expectAccessible(page);
      await expectNoOverflow(page);
      await stage.bucket.up();
    });
  });

  test.each([
    ['no time', { from: 'yesterday' }, 'A time has the form'],
    ['no range', { from: '2026-11-27T10:00', to: '2026-11-27T09:00' }, 'ends before it begins'],
  ])('verifies nothing of what is %s', async (_name, range, said) => {
    const { cookie, csrf } = await sessionOf(stage.rig, 'console');
    const answer = await post(stage.rig, '/audit/verify', { csrf, ...range }, { ...formOf(stage.rig), cookie });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(said);
  });

  test('verifies without a script too, gives the report as a file and records every step', async () => {
    const { cookie, csrf } = await sessionOf(stage.rig, 'console');
    const fields = { ...formOf(stage.rig), cookie };
    const verified = await post(stage.rig, '/audit/verify', { csrf }, fields);
    expect(await verified.text()).toContain('Last verification');
    const report = await post(stage.rig, '/audit/download', { csrf, what: 'report' }, fields);
    expect(report.headers.get('content-disposition')).toBe('attachment; filename="audit-verification.json"');
    expect(await report.json()).toMatchObject({ report: { integrity: 'intact' }, range: { fromMs: null } });
    const all = JSON.stringify(await allRecords(stage.rig));
    for (const action of ['console_audit_verify', 'console_audit_download']) expect(all).toContain(action);
  });
});
