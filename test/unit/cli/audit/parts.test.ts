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
      expect([code, err]).toEqual([1, expect.stringContaining('--folder: there is no')]);
    }
  },
);

test.each([
  ['that is not there', 'nowhere.json', 'cannot be read'],
  ['that is not JSON', 'text.json', 'is not JSON'],
  ['without keys', 'empty.json', 'is neither a JWK nor a key set'],
])('a file of keys %s cannot be used, which is a failure and no wrong call', async (_, name, why) => {
  await writeFile(join(folder, 'text.json'), 'no JSON');
  await writeFile(join(folder, 'empty.json'), '{}');
  const err: string[] = [];
  const console = { env: {}, out: () => undefined, err: (line: string) => void err.push(line) };
  const words = ['audit', 'verify', '--folder', join(folder, 'copy'), '--keys', join(folder, name)];
  expect([await main(words, console), err]).toEqual([1, [expect.stringMatching(`^--keys: /.*${name} ${why}$`)]]);
});

test('query --json names a part that could not be searched among the records', async () => {
  const chain = join(folder, 'damaged/audit/manifests/main');
  await mkdir(chain, { recursive: true });
  await writeFile(join(chain, '0000000001.json'), 'no manifest\n');
  const out: string[] = [];
  const console = { env: {}, out: (line: string) => void out.push(line), err: () => undefined };
  const words = ['audit', 'query', '--json', '--folder', join(folder, 'damaged'), '--keys', keys];
  expect(await main(words, console)).toBe(1);
  expect(out.map((line) => JSON.parse(line))).toEqual([
    { type: 'not_searched', key: 'audit/manifests/main/0000000001.json', why: expect.any(String) },
  ]);
});

test('an archive that holds nothing yet can be searched', async () => {
  expect(await run('query', '--none', '--folder', join(folder, 'copy'))).toEqual({ code: 0, err: '0 records' });
});
