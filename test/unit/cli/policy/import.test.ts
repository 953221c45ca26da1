import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../../../functions/cli.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-import-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function imported(text: string | Buffer, ...args: string[]) {
  const file = join(folder, 'openapi');
  await writeFile(file, text);
  const lines: string[] = [];
  const add = (line: string) => void lines.push(line);
  const code = await main(['policy', 'import', file, ...args], { env: {}, out: add, err: add });
  return { code, text: lines.join('\n') };
}

/** A description of `count` operations as frameworks write them, status codes without quotes. */
function describedOperations(count: number): string {
  const paths = Array.from(
    { length: count },
    (_, index) => `  /things${index}/{id}:
    get:
      operationId: getThing${index}
      summary: Returns one thing
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      responses:
        200:
          description: The thing
          content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
        404: {description: There is no such thing}
`,
  );
  return `openapi: 3.1.0
info: {title: t, version: "1"}
security: [{oauth: [read]}]
components: {securitySchemes: {oauth: {type: oauth2, flows: {}}}}
paths:
${paths.join('')}`;
}

describe('policy import', () => {
  test('reads a description of 1,000 operations in less than two seconds of processor time', async () => {
    const text = describedOperations(1000);
    const out = join(folder, 'policy.json');
    const before = process.cpuUsage();
    expect(await imported(text, '--out', out)).toMatchObject({ code: 0, text: '1000 rows, 0 notes' });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(2);
    const { endpoints } = JSON.parse(await readFile(out, 'utf8'));
    expect(endpoints).toHaveLength(1000);
    expect(endpoints[7]).toEqual({
      method: 'GET',
      path: '/things7/{id}',
      scope: 'read',
      budget: 'read',
      action: 'get_thing7',
    });
  });

  const deep = (open: string, close: string) => open.repeat(200_000) + close.repeat(200_000);
  test.each<[name: string, text: string | Buffer, says: string]>([
    ['50 MB', Buffer.alloc(50 * 1024 * 1024, 'a'), 'has 52428800 bytes; at most 33554432 are read'],
    ['an anchor that refers to itself', 'openapi: 3.0.0\npaths: &a\n  /a: *a\n', 'YAML with anchors or aliases'],
    ['aliases that multiply', 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n', 'YAML with anchors or aliases'],
    ['a tag of a language', 'openapi: !!js/function x\n', 'malformed YAML in line 1'],
    ['YAML of 200,000 brackets', `openapi: 3.0.0\npaths: ${deep('[', ']')}`, 'RESOURCE_EXHAUSTION'],
    [
      'JSON of 200,000 brackets',
      `{"openapi":"3.0.0","paths":{"/a":{"get":{"servers":${deep('[', ']')}}}}}`,
      'nested too deeply',
    ],
    ['a path item that refers to itself', '{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/paths/~1a"}}}', 'in a circle'],
    ['Swagger 2.0', '{"swagger":"2.0","paths":{}}', 'convert it to OpenAPI 3 first'],
    ['files that were not bundled', '{"openapi":"3.1.0","paths":{"/a":{"$ref":"a.yml"}}}', 'Bundle the description'],
    ['no operation', '{"openapi":"3.1.0","paths":{}}', 'no operation of the description can become a row'],
  ])('refuses %s in one sentence', async (_, text, says) => {
    const answer = await imported(text);
    expect(answer.text).toContain(says);
    expect(answer.text).not.toContain('    at ');
    expect(answer.code).not.toBe(0);
  });

  test('prints what could not be expressed once for all operations of which it is true', async () => {
    const paths = Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`/${number}`, { get: {} }]));
    const { text } = await imported(JSON.stringify({ openapi: '3.0.3', paths }));
    expect(text).toContain('note: 5 operations (GET /1, GET /2, GET /3, …): says nothing about security');
    expect(text).toContain('5 rows, 5 notes');
  });
});
