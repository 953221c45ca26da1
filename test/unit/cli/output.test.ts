import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../../functions/cli.ts';
import { program } from '../../../lib/cli/commands.ts';
import { commandsBelow, findEntry } from '../../../lib/cli/line/find.ts';
import type { Terminal } from '../../../lib/cli/line/output.ts';
import { createProgress } from '../../../lib/cli/line/progress.ts';
import { wrapped } from '../../../lib/cli/line/text.ts';

const secret = 'a canary secret that nobody may ever see';
const environment: Readonly<Record<string, string>> = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'jwt',
  TGEFD_JWT_SECRET: secret,
  TGEFD_RBAC_ENABLED: 'true',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9000',
  TGEFD_AUDIT_PSEUDONYM_KEY: 'another canary of more than 32 bytes',
  TGEFD_DOCTOR_SECRET: 'a third canary of more than 32 bytes',
};
const signingKey = '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k"}';
/** What the commands of the archive need besides; the bucket is never asked. */
const archive = {
  TGEFD_AUDIT_BUCKET: 'records',
  TGEFD_AUDIT_S3_REGION: 'eu-central-1',
  TGEFD_REDIS_URL: 'http://127.0.0.1:1',
  TGEFD_REDIS_TOKEN: 'a canary token',
};
const policy = '{"preset":"none","endpoints":[{"method":"GET","path":"/a","scope":"a","budget":"read","action":"a"}]}';
const openapi = '{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"responses":{}}}}}';
const cases = '[{"request":{"method":"GET","path":"/a"},"expect":{"status":401}}]';
const token = `${btoa('{"alg":"RS256"}')}.${btoa('{"iss":"https://id.example","sub":"a","iat":1,"exp":9}')}.c2ln`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tgefd-output-'));
  await mkdir(join(folder, 'copy/audit'), { recursive: true });
  const files = { keys: signingKey, policy, openapi, cases, token: token.replaceAll('=', ''), log: 'decision-1\n' };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Run {
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: Terminal;
}

async function run(line: string, { env = environment, terminal }: Run = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const streams = { env, out: (text: string) => void out.push(text), err: (text: string) => void err.push(text) };
  const args = line.split(' ').map((word) => word.replace('@', `${folder}/`));
  const code = await main(args, terminal === undefined ? streams : { ...streams, terminal });
  return { code, out, err, said: [...out, ...err].join('\n') };
}

const COPY = '--folder @copy --keys @keys';

type Call = [
  line: string,
  status: number,
  members: readonly string[],
  further: Readonly<Record<string, string>> | null,
];

/** One call of every command: its exit status, and the members of its JSON, or of one record in it. */
const calls: readonly Call[] = [
  ['check-config', 0, ['valid', 'problems', 'warnings', 'proxy_lines', 'posture', 'settings'], null],
  [
    'explain --path /v1/metrics',
    1,
    ['outcome', 'status', 'code', 'reason', 'found', 'wanted', 'set_by', 'row', 'caller', 'steps'],
    null,
  ],
  ['doctor ingress --url http://127.0.0.1:1', 1, ['error'], null],
  ['doctor token --token-file @token --offline', 1, ['token', 'keys', 'settings', 'configuration'], null],
  ['doctor event --set-file @token', 1, ['event', 'answer'], null],
  ['doctor echo --port 70000', 2, ['error'], null],
  ['policy import @openapi', 0, ['policy', 'notes'], null],
  ['policy lint @policy', 0, ['findings', 'sizes'], null],
  ['policy test @cases --policy @policy', 0, ['cases'], null],
  ['policy diff @policy @policy', 0, ['gains', 'losses', 'others'], null],
  ['policy hash @policy', 0, ['policy'], null],
  ['policy shadow', 1, ['error'], null],
  ['keys create jwt-secret --print', 0, ['secrets'], null],
  ['keys list', 0, ['secrets'], null],
  ['rotate redis-token', 0, ['variable', 'steps', 'overlap', 'bound'], null],
  ['revoke --jti x', 1, ['error'], null],
  ['revocations list', 1, ['error'], null],
  ['revocations show jti x', 1, ['error'], null],
  ['revocations remove jti x', 1, ['error'], null],
  ['limits show --identity alice', 1, ['error'], null],
  ['limits reset --identity alice', 1, ['error'], null],
  ['limits grant --identity alice --budget general-day --requests 5', 1, ['error'], null],
  [
    `audit verify ${COPY}`,
    1,
    [
      'integrity',
      'completeness',
      'order',
      'findings',
      'findingsLeftOut',
      'chains',
      'batches',
      'records',
      'anchors',
      'anchoredUntilMs',
    ],
    null,
  ],
  [`audit query ${COPY}`, 0, [], null],
  ['audit tail --for 1', 1, ['error'], null],
  [`audit export ${COPY} --format csv --output @records.csv`, 0, ['output', 'records', 'damaged'], null],
  [`audit accesses ${COPY}`, 0, [], null],
  ['audit policies', 1, ['error'], null],
  [`audit compare --ids @log ${COPY}`, 1, ['records', 'records_without_line', 'lines_without_record', 'damaged'], null],
  ['audit pseudonym --identity alice', 0, ['kind', 'pseudonyms'], archive],
  ['audit keys', 1, ['keys'], archive],
  ['audit bucket --print r2-locks', 0, ['rules'], archive],
  ['audit schema', 0, ['$schema', 'title', 'anyOf'], null],
  ['egress print', 0, ['targets'], null],
  ['token --sub alice', 0, ['access_token'], null],
  ['completion bash', 0, ['shell', 'script'], null],
  ['docs --check', 0, ['stale'], null],
];

