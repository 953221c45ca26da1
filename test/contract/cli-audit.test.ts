import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../functions/cli.ts';
import { publicSigningJwk } from '../../lib/archive/signature.ts';
import { createFolderStore } from '../../lib/platform/node/files/folder-store.ts';
import { createBench, HOUR, MINUTE, signingJwk, T0 } from '../unit/archive/fixtures.ts';

describe('tgefd-authorizer audit, on a folder that was copied from a bucket', () => {
  let folder: string;
  let keys: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tgefd-cli-audit-'));
    keys = join(folder, 'keys.json');
    await writeFile(keys, JSON.stringify({ keys: [await publicSigningJwk(signingJwk)] }));
    const bench = createBench();
    const store = createFolderStore(join(folder, 'copy'));
    for (let batch = 0; batch < 3; batch++) {
      bench.decide(batch * 10 + 1, batch * 10 + 10);
      bench.now.ms = T0 + batch * HOUR + 30 * MINUTE;
      await bench.archive({ store }).run();
      bench.now.ms = T0 + (batch + 1) * HOUR;
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const run = async (...args: string[]) => {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await main(['audit', ...args], {
      env: {},
      out: (line) => void out.push(line),
      err: (line) => void err.push(line),
    });
    return { code, out, err };
  };
  const place = () => ['--folder', join(folder, 'copy'), '--keys', keys];

  test('verify: three verdicts, and what they cannot show', async () => {
    const { code, out } = await run('verify', ...place());
    expect(out.slice(0, 3)).toEqual(['integrity     intact', 'completeness  intact', 'order         intact']);
    expect(out.join('\n')).toContain('30 records in 3 batches');
    expect(out.join('\n')).toContain('a tail cut after it would not show');
    expect(code).toBe(0);
  });

  test('query: one line a record, with the count beside', async () => {
    const { code, out, err } = await run(
      'query',
      '--from',
      '2026-11-24T11:00:00Z',
      '--to',
      '2026-11-24T11:40:00Z',
      ...place(),
    );
    expect([code, out.length, err.at(-1)]).toEqual([0, 10, '10 records']);
  });

  test('query --none: a record that is there is a no', async () => {
    const until = ['--outcome', 'allowed', '--to', '2026-11-24T10:00:00Z'];
    expect(await run('query', '--none', ...until, ...place())).toMatchObject({ code: 0, err: ['0 records'] });
    expect(await run('query', '--none', '--outcome', 'allowed', ...place())).toMatchObject({ code: 1 });
    expect((await run('query', '--address', '203.0.113.7', ...place())).code).toBe(1);
  });

  test('compare: ids alone, or the record lines of a door among other lines; either side may lack some', async () => {
    const path = join(folder, 'lines');
    const compare = async (lines: readonly string[], ...more: string[]) => {
      await writeFile(path, lines.join('\n'));
      const { code, out } = await run('compare', '--ids', path, ...more, ...place());
      return [code, ...out];
    };
    const all = Array.from({ length: 30 }, (_, place) => `d-${place + 1}`);
    const line = (id: string, type = 'audit', ts = '2026-11-24T11:00:00.010Z') => JSON.stringify({ type, id, ts });
    expect(await compare(all)).toEqual([0]);
    expect(await compare([...all.slice(1), line('d-1'), line('no-decision', 'log'), '{broken', ''])).toEqual([0]);
    expect(await compare([...all.slice(1), 'forged'])).toEqual([
      1,
      'record without a line  d-1',
      'line without a record  forged',
    ]);
    expect(await compare(['d-7'], '--subset')).toEqual([0]);
    expect(await compare(['d-7', 'forged'], '--subset')).toEqual([1, 'line without a record  forged']);
    const hour = ['--from', '2026-11-24T11:00:00Z', '--to', '2026-11-24T11:40:00Z'];
    expect(
      await compare([...all.slice(10, 20), line('earlier', 'audit', '2026-11-24T10:59:59.999Z')], ...hour),
    ).toEqual([0]);
    expect(await compare(['{"another":"log"}', 'of some service'], '--subset')).toEqual([1]);
    expect((await run('compare', ...place())).code).toBe(2);
    expect((await run('compare', '--ids', join(folder, 'gone'), ...place())).code).toBe(1);
  });

  test('keys --revoke: the set of auditors, with all that the key had signed; of no other key', async () => {
    const { code, out } = await run('keys', '--revoke', 'archive-2026', ...place());
    const [key] = JSON.parse(out.join('\n')).keys;
    expect([code, key.d, key.revoked.chains.main.sequence]).toEqual([0, undefined, 3]);
    const revoked = join(folder, 'revoked.json');
    await writeFile(revoked, out.join('\n'));
    const copy = ['--folder', join(folder, 'copy'), '--keys', revoked];
    expect(await run('verify', ...copy)).toMatchObject({ code: 0 });
    expect((await run('keys', '--revoke', 'archive-2026', ...copy)).out).toEqual(out); // Revoked once, it stays as it was.
    expect((await run('keys', '--revoke', 'another', ...place())).code).toBe(2);
    expect((await run('keys', ...place())).code).toBe(2);
    await writeFile(revoked, JSON.stringify({ ...key, revoked: 'yes' }));
    expect((await run('verify', ...copy)).code).toBe(1);
  });

  test('export: NDJSON and CSV into a file that must not be there yet', async () => {
    const output = join(folder, 'records.csv');
    expect(await run('export', '--format', 'csv', '--output', output, ...place())).toMatchObject({ code: 0, out: [] });
    const text = await readFile(output, 'utf8');
    expect(text.split('\r\n')).toHaveLength(32);
    expect(await run('export', '--output', output, ...place())).toMatchObject({ code: 1, out: [] });
    const { out } = await run('export', ...place());
    expect(JSON.parse(out[29] ?? '')).toMatchObject({ id: 'd-30', n: 10 });
  });

  test('a key that signed nothing here: everything is forged, and the exit code says no', async () => {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
    const wrong = join(folder, 'wrong.json');
    await writeFile(wrong, JSON.stringify(await crypto.subtle.exportKey('jwk', pair.publicKey)));
    const { code, out } = await run('verify', '--folder', join(folder, 'copy'), '--keys', wrong);
    expect([code, out[0]]).toEqual([1, 'integrity     violated']);
    expect(out.join('\n')).toContain('manifest_forged');
  });

  test('damage is named and the exit code says no', async () => {
    const batches = join(folder, 'copy/audit/batches/year=2026/month=11/day=24/hour=11');
    const [name = ''] = await readdir(batches);
    const bytes = await readFile(join(batches, name));
    await rm(join(batches, name));
    const { code, out } = await run('verify', ...place());
    expect(code).toBe(1);
    expect(out.join('\n')).toContain(
      `completeness  batch_missing  main 2  audit/batches/year=2026/month=11/day=24/hour=11/${name}`,
    );
    await writeFile(join(batches, name), bytes);
  });

  test.each([
    [['verify', '--from', 'yesterday']],
    [['query', '--outcome', 'maybe']],
    [['export', '--format', 'xml']],
    [['verify', '--unknown']],
    [['nothing']],
  ])('%j is not understood: exit code 2', async (args) => {
    const result = await run(...args, ...(args[0] === 'nothing' ? [] : place()));
    expect([result.code, result.out]).toEqual([2, []]);
  });
});
