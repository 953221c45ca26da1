import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveSources } from '../../../../lib/config/sources.ts';
import { createDocumentReader } from '../../../../lib/platform/node/documents.ts';
import { yamlToJson } from '../../../../lib/platform/node/yaml.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'documents-'));
});
afterAll(() => rm(folder, { recursive: true }));
async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

describe('documents in files', () => {
  it('stand for their variables', async () => {
    const [policy, rows] = [await file('policy.yaml', 'preset: none\n'), await file('rows.json', '[]\n')];
    const sources = { file: null, document: createDocumentReader(yamlToJson), stores: new Map() };
    const resolved = await resolveSources({ TGEFD_POLICY_FILE: policy, TGEFD_ENDPOINTS_FILE: rows }, sources);
    expect(resolved).toEqual({
      env: { TGEFD_POLICY: '{"preset":"none"}', TGEFD_ENDPOINTS: '[]\n' },
      problems: [],
      accesses: [],
    });
  });

  it('are problems beside a value, where there are no files, and where they cannot be read', async () => {
    const sources = { file: null, document: createDocumentReader(null), stores: new Map() };
    const problemOf = async (env: object, more: object = {}) =>
      (await resolveSources({ ...env }, { ...sources, ...more })).problems.map(
        ({ variable, found }) => `${variable}: ${found}`,
      );
    const env = { TGEFD_ENDPOINTS: '[]', TGEFD_ENDPOINTS_FILE: '/x' };
    expect(await problemOf(env)).toEqual(['TGEFD_ENDPOINTS_FILE: a value beside TGEFD_ENDPOINTS']);
    const { document: _, ...none } = sources;
    expect((await resolveSources({ TGEFD_POLICY_FILE: '/x' }, none)).problems).toHaveLength(1);
    expect(await problemOf({ TGEFD_POLICY_FILE: '/nowhere' })).toEqual([
      'TGEFD_POLICY_FILE: a file that cannot be read (ENOENT)',
    ]);
    expect(await problemOf({ TGEFD_POLICY_FILE: await file('p.yml', 'a: 1') })).toEqual([
      'TGEFD_POLICY_FILE: a YAML file, which is read on Node and by the command only',
    ]);
  });

  it('are read once', async () => {
    const read = createDocumentReader(null);
    const path = await file('once.json', '[1]');
    expect(await read(path)).toBe('[1]');
    await file('once.json', '[2]');
    expect(await read(path)).toBe('[1]');
  });
});

describe('YAML', () => {
  it.each([
    [
      'preset: none\nendpoints:\n  - {method: GET, path: "/a/{id}", scope: null, budget: read}\n',
      '{"preset":"none","endpoints":[{"method":"GET","path":"/a/{id}","scope":null,"budget":"read"}]}',
    ],
    ['a: yes\nb: "true"\nc: true\nd: 012\ne: 1.5\n', '{"a":"yes","b":"true","c":true,"d":12,"e":1.5}'],
    ['# only a comment\n{}', '{}'],
    ['responses:\n  200: fine\n', '{"responses":{"200":"fine"}}'],
    ['"a b": >\n  folded\n  text\n', '{"a b":"folded text\\n"}'],
  ])('%j', async (text, json) => {
    expect(await yamlToJson(text)).toBe(json);
  });

  it.each([
    ['a: 1\na: 2\n', /malformed YAML in line \d+ \(DUPLICATE_KEY\)/],
    ['a: &x [1]\nb: *x\n', /anchors or aliases/],
    ['a: &x 1\n', /anchors or aliases/],
    ['a: !!js/function "x"\n', /malformed YAML|with tags/],
    ['a: !secret x\n', /malformed YAML|with tags/],
    ['a: 1\n---\nb: 2\n', /exactly one YAML document/],
    ['', /exactly one YAML document/],
    ['0x1: a\n', /no text/],
    ['1.0: a\n', /no text/],
    ['true: a\n', /no text/],
    ['1: a\n"1": b\n', /as a number and as a text/],
    ['? [a]\n: b\n', /no text/],
    ['a: .inf\n', /JSON does not have/],
    ['a: [1, 2\n', /malformed YAML/],
    ['a: "hunter2\n', /malformed YAML/],
  ])('refuses %j', async (text, fault) => {
    await expect(yamlToJson(text)).rejects.toThrow(fault);
    await expect(yamlToJson(text)).rejects.not.toThrow(/hunter2/);
  });
});