test('every command is called below', () => {
  const called = new Set(calls.map(([line]) => findEntry(program, line.split(' ')).path.join(' ')));
  expect([...called].sort()).toEqual(
    commandsBelow(program)
      .map(({ path }) => path.join(' '))
      .sort(),
  );
});

describe.each(calls)('%s', (line, status, members, further) => {
  const env = { ...environment, ...further };

  test('prints JSON with its documented members, and the same exit status as without', async () => {
    const { code, out, said } = await run(`${line} --json`, { env });
    const text = out.join('\n');
    const documents = text === '' ? [] : text.startsWith('{\n') ? [text] : out;
    for (const one of documents) expect(Object.keys(JSON.parse(one))).toEqual(members);
    expect([code, documents.length > 0]).toEqual([status, members.length > 0]);
    expect(said).not.toContain('canary');
    await rm(join(folder, 'records.csv'), { force: true });
  });

  test('prints neither colour nor progress where its output is piped', async () => {
    const { code, said } = await run(line, { env });
    expect(code).toBe(status);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what must not be there
    expect(said).not.toMatch(/[\x1b\r]/);
    expect(said).not.toContain('canary');
    await rm(join(folder, 'records.csv'), { force: true });
  });
});

test.each<[string, string, object]>([
  ['revoke --jti x', 'not_configured', {}],
  ['doctor ingress --url http://127.0.0.1:1', 'unavailable', {}],
  ['policy lint @nothing', 'input_invalid', {}],
  ['explain --path / --token-file @nothing', 'input_invalid', {}],
  ['explain --path /', 'configuration_invalid', { TGEFD_RATE_LIMIT_MODE: 'sometimes' }],
  ['audit verify', 'configuration_invalid', { TGEFD_RATE_LIMIT_MODE: 'sometimes' }],
  ['explain', 'usage', {}],
])('%s --json tells by %s why it could not', async (line, error, env) => {
  const { out, err } = await run(`${line} --json`, { env: { ...environment, ...env } });
  const { code, message, problems = [] } = JSON.parse(out.at(-1) ?? '').error;
  expect([code, err[0]]).toEqual([error, expect.stringContaining(message)]);
  if (error === 'configuration_invalid')
    expect(problems).toContainEqual(
      expect.objectContaining({ variable: 'TGEFD_RATE_LIMIT_MODE', found: '"sometimes"' }),
    );
});

describe('on a terminal', () => {
  const seen: string[] = [];
  const terminal = { outColumns: 60, isErrTerminal: true, status: (text: string) => void seen.push(text) };

  test('words have colour, tables have headings, and lines fit', async () => {
    const { out } = await run('check-config', { terminal });
    expect(out[0]).toContain('\u001b[33mconfiguration valid, ');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room on a terminal
    expect(out.filter((line) => line.replaceAll(/\x1b\[\d+m/g, '').length > 60)).toEqual([]);
    expect((await run('egress print', { terminal })).out[0]).toContain('HOST');
    expect((await run('egress print')).out[0]).toContain('127.0.0.1:9000');
    const { err } = await run('explain --path /', { terminal, env: { ...environment, TGEFD_AUTH_MODE: 'x' } });
    expect(err.slice(0, 2)).toEqual([
      '\u001b[31mconfiguration invalid, 1 problem:\u001b[39m',
      expect.stringContaining('TGEFD_AUTH_MODE'),
    ]);
  });

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('%j turns colour off, and leaves headings', async (env) => {
    const { said, out } = await run('egress print', { terminal, env: { ...environment, ...env } });
    expect(out[0]).toMatch(/^HOST +ADDRESSES +VARIABLE$/);
    expect(said).not.toContain('\u001b');
  });

  test('JSON has no colour', async () => {
    expect((await run('check-config --json', { terminal })).out.join('\n')).not.toContain('\u001b');
  });

  test('work of more than a second shows its progress, and clears it at the end', async () => {
    seen.length = 0;
    const { code } = await run('rotate jwt-secret --check --metrics http://127.0.0.1:1/ --for 0', { terminal });
    expect([code, seen]).toEqual([1, []]);
    const progress = createProgress(terminal, 'audit verify');
    progress.show('1 record verified');
    expect(seen).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    progress.end();
    expect(seen[0]).toBe('1 record verified (1 s)');
    expect(seen.at(-1)).toBe('');
  });
});

test('wraps a text and keeps its margin', () => {
  expect(wrapped('  - one two three', 10, '    ')).toEqual(['  - one', '    two', '    three']);
  expect(wrapped('short', 10)).toEqual(['short']);
});
