import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditLogProblems } from '../../../../../lib/platform/node/audit-line.ts';
import { type LineFile, openLineFile } from '../../../../../lib/platform/node/files/line-file.ts';

let folder: string;
let path: string;
const events: string[] = [];
const opened: LineFile[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tgefd-lines-'));
  path = join(folder, 'audit.log');
  events.length = 0;
});
afterEach(() => {
  for (const file of opened.splice(0)) file.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(at = path): LineFile {
  const file = openLineFile(at, (_level, event, facts) => void events.push(`${event} ${JSON.stringify(facts)}`));
  if ('problem' in file) throw new Error(file.problem);
  opened.push(file);
  return file;
}
const text = (at: string) => readFileSync(at, 'utf8');

describe('a file of lines', () => {
  test('is made for its owner alone, and appended to', async () => {
    appendFileSync(path, 'before\n');
    open().write('after');
    await expect.poll(() => text(path)).toBe('before\nafter\n');
    rmSync(path);
    open().write('x');
    await expect.poll(() => statSync(path).mode & 0o777).toBe(0o600);
  });

  test('follows its path at once where it is told to', async () => {
    const file = open();
    file.write('one');
    await expect.poll(() => text(path)).toBe('one\n');
    renameSync(path, `${path}.1`);
    file.reopen();
    file.write('two');
    await expect.poll(() => text(path)).toBe('two\n');
    expect(text(`${path}.1`)).toBe('one\n');
  });

  test('follows its path by itself within five seconds of a renaming, and loses no line', async () => {
    const file = open();
    file.write('one');
    await expect.poll(() => text(path)).toBe('one\n');
    renameSync(path, `${path}.1`);
    file.write('two');
    await expect.poll(() => statSync(path, { throwIfNoEntry: false })?.isFile(), { timeout: 5_000 }).toBe(true);
    file.write('three');
    await expect.poll(() => text(path)).toBe('three\n');
    expect(text(`${path}.1`)).toBe('one\ntwo\n');
  });

  test('keeps lines while the disk is full, and says so once', async () => {
    const file = open('/dev/full');
    for (let n = 0; n < 20; n++) file.write(`line ${n}`);
    await expect.poll(() => events.length).toBeGreaterThan(0);
    for (let n = 0; n < 10_100; n++) file.write('more');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(events).toEqual(['audit_log_failed {"error":"ENOSPC"}']);
    expect(file.lost()).toBeGreaterThan(0);
  });

  test('is told as a problem where it cannot be opened', () => {
    expect(openLineFile(join(folder, 'none', 'audit.log'), () => undefined)).toEqual({ problem: 'ENOENT' });
    expect(openLineFile(folder, () => undefined)).toEqual({ problem: 'EISDIR' });
  });
});

describe('the configuration', () => {
  test.each([
    ['a folder', () => folder, 'a folder'],
    ['a file in no folder', () => join(folder, 'none', 'a.log'), 'a file in a folder that cannot be written (ENOENT)'],
    ['a file below a file', () => join('/etc/passwd', 'a.log'), 'a file that cannot be written (ENOTDIR)'],
  ])('is invalid with %s as the file of audit lines', (_, named, found) => {
    expect(auditLogProblems({ auditLogPath: named() })).toMatchObject([{ variable: 'TGEFD_AUDIT_LOG_PATH', found }]);
  });

  test('is valid with a file that can be written or made', () => {
    expect(auditLogProblems({ auditLogPath: null })).toEqual([]);
    expect(auditLogProblems({ auditLogPath: path })).toEqual([]);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
    appendFileSync(path, '');
    expect(auditLogProblems({ auditLogPath: path })).toEqual([]);
  });
});
