import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../../../functions/cli.ts';

let folder: string;
let keys: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-audit-parts-'));
  keys = join(folder, 'keys.json');
  await mkdir(join(folder, 'copy/audit'), { recursive: true });
  await writeFile(keys, '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k"}');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  const err: string[] = [];
  const console = { env: {}, out: () => undefined, err: (line: string) => void err.push(line) };
  return { code: await main(['audit', ...args, '--keys', keys], console), err: err.join('\n') };
}

test.each([['query', '--none'], ['accesses'], ['verify']])(
  '%s: a folder that holds no archive is a mistake, not an archive without records',
  async (...words) => {
    for (const place of [
      ['--folder', join(folder, 'copyy')],
      ['--folder', join(folder, 'copy'), '--prefix', 'audits'],
      ['--folder', keys],
    ]) {
      const { code, err } = await run(...words, ...place);
      expect([code, err]).toEqual([2, expect.stringContaining('--folder: there is no')]);
    }
  },
);

test('an archive that holds nothing yet can be searched', async () => {
  expect(await run('query', '--none', '--folder', join(folder, 'copy'))).toEqual({ code: 0, err: '0 records' });
});
